import { join } from "node:path";
import { Appliance } from "#sim/appliance/appliance.ts";
import type { BackEnd } from "#sim/appliance/back-end.ts";
import { directoryBackEnd } from "#sim/appliance/directory-back-end.ts";
import { memoryBackEnd } from "#sim/appliance/memory-back-end.ts";
import { StateFile } from "#sim/appliance/state-file.ts";
import { Switches } from "#sim/appliance/switches.ts";
import { Console } from "#sim/console/console.ts";
import { nvmetBackEnd } from "#sim/nvmet/nvmet-back-end.ts";
import { type ClientKey, generateClientKey, storedClientKey } from "#sim/ssh/client-key.ts";
import { Faults } from "#sim/ssh/faults.ts";
import { generateHostKey, type HostKey, hostKeyFrom, storedHostKeys } from "#sim/ssh/host-keys.ts";
import { type Execute, LineRunner } from "#sim/ssh/line-runner.ts";
import { SshServer } from "#sim/ssh/ssh-server.ts";
import { Statistics } from "#sim/ssh/statistics.ts";
import { type User, type UserOptions, Users } from "#sim/ssh/users.ts";
import { type ResolvedOptions, resolveOptions, type SimulatorOptions } from "./options.ts";

interface Parts {
  readonly options: ResolvedOptions;
  readonly appliance: Appliance;
  readonly users: Users;
  readonly hostKeys: readonly HostKey[];
  readonly clientKey: ClientKey | undefined;
}

/** A MikroTik ROSE Data Server without the hardware: RouterOS over real SSH. */
export class Simulator implements AsyncDisposable {
  readonly options: ResolvedOptions;
  readonly appliance: Appliance;
  readonly switches: Switches;
  readonly faults = new Faults();
  readonly statistics = new Statistics();
  /** Of the users that were given no key; `undefined` when all were given some. */
  readonly clientKey: ClientKey | undefined;
  readonly #users: Users;
  readonly #server: SshServer;
  readonly #runner: LineRunner;

  /** @throws {Error} when an option, the state, a key or the address cannot be used. */
  static async start(given: SimulatorOptions = {}): Promise<Simulator> {
    const options = resolveOptions(given);
    const { stateDirectory } = options;
    const clientKey = options.users.some(isKeyless) ? await clientKeyOf(stateDirectory) : undefined;
    const users = new Users(options.users.map((user) => withKey(user, clientKey)));
    const hostKeys = await hostKeysOf(options);
    const switches = new Switches(options.switches);
    const appliance = await Appliance.start({
      ...options,
      switches,
      backEnd: await backEndOf(options, switches),
      stateFile: stateDirectory === undefined ? undefined : new StateFile(stateDirectory),
    });
    const simulator = new Simulator({ options, appliance, users, hostKeys, clientKey });
    await simulator.up();
    return simulator;
  }

  private constructor({ options, appliance, users, hostKeys, clientKey }: Parts) {
    this.options = options;
    this.appliance = appliance;
    this.switches = appliance.switches;
    this.clientKey = clientKey;
    this.#users = users;
    this.#runner = new LineRunner({
      switches: this.switches,
      faults: this.faults,
      statistics: this.statistics,
      save: () => appliance.save(),
      pause: (milliseconds) => appliance.pause(milliseconds),
    });
    this.#server = new SshServer(options, hostKeys, {
      users,
      switches: this.switches,
      run: (line, user, signal) => this.#runner.run(line, this.#executeAs(user), signal),
      onLogin: () => {
        this.statistics.connections += 1;
      },
      onBug: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
    });
  }

  get port(): number {
    return this.#server.port;
  }

  /** In the order in which the server offers them. */
  get hostKeys(): readonly HostKey[] {
    return this.#server.hostKeys;
  }

  /** SSH connections that are open now. */
  get openConnections(): number {
    return this.#server.openConnections;
  }

  /** The management network is gone: nothing listens, connections break. Exports stay. */
  down(): Promise<void> {
    return this.#server.stop();
  }

  /** Listens again, on the same port. */
  up(): Promise<void> {
    return this.#server.start();
  }

  /** The power is gone: neither SSH nor any export answers. Configuration and files stay. */
  async powerOff(): Promise<void> {
    await this.down();
    await this.appliance.powerOff();
  }

  /** Exports and SSH are back, with an uptime that starts from zero. */
  async powerOn(): Promise<void> {
    await this.appliance.powerOn();
    await this.up();
  }

  async reboot(): Promise<void> {
    await this.powerOff();
    await this.powerOn();
  }

  /** Breaks all connections and goes on listening. */
  dropConnections(): void {
    this.#server.dropConnections();
  }

  /** Lets every login fail from now on, or no longer. */
  rejectAuthentication(reject: boolean): void {
    this.#users.rejectAll = reject;
  }

  /** What `/ip/ssh/regenerate-host-key` does; connections break. The keys of the next start stay as they were. */
  async changeHostKey(): Promise<void> {
    await this.down();
    this.#server.hostKeys = this.hostKeys.map(({ type }) => generateHostKey(type));
    await this.up();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    await this.appliance[Symbol.asyncDispose]();
    await this.#runner.idle();
    await this.appliance.backEnd.fabric.close();
  }

  #executeAs(user: User): Execute {
    const tree = this.appliance.menuTree(user.policies);
    return (line, signal, onCommand) => {
      const width = this.switches.get("output-width");
      const jsonStrings = this.switches.get("json-strings");
      return new Console(tree, { width, onCommand, jsonStrings }).execute(line, signal);
    };
  }
}

async function clientKeyOf(stateDirectory: string | undefined): Promise<ClientKey> {
  return stateDirectory === undefined ? generateClientKey() : storedClientKey(stateDirectory);
}

function isKeyless({ publicKeys }: UserOptions): boolean {
  return publicKeys.length === 0;
}

function withKey(user: UserOptions, key: ClientKey | undefined): UserOptions {
  return isKeyless(user) && key !== undefined ? { ...user, publicKeys: [key.publicKey] } : user;
}

async function hostKeysOf(options: ResolvedOptions): Promise<readonly HostKey[]> {
  const { hostKeys, hostKeyTypes, stateDirectory } = options;
  if (hostKeys !== undefined) return hostKeys.map(hostKeyFrom);
  if (stateDirectory !== undefined) return storedHostKeys(stateDirectory, hostKeyTypes);
  return hostKeyTypes.map(generateHostKey);
}

async function backEndOf(options: ResolvedOptions, switches: Switches): Promise<BackEnd> {
  const { backEnd, dataAddress: address, dataDirectory, stateDirectory } = options;
  if (backEnd === "memory") return memoryBackEnd();
  if (backEnd !== "files" && backEnd !== "nvmet") return backEnd;
  if (stateDirectory === undefined)
    throw new Error(`Cannot use back end "${backEnd}": it needs a state directory`);
  const data = dataDirectory ?? join(stateDirectory, "data");
  return backEnd === "nvmet"
    ? nvmetBackEnd({ data, address, switches })
    : directoryBackEnd({ data, state: stateDirectory });
}
