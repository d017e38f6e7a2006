import { Secret } from "#lib/secret.ts";
import { RouterOsAppliance, type RouterOsApplianceOptions } from "#routeros/appliance.ts";
import { policies } from "#sim/appliance/policies.ts";
import { Console } from "#sim/console/console.ts";
import type { SimulatorOptions } from "#sim/options.ts";
import { Simulator } from "#sim/simulator.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "./new-volume.ts";

/** A simulator and drivers that are connected to it by real SSH. */
export class SimulatedAppliance implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly #drivers: RouterOsAppliance[] = [];

  static async start(options: SimulatorOptions = {}): Promise<SimulatedAppliance> {
    const defaults: SimulatorOptions = { hostKeyTypes: ["ed25519"] };
    return new SimulatedAppliance(await Simulator.start({ ...defaults, ...options }));
  }

  private constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  /** Another driver, with a connection of its own. */
  driver(overrides: Partial<RouterOsApplianceOptions> = {}): RouterOsAppliance {
    const [hostKey] = this.simulator.hostKeys;
    const driver = new RouterOsAppliance({
      name: "rds1",
      idPrefix: undefined,
      address: "127.0.0.1",
      port: this.simulator.port,
      user: "csi",
      privateKey: new Secret(this.simulator.clientKey?.privateKey ?? ""),
      hostKey: hostKey?.fingerprint ?? "",
      pool: "storage-pool",
      baseDirectory: "csi",
      clusterId: "c1",
      data: { addresses: ["10.42.67.1"], port: 4420 },
      limits: { reserve: 0.1, emergency: 0.02, overprovision: 1 },
      channels: 1,
      queueLength: 100,
      connectTimeoutMs: 5_000,
      commandTimeoutMs: 5_000,
      ...overrides,
    });
    this.#drivers.push(driver);
    return driver;
  }

  /** A driver that has connected, probed and made its folders; statistics start after that. */
  async warmDriver(overrides: Partial<RouterOsApplianceOptions> = {}): Promise<RouterOsAppliance> {
    const driver = this.driver(overrides);
    const warmUp = newVolume("warm-up", { cluster: overrides.clusterId ?? "c1" });
    const volume = await driver.volumes.create(warmUp, testContext());
    await driver.volumes.delete(volume.slot, volume, testContext());
    this.simulator.statistics.reset();
    return driver;
  }

  /** Runs a line as an administrator would, past the driver. @throws what RouterOS says. */
  async run(line: string): Promise<string> {
    const console = new Console(this.simulator.appliance.menuTree(new Set(policies)), {
      width: 80,
    });
    const { output, failed, errorText } = await console.execute(line, new AbortController().signal);
    if (failed) throw new Error(errorText);
    return output;
  }

  /** The rows that a `print` shows, as JSON. */
  async rows(print: string): Promise<Record<string, unknown>[]> {
    return JSON.parse(
      await this.run(`:put [:serialize to=json options=json.no-string-conversion [${print}]]`),
    );
  }

  /** Takes space of the pool away, as other users of the appliance do. */
  occupy(bytes: number): void {
    this.simulator.appliance.occupy("storage-pool", bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const driver of this.#drivers) await driver[Symbol.asyncDispose]();
    await this.simulator[Symbol.asyncDispose]();
  }
}
