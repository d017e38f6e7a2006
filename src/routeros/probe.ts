import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import type { ApplianceStatus } from "./appliance-status.ts";
import { type Command, command } from "./command.ts";
import type { Console } from "./console.ts";
import { diskProperties, diskRow } from "./disk-row.ts";
import { type Fault, faultError } from "./faults.ts";
import { type JsonRecord, textOf } from "./json.ts";
import { canonicalPath } from "./paths.ts";
import { type PoolRow, poolOf } from "./pool-row.ts";
import { printJson } from "./queries.ts";
import { readRecords } from "./read-records.ts";
import { parseUptime, parseVersion, type RouterOsVersion } from "./version.ts";

/** Below it a target has no NQN of its own, so an old attachment could not be fenced off. */
const minimum: RouterOsVersion = { major: 7, minor: 21 };

/** The package's name changed from `rose-storage` to `storage` (RouterOS manual). */
const storagePackages = ["storage", "rose-storage"];

/** Finds out whether an appliance can serve, and says what is missing if it cannot. Changes nothing. */
export class Probe {
  readonly #name: string;
  readonly #mountPoint: string;
  readonly #console: Console;

  /** @param name - The appliance's name; for messages. */
  constructor(name: string, mountPoint: string, console: Console) {
    this.#name = name;
    this.#mountPoint = mountPoint;
    this.#console = console;
  }

  /**
   * Six round trips; done once per connection.
   * @throws {DriverError} `failed-precondition` for an old RouterOS or a missing package,
   * `permission-denied` naming the policy, `unavailable` while the pool is not mounted.
   */
  async status(ctx: Context): Promise<ApplianceStatus> {
    // In this order a user without the policy `read` is not told that `test` is missing.
    const identity = await this.#identity(ctx);
    const resource = await this.#resource(ctx);
    const version = textOf(resource, "version");
    this.#requireVersion(version);
    const storagePackage = await this.#storagePackage(ctx);
    await this.#requireTarget(ctx);
    await this.#requireWrite(ctx);
    const pool = await this.pool(ctx);
    return {
      version,
      board: textOf(resource, "board-name"),
      identity,
      uptimeSeconds: parseUptime(textOf(resource, "uptime")),
      storagePackage,
      pool,
      warnings: warningsAbout(pool),
    };
  }

  /** One round trip. @throws {DriverError} `unavailable` while nothing is mounted there. */
  async pool(ctx: Context): Promise<PoolRow> {
    const rows = await this.#records(
      command`/disk/print detail as-value proplist=${diskProperties} where mount-point=${canonicalPath(this.#mountPoint)}`,
      "read",
      ctx,
    );
    const pool = poolOf(rows.map(diskRow), this.#mountPoint);
    if (pool !== undefined) return pool;
    throw new DriverError(
      "unavailable",
      `Cannot use pool "${this.#mountPoint}" on appliance "${this.#name}": no disk is mounted there`,
    );
  }

  async #resource(ctx: Context): Promise<JsonRecord> {
    const [resource] = await this.#records(command`/system/resource/print as-value`, "test", ctx);
    return resource ?? {};
  }

  async #identity(ctx: Context): Promise<string> {
    const [identity] = await this.#records(command`/system/identity/print as-value`, "read", ctx);
    return textOf(identity ?? {}, "name");
  }

  async #storagePackage(ctx: Context): Promise<string> {
    const query = command`/system/package/print detail as-value proplist=name,version,disabled,available`;
    const packages = await this.#records(query, "read", ctx);
    const storage = packages.find(
      (one) => storagePackages.includes(textOf(one, "name")) && isInstalled(one),
    );
    if (storage !== undefined) return textOf(storage, "name");
    throw new DriverError(
      "failed-precondition",
      `Cannot use appliance "${this.#name}": the RouterOS package "storage" (formerly "rose-storage") is not installed`,
    );
  }

  #requireVersion(version: string): void {
    const { major, minor } = parseVersion(version) ?? { major: 0, minor: 0 };
    if (major > minimum.major || (major === minimum.major && minor >= minimum.minor)) return;
    throw new DriverError(
      "failed-precondition",
      `Cannot use appliance "${this.#name}": it runs RouterOS "${version}", and NVMe/TCP targets with a name of their own need 7.21 or later`,
    );
  }

  /** Lets the parser look at the arguments without running anything. */
  async #requireTarget(ctx: Context): Promise<void> {
    const add =
      "/disk/add type=file nvme-tcp-export=no nvme-tcp-server-port=4420 nvme-tcp-server-nqn=x";
    const reply = await this.#console.read(command`:put [:parse ${add}]`, ctx);
    const text = reply.ok ? reply.output : reply.fault.text;
    if (!/\(line \d+ column \d+\)/.test(text)) return;
    throw new DriverError(
      "failed-precondition",
      `Cannot use appliance "${this.#name}": RouterOS does not know the NVMe/TCP target arguments of "/disk/add" ("${text.trim()}")`,
    );
  }

  /** A change of the items that have two names at once, so of none; refused without the policy `write`. */
  async #requireWrite(ctx: Context): Promise<void> {
    const reply = await this.#console.read(
      command`/disk/set [find where slot="rds-csi" and slot="probe"] comment=""`,
      ctx,
    );
    if (!reply.ok) throw this.#failure(reply.fault, "write");
  }

  async #records(query: Command, policy: string, ctx: Context): Promise<JsonRecord[]> {
    const reply = await this.#console.read(printJson(query), ctx);
    if (!reply.ok) throw this.#failure(reply.fault, policy);
    return readRecords(reply.output, `read from appliance "${this.#name}"`);
  }

  #failure(fault: Fault, policy: string): DriverError {
    if (fault.type !== "denied") return faultError(`use appliance "${this.#name}"`, fault);
    return new DriverError(
      "permission-denied",
      `Cannot use appliance "${this.#name}": RouterOS says "${fault.text}"; the user's group lacks the policy "${policy}"`,
    );
  }
}

/** A package that could be installed is listed as available; a disabled one is not in use. */
function isInstalled(record: JsonRecord): boolean {
  return !["disabled", "available"].some((flag) => ["true", "yes"].includes(textOf(record, flag)));
}

function warningsAbout({ fs, fsLabel, mountPoint }: PoolRow): string[] {
  if (fs !== "btrfs")
    return [`Pool "${mountPoint}" has file system "${fs}": snapshots need "btrfs"`];
  if (fsLabel === "") return [`Pool "${mountPoint}" has no file system label: snapshots need one`];
  return [];
}
