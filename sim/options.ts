import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { bytesOf, numberOf } from "#sim/appliance/argument-values.ts";
import type { BackEnd } from "#sim/appliance/back-end.ts";
import { type Policy, policies } from "#sim/appliance/policies.ts";
import type { PoolOptions } from "#sim/appliance/pool.ts";
import { deviceTiming, type SwitchValues, switchTable } from "#sim/appliance/switch-table.ts";
import { allowed, parseSwitch, switchNames } from "#sim/appliance/switches.ts";
import { parseVersion } from "#sim/appliance/version.ts";
import { type HostKeyType, hostKeyFrom } from "#sim/ssh/host-keys.ts";
import type { UserOptions } from "#sim/ssh/users.ts";

export interface SimulatorOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** RouterOS version, 7.16 or later, as RouterOS prints it. Default `7.24.1 (stable)`. */
  readonly version?: string;
  /** Name of a new appliance. Default `RDS2216`. */
  readonly identity?: string;
  /** Whether the storage package is installed. Default true. */
  readonly storagePackage?: boolean;
  /** Default one Btrfs pool `storage-pool` of 1 TiB. */
  readonly pools?: readonly PoolOptions[];
  /** Default one user `csi` with the policies ssh, read, write and test, and a generated key. */
  readonly users?: readonly UserOptions[];
  /** Where state, host keys and a generated client key survive a restart. Default nowhere. */
  readonly stateDirectory?: string;
  /**
   * `memory` keeps no bytes, `files` keeps images on this host, `nvmet` also exports them by this host's kernel.
   * Default `memory`.
   */
  readonly backEnd?: "memory" | "files" | "nvmet" | BackEnd;
  /** Where exports of the `nvmet` back end answer. Default `127.0.0.1`. */
  readonly dataAddress?: string;
  /** Images of `files` and `nvmet`, one directory per pool. Default `data` in the state directory. */
  readonly dataDirectory?: string;
  /** Private host keys, PEM. Default generated ones of `hostKeyTypes`. */
  readonly hostKeys?: readonly string[];
  /** Default ed25519 and RSA. */
  readonly hostKeyTypes?: readonly HostKeyType[];
  readonly switches?: Partial<SwitchValues>;
}

type WithoutDefault = "stateDirectory" | "dataDirectory" | "hostKeys";

/** Every option with its value. */
export type ResolvedOptions = Required<Omit<SimulatorOptions, WithoutDefault>> &
  Pick<SimulatorOptions, WithoutDefault>;

/** What a driver needs and no more. */
const leastPolicies: readonly Policy[] = ["ssh", "read", "write", "test"];

export function resolveOptions(options: SimulatorOptions): ResolvedOptions {
  return {
    host: "127.0.0.1",
    port: 0,
    version: "7.24.1 (stable)",
    identity: "RDS2216",
    storagePackage: true,
    pools: [{ mountPoint: "storage-pool", size: 2 ** 40 }],
    users: [{ name: "csi", policies: leastPolicies, publicKeys: [] }],
    backEnd: "memory",
    dataAddress: "127.0.0.1",
    hostKeyTypes: ["ed25519", "rsa"],
    switches: {},
    ...options,
  };
}

const flags = {
  host: { type: "string" },
  port: { type: "string" },
  state: { type: "string" },
  "back-end": { type: "string" },
  data: { type: "string" },
  "data-address": { type: "string" },
  "routeros-version": { type: "string" },
  "no-storage-package": { type: "boolean" },
  identity: { type: "string" },
  pool: { type: "string", multiple: true },
  user: { type: "string" },
  policies: { type: "string" },
  "authorized-key": { type: "string", multiple: true },
  "host-key": { type: "string", multiple: true },
  switch: { type: "string", multiple: true },
  profile: { type: "string" },
} as const;

type Flags = ReturnType<typeof parseArgs<{ options: typeof flags }>>["values"];

/** The help of `rds-csi simulator`, switches included. */
export function simulatorHelp(): string {
  const switches = switchNames().map((name) => {
    const definition = switchTable[name];
    const values = `${allowed(definition)}; default ${definition.default}`;
    return `  ${name} (${values})\n      ${definition.help}`;
  });
  return `${flagHelp}${switches.join("\n")}\n`;
}

const flagHelp = `Usage: rds-csi simulator [options]

A MikroTik ROSE Data Server without the hardware: the RouterOS console over real SSH, with disks,
files, Btrfs subvolumes and snapshots that behave as on the device, as far as that is known.

Options:
  --host ADDRESS            Address to listen on (default 127.0.0.1)
  --port PORT               Port to listen on, 0 for any free one (default 2222)
  --state DIRECTORY         Where configuration, host keys and the client key survive a restart
                            (default: nothing survives)
  --back-end memory|files|nvmet
                            What a disk is: an entry in the books; or a sparse file on this host that
                            is linked from <state>/exports while it is exported; or a sparse file that
                            the kernel of this host exports over real NVMe/TCP (default memory)
  --data DIRECTORY          Files of the back ends files and nvmet; on Btrfs, snapshots are real ones
                            (default <state>/data)
  --data-address ADDRESS    Where the exports of the nvmet back end answer, each on the port that its
                            disk names (default 127.0.0.1)
  --routeros-version TEXT   Version to imitate, 7.16 or later (default "7.24.1 (stable)")
  --no-storage-package      Leave the storage package out: no NVMe/TCP, no Btrfs
  --identity NAME           Name of a new appliance (default RDS2216)
  --pool NAME=SIZE[,KEY=VALUE…]
                            A mounted file system, such as pool=4T,fs=xfs; may be repeated. Keys: fs
                            (btrfs, xfs, ext4), label, raid (0, 1, 5, 6, 10, none), members. Sizes
                            are binary (default storage-pool=1T)
  --user NAME               The account (default csi)
  --policies LIST           Its policies (default ssh,read,write,test)
  --authorized-key FILE     A public key it may log in with; may be repeated (default: a new key pair,
                            kept in the state directory)
  --host-key FILE           A private host key, ed25519 or RSA; may be repeated (default: new ones,
                            kept in the state directory)
  --profile device          The timing of a real RDS2216: 0.2 s a command, 0.4 to 3 s a new disk
  --switch NAME=VALUE       Changes one of the doubtful behaviours below; may be repeated
  --help                    Show this text

Switches:
`;

/**
 * Reads the arguments of `rds-csi simulator`, without `--help`, and the key files that they name.
 * @throws {Error} naming the flag and its value.
 */
export function parseSimulatorArguments(argv: readonly string[]): SimulatorOptions {
  const { values } = parseArgs({ args: [...argv], options: flags });
  const read = <T>(flag: keyof Flags & string, text: string | undefined, from: Reader<T>) =>
    text === undefined ? undefined : readFlag(flag, text, from);
  return withoutUndefined<SimulatorOptions>({
    host: values.host,
    port: read("port", values.port ?? "2222", portFrom),
    version: read("routeros-version", values["routeros-version"], versionFrom),
    identity: values.identity,
    storagePackage: values["no-storage-package"] === true ? false : undefined,
    pools: values.pool?.map((text) => readFlag("pool", text, poolFrom)),
    users: usersFrom(values),
    stateDirectory: values.state,
    backEnd: read("back-end", values["back-end"], (text) =>
      oneOf(["memory", "files", "nvmet"], text),
    ),
    dataDirectory: values.data,
    dataAddress: read("data-address", values["data-address"], addressFrom),
    hostKeys: values["host-key"]?.map((path) => readFlag("host-key", path, hostKeyFromFile)),
    switches: switchesFrom(values),
  });
}

type Reader<T> = (text: string) => T;

function readFlag<T>(flag: string, text: string, from: Reader<T>): T {
  try {
    return from(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot use --${flag} "${text}": ${reason}`, { cause });
  }
}

function portFrom(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new RangeError("a port is a number of 0 to 65535");
}

function addressFrom(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new RangeError("an address is numbers, such as 10.0.0.1 or fd00::1");
}

function versionFrom(text: string): string {
  parseVersion(text);
  return text;
}

function poolFrom(text: string): PoolOptions {
  const [first = "", ...rest] = text.split(",");
  const [mountPoint = "", size = ""] = first.split("=");
  if (!/^[\w.-]+$/.test(mountPoint)) throw new RangeError("a pool is NAME=SIZE[,KEY=VALUE…]");
  const pool = { mountPoint, size: sizeFrom(size) };
  return Object.assign(pool, ...rest.map(poolKeyFrom));
}

function poolKeyFrom(text: string): Partial<PoolOptions> {
  const [key = "", value = ""] = text.split("=");
  switch (key) {
    case "fs":
      return { type: oneOf(["btrfs", "xfs", "ext4"], value) };
    case "label":
      return { label: value };
    case "raid":
      return { raid: value === "none" ? "none" : oneOf([0, 1, 5, 6, 10], Number(value)) };
    case "members":
      return { members: numberOf("members", value, [1, 20]) };
    default:
      throw new RangeError(`a pool has no "${key}"`);
  }
}

function sizeFrom(text: string): number {
  const bytes = /^\d/.test(text) ? bytesOf("size", text) : 0;
  if (bytes < 2 ** 20) throw new RangeError("a size is at least 1M, such as 500G or 4T");
  return bytes;
}

function usersFrom(values: Flags): readonly UserOptions[] | undefined {
  const { user: name = "csi", policies: list, "authorized-key": keys = [] } = values;
  const words = list?.split(",") ?? leastPolicies;
  return [
    {
      name,
      policies: words.map((word) => readFlag("policies", word, (text) => oneOf(policies, text))),
      publicKeys: keys.map((path) =>
        readFlag("authorized-key", path, () => readFileSync(path, "utf8").trim()),
      ),
    },
  ];
}

function hostKeyFromFile(path: string): string {
  const text = readFileSync(path, "utf8");
  hostKeyFrom(text);
  return text;
}

function switchesFrom(values: Flags): Partial<SwitchValues> {
  const profile = values.profile;
  if (profile !== undefined) readFlag("profile", profile, (text) => oneOf(["device"], text));
  const given = values.switch?.map((text) => readFlag("switch", text, parseSwitch)) ?? [];
  return Object.assign({}, profile === undefined ? {} : deviceTiming, ...given);
}

function oneOf<T>(allowedValues: readonly T[], value: unknown): T {
  const found = allowedValues.find((each) => each === value);
  if (found === undefined) throw new RangeError(`allowed is ${allowedValues.join(", ")}`);
  return found;
}

function withoutUndefined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  // What is left has the types of T; absent keys are optional there.
  return Object.fromEntries(present) as T;
}
