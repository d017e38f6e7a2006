import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError, type FailureKind } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Hold, HoldStatus } from "#domain/ports/device-mapper.ts";
import type { Context } from "#lib/context.ts";
import type { Holds } from "#node/host.ts";
import type { FakeDevice, FakeHold, FakeKernel } from "./fake-kernel.ts";

/** Holds in the fake kernel. They obey, also where that lets one node's writes reach another's data. */
export class MemoryDeviceMapper implements Holds {
  readonly #kernel: FakeKernel;
  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  async create(device: BlockDevice, ctx: Context): Promise<Hold> {
    ctx.signal.throwIfAborted();
    const { nqn, majorMinor } = device;
    const act = `Cannot hold "${nqn}"`;
    const existing = this.#kernel.holds.get(nqn);
    if (existing !== undefined && existing.under.majorMinor !== majorMinor)
      throw refusal("already-exists", `${act}: it lies on ${existing.under.majorMinor}`);
    if (existing !== undefined) return asHold(existing);
    const under = this.#present(device, act);
    if (this.#kernel.holdersOf(majorMinor).length > 0)
      throw refusal("failed-precondition", `${act}: ${majorMinor} is in use`);
    if (this.#kernel.mounts.some((mount) => mount.device === under))
      throw refusal("unavailable", `${act}: ${majorMinor} is mounted`);
    const hold = this.#newHold(nqn, under);
    this.#kernel.holds.set(nqn, hold);
    return asHold(hold);
  }

  async find(nqn: Nqn, _ctx: Context): Promise<Hold | undefined> {
    const hold = this.#kernel.holds.get(nqn);
    return hold && asHold(hold);
  }

  async list(_ctx: Context): Promise<readonly Hold[]> {
    const holds = [...this.#kernel.holds.values()].map(asHold);
    return holds.sort((a, b) => (a.nqn < b.nqn ? -1 : 1));
  }

  async status(nqn: Nqn, _ctx: Context): Promise<HoldStatus> {
    const hold = this.#require(nqn);
    const { under, isQueueing, isSuspended, waiting } = hold;
    // what waits in a namespace that is being connected has failed no path
    const controller = this.#kernel.controllers.get(nqn);
    const isRefused = controller?.isMute === true && waiting.size > 0;
    const path = controller?.device === under && !isRefused ? "active" : "failed";
    return {
      device: under.majorMinor,
      paths: [path, path],
      queueing: isQueueing && !isSuspended,
    };
  }

  async remove(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#kernel.halfHolds.delete(nqn);
    const hold = this.#kernel.holds.get(nqn);
    if (hold === undefined) return;
    if (this.#openCount(hold) > 0)
      throw refusal("unavailable", `Cannot remove hold "${nqn}": it is open`);
    if (this.#kernel.mountsOf(hold).length > 0)
      this.#kernel.damage.push(`removed the hold of ${nqn} under a pod`);
    this.#kernel.holds.delete(nqn);
  }

  async swap(device: BlockDevice, isStill: () => boolean, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const act = `Cannot put hold "${device.nqn}" on ${device.majorMinor}`;
    const hold = this.#require(device.nqn);
    const under = this.#present(device, act);
    if (device.sizeBytes < hold.sizeBytes)
      throw refusal("failed-precondition", `${act}: it has ${device.sizeBytes} bytes`);
    this.#requireFree(under, hold, act);
    if (!isStill()) throw refusal("unavailable", `${act}: the number is not its device's any more`);
    if (under.nqn !== hold.nqn)
      this.#kernel.damage.push(`put the hold of ${hold.nqn} on ${under.nqn}`);
    Object.assign(hold, { under, disk: under.disk, isQueueing: true, isSuspended: false });
    this.#kernel.settle(hold);
  }

  async grow(device: BlockDevice, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const act = `Cannot grow hold "${device.nqn}"`;
    const hold = this.#require(device.nqn);
    if (device.sizeBytes < hold.sizeBytes)
      throw refusal("out-of-range", `${act}: it has ${hold.sizeBytes} bytes already`);
    if (device.sizeBytes === hold.sizeBytes) return;
    if (this.#present(device, act) !== hold.under)
      this.#kernel.damage.push(`grew the hold of ${hold.nqn} onto another device`);
    hold.sizeBytes = device.sizeBytes;
  }

  async resume(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const hold = this.#require(nqn);
    hold.isSuspended = false;
    this.#kernel.settle(hold);
  }

  async reinstate(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#kernel.settle(this.#require(nqn));
  }

  /** What the disk cannot serve is no part of this fake: whoever waits on a live device is served. */
  async passErrors(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const hold = this.#require(nqn);
    if (!hold.isQueueing) throw refusal("failed-precondition", "Cannot pass on errors: it does");
    if (!this.#kernel.isLive(hold.under)) hold.waiting.clear();
    hold.isSuspended = false;
    this.#kernel.settle(hold);
  }

  async failQueue(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const hold = this.#require(nqn);
    Object.assign(hold, { isQueueing: false, isSuspended: false });
    this.#kernel.settle(hold);
  }

  async park(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#require(nqn).isSuspended = true;
  }

  async queueAgain(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#require(nqn).isQueueing = true;
  }

  #require(nqn: Nqn): FakeHold {
    const hold = this.#kernel.holds.get(nqn);
    if (hold === undefined) throw refusal("not-found", `Cannot use hold "${nqn}": there is none`);
    return hold;
  }

  #present({ path, majorMinor }: BlockDevice, act: string): FakeDevice {
    const device = this.#kernel.deviceAt(path);
    if (device?.majorMinor === majorMinor) return device;
    throw refusal("unavailable", `${act}: "${path}" is gone`);
  }

  #requireFree({ majorMinor }: FakeDevice, hold: FakeHold, act: string): void {
    const others = this.#kernel
      .holdersOf(majorMinor)
      .filter((name) => `/dev/${name}` !== hold.path);
    if (others.length > 0) throw refusal("failed-precondition", `${act}: ${majorMinor} is in use`);
  }

  /** A file system opens its device once; who has a node bind-mounted may have opened it or not. */
  #openCount(hold: FakeHold): number {
    const isAsleep = hold.toolWaits && hold.isQueueing && !this.#kernel.isLive(hold.under);
    return isAsleep || this.#kernel.isClaimed(hold) ? 1 : 0;
  }

  #newHold(nqn: Nqn, under: FakeDevice): FakeHold {
    let index = 0;
    while (this.#kernel.deviceAt(`/dev/dm-${index}`) !== undefined) index++;
    const { disk, sizeBytes } = under;
    const name = { nqn, path: `/dev/dm-${index}`, majorMinor: `253:${index}` };
    const state = { isReadOnly: false, isQueueing: true, isSuspended: false, toolWaits: false };
    return { ...name, ...state, disk, sizeBytes, under, waiting: new Map() };
  }
}

function asHold({ nqn, path, majorMinor, sizeBytes, isSuspended }: FakeHold): Hold {
  return { nqn, path, majorMinor, sizeBytes, suspended: isSuspended };
}

function refusal(kind: FailureKind, message: string): DriverError {
  return new DriverError(kind, message);
}
