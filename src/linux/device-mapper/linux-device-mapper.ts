import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type {
  DeviceMapper,
  Hold,
  HoldPaths,
  HoldQueue,
  HoldStatus,
} from "#domain/ports/device-mapper.ts";
import type { Context } from "#lib/context.ts";
import { sectorBytes } from "../disk-device.ts";
import { holdersOf } from "../holders.ts";
import type { Sysfs } from "../sysfs.ts";
import { toolFailure } from "../tool-failure.ts";
import { formatBareTable } from "./bare-table.ts";
import { limitDirtyPages } from "./dirty-limit.ts";
import { type Dmsetup, saysAbsent, saysBusy } from "./dmsetup.ts";
import { canHold, holdName } from "./hold-name.ts";
import { HoldReports } from "./hold-reports.ts";
import { type HoldTable, parseHoldTable } from "./hold-table.ts";
import { parseStatus } from "./multipath-status.ts";
import { formatTable } from "./multipath-table.ts";
import { readFailure } from "./read-failure.ts";
import { SysfsHolds } from "./sysfs-holds.ts";

/** For taking something back after the call itself may have ended. */
const undoLimitMs = 30_000;

export interface LinuxDeviceMapperParts {
  readonly dmsetup: Dmsetup;
  readonly sysfs: Sysfs;
  /** `/dev`; it must be the host's, where the kernel itself makes the nodes. */
  readonly dev: string;
  /** Device number of a node in `dev`. */
  readonly deviceNumberOf: (path: string) => string | undefined;
}

/**
 * Holds by dmsetup and sysfs. A hold is found by the NQN in its UUID and changed by its name, which is the same:
 * no call can reach another volume's. Finding takes no process.
 */
export class LinuxDeviceMapper implements DeviceMapper, HoldPaths, HoldQueue {
  readonly #dmsetup: Dmsetup;
  readonly #reports: HoldReports;
  readonly #sysfs: Sysfs;
  readonly #dev: string;
  readonly #deviceNumberOf: (path: string) => string | undefined;
  readonly #seen: SysfsHolds;

  constructor({ dmsetup, sysfs, dev, deviceNumberOf }: LinuxDeviceMapperParts) {
    this.#dmsetup = dmsetup;
    this.#reports = new HoldReports(dmsetup);
    this.#sysfs = sysfs;
    this.#dev = dev;
    this.#deviceNumberOf = deviceNumberOf;
    this.#seen = new SysfsHolds(sysfs, dev);
  }

  async create(device: BlockDevice, ctx: Context): Promise<Hold> {
    const { nqn, majorMinor } = device;
    const act = `Cannot hold "${nqn}"`;
    if (!canHold(nqn))
      throw new DriverError(
        "failed-precondition",
        `${act}: its NQN has ${nqn.length} characters, more than the name of a device can carry`,
      );
    if (this.#seen.find(nqn) === undefined) await this.#create(device, act, ctx);
    const hold = this.#require(nqn, act);
    const { device: under } = await this.#deviceTable(nqn, act, ctx);
    if (under !== majorMinor)
      throw new DriverError("already-exists", `${act}: it lies on ${under}, not on ${majorMinor}`);
    if (this.#deviceNumberOf(hold.path) !== hold.majorMinor)
      throw new DriverError(
        "failed-precondition",
        `${act}: "${hold.path}" is not ${hold.majorMinor}; "${this.#dev}" must be the host's`,
      );
    limitDirtyPages(this.#sysfs, hold.majorMinor, ctx);
    return hold;
  }

  async find(nqn: Nqn, _ctx: Context): Promise<Hold | undefined> {
    return this.#seen.find(nqn);
  }

  async list(_ctx: Context): Promise<readonly Hold[]> {
    return this.#seen.list().sort((a, b) => (a.nqn < b.nqn ? -1 : 1));
  }

  async status(nqn: Nqn, ctx: Context): Promise<HoldStatus> {
    const act = `Cannot read the state of hold "${nqn}"`;
    const name = holdName(nqn);
    try {
      const { device, queueing, bare } = await this.#deviceTable(nqn, act, ctx);
      const paths = bare
        ? (["active"] as const)
        : parseStatus(await this.#reports.status(name, ctx));
      return { device, paths, queueing };
    } catch (error) {
      throw readFailure(act, error);
    }
  }

  async remove(nqn: Nqn, ctx: Context): Promise<void> {
    if (!canHold(nqn)) return;
    try {
      await this.#dmsetup.remove(holdName(nqn), ctx);
    } catch (error) {
      if (saysAbsent(error)) return;
      const act = `Cannot remove hold "${nqn}"`;
      if (!saysBusy(error, "remove")) throw toolFailure(act, error, "unavailable");
      throw new DriverError("unavailable", `${act}: it is open`, { cause: error });
    }
  }

  async swap(device: BlockDevice, isStill: () => boolean, ctx: Context): Promise<void> {
    const act = `Cannot put hold "${device.nqn}" on ${device.majorMinor}`;
    const hold = this.#require(device.nqn, act);
    if (device.sizeBytes < hold.sizeBytes)
      throw new DriverError(
        "failed-precondition",
        `${act}: it has ${device.sizeBytes} bytes, the hold has ${hold.sizeBytes}`,
      );
    const change = { act, isStill, ctx };
    await this.#replaceTable(hold, { ...device, sizeBytes: hold.sizeBytes }, change);
  }

  async grow(device: BlockDevice, ctx: Context): Promise<void> {
    const act = `Cannot grow hold "${device.nqn}" to ${device.sizeBytes} bytes`;
    const hold = this.#require(device.nqn, act);
    if (device.sizeBytes < hold.sizeBytes)
      throw new DriverError("out-of-range", `${act}: it has ${hold.sizeBytes} already`);
    if (device.sizeBytes === hold.sizeBytes) return;
    await this.#replaceTable(hold, device, { act, ctx });
  }

  async resume(nqn: Nqn, ctx: Context): Promise<void> {
    const act = `Cannot resume hold "${nqn}"`;
    const hold = this.#require(nqn, act);
    try {
      await this.#resume(hold, ctx);
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
  }

  async reinstate(nqn: Nqn, ctx: Context): Promise<void> {
    const { device } = await this.#deviceTable(nqn, `Cannot reinstate hold "${nqn}"`, ctx);
    await this.#message(nqn, `reinstate_path ${device}`, ctx);
  }

  async passErrors(nqn: Nqn, ctx: Context): Promise<void> {
    const act = `Cannot pass on the errors of hold "${nqn}"`;
    const hold = this.#require(nqn, act);
    const { device, queueing } = await this.#deviceTable(nqn, act, ctx);
    if (!queueing)
      throw new DriverError("failed-precondition", `${act}: it passes them on already`);
    const sectors = hold.sizeBytes / sectorBytes;
    await this.#takeTable(hold, formatBareTable({ sectors, device }), { act, ctx });
    // Taking a table waits for what is in flight. This one is taken also when the call has ended meanwhile.
    const undo = { ...ctx, signal: AbortSignal.timeout(undoLimitMs) };
    await this.#takeTable(hold, formatTable(sectors, device), { act, ctx: undo });
  }

  async failQueue(nqn: Nqn, ctx: Context): Promise<void> {
    await this.#message(nqn, "fail_if_no_path", ctx);
  }

  async park(nqn: Nqn, ctx: Context): Promise<void> {
    const act = `Cannot park hold "${nqn}"`;
    if (this.#require(nqn, act).suspended) return;
    try {
      await this.#dmsetup.suspend(holdName(nqn), ctx);
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
  }

  async queueAgain(nqn: Nqn, ctx: Context): Promise<void> {
    const act = `Cannot let hold "${nqn}" queue again`;
    const hold = this.#require(nqn, act);
    const { device, sectors, bare } = await this.#table(nqn, act, ctx);
    if (!bare || device === undefined) await this.#message(nqn, "queue_if_no_path", ctx);
    else await this.#takeTable(hold, formatTable(sectors, device), { act, ctx });
  }

  /** In a bare hold nothing waits, and nobody takes messages. */
  async #message(nqn: Nqn, text: string, ctx: Context): Promise<void> {
    const act = `Cannot tell hold "${nqn}" to ${text}`;
    const hold = this.#require(nqn, act);
    try {
      await this.#resume(hold, ctx);
      if ((await this.#table(nqn, act, ctx)).bare) return;
      await this.#dmsetup.message(holdName(nqn), text, ctx);
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
  }

  async #deviceTable(nqn: Nqn, act: string, ctx: Context) {
    const { device, ...table } = await this.#table(nqn, act, ctx);
    if (device === undefined) throw new DriverError("internal", `${act}: its table is empty`);
    return { ...table, device };
  }

  async #table(nqn: Nqn, act: string, ctx: Context): Promise<HoldTable> {
    try {
      return parseHoldTable(await this.#reports.table(holdName(nqn), ctx));
    } catch (error) {
      throw readFailure(act, error);
    }
  }

  /** What an interrupted attempt may have left has no table in use yet, so nothing can be lost with it. */
  async #create(device: BlockDevice, act: string, ctx: Context): Promise<void> {
    const name = holdName(device.nqn);
    const table = formatTable(device.sizeBytes / sectorBytes, device.majorMinor);
    this.#requireFree(device, act);
    try {
      await this.#dmsetup.create(name, table, ctx).catch(async (error: unknown) => {
        if (!saysBusy(error, "create")) throw error;
        await this.#dmsetup.remove(name, ctx);
        await this.#dmsetup.create(name, table, ctx);
      });
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
  }

  /** The kernel checks the size only when it takes the table, and then leaves the device suspended. */
  async #replaceTable(hold: Hold, device: BlockDevice, change: Change): Promise<void> {
    const { act } = change;
    const blockBytes = this.#sysfs.readNumber(
      ...["dev", "block", hold.majorMinor, "queue", "logical_block_size"],
    );
    if (blockBytes !== device.blockBytes)
      throw new DriverError(
        "failed-precondition",
        `${act}: its blocks have ${device.blockBytes} bytes, those of the hold ${blockBytes}`,
      );
    this.#requireFree(device, act);
    const table = formatTable(device.sizeBytes / sectorBytes, device.majorMinor);
    await this.#takeTable(hold, table, change);
  }

  /** What fails half-way is taken back: the table in use stays so. */
  async #takeTable(hold: Hold, table: string, { act, isStill, ctx }: Change): Promise<void> {
    const name = holdName(hold.nqn);
    try {
      await this.#dmsetup.load(name, table, ctx);
      if (isStill?.() === false)
        throw new DriverError("unavailable", `${act}: the number is not its device's any more`);
      await this.#dmsetup.resume(name, ctx);
    } catch (error) {
      await this.#rollBack(hold, ctx);
      throw toolFailure(act, error, "unavailable");
    }
  }

  /**
   * Other device-mapper devices, such as LVM's, would share the device with the hold: the kernel allows them to. What was made to
   * be this hold, and got no further than to load its table, is on the device already.
   */
  #requireFree({ nqn, majorMinor }: BlockDevice, act: string): void {
    const holders = holdersOf(this.#sysfs, "dev", "block", majorMinor);
    const others = holders.filter((name) => !this.#seen.isMadeFor(nqn, name));
    if (others.length === 0) return;
    const who = others.map((name) => this.#describe(name)).join(" and ");
    throw new DriverError("failed-precondition", `${act}: ${majorMinor} is in use by ${who}`);
  }

  /** `"dm-3" (vg0-root)`: the name by which an administrator knows it. */
  #describe(name: string): string {
    const alias = this.#sysfs.read("block", name, "dm", "name");
    return alias === undefined ? `"${name}"` : `"${name}" (${alias})`;
  }

  /** Runs even when the call has ended; what failed first is what the caller shall hear. */
  async #rollBack(hold: Hold, ctx: Context): Promise<void> {
    const undo = { ...ctx, signal: AbortSignal.timeout(undoLimitMs) };
    try {
      await this.#dmsetup.clear(holdName(hold.nqn), undo);
      await this.#resume(this.#require(hold.nqn, "Cannot roll back"), undo);
    } catch (error) {
      ctx.log.error({ nqn: hold.nqn, error: String(error) }, "Cannot resume a hold: its I/O waits");
    }
  }

  /** Back to the table in use; one that was only loaded has not been proved good. */
  async #resume(hold: Hold, ctx: Context): Promise<void> {
    if (!hold.suspended) return;
    await this.#dmsetup.clear(holdName(hold.nqn), ctx);
    await this.#dmsetup.resume(holdName(hold.nqn), ctx);
  }

  #require(nqn: Nqn, act: string): Hold {
    const hold = this.#seen.find(nqn);
    if (hold === undefined) throw new DriverError("not-found", `${act}: there is none`);
    return hold;
  }
}

interface Change {
  readonly act: string;
  /** Of a device that the hold did not lie on before. */
  readonly isStill?: () => boolean;
  readonly ctx: Context;
}
