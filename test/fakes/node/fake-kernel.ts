import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { FakeDisk } from "./fake-disk.ts";

/** `nvme_core.io_timeout`, and some time. */
const longestCommandMs = 35_000;

/** A namespace's disk in the kernel. Mounts keep it, and its number, after its controller has gone. */
export interface FakeDevice {
  readonly nqn: Nqn;
  readonly path: string;
  readonly majorMinor: string;
  /** Of a hold: that of the device which it lies on. */
  disk: FakeDisk;
  /** As the kernel believes; a grown disk is seen after a rescan. */
  sizeBytes: number;
  isReadOnly: boolean;
}

/** A device-mapper device: mounts keep it in use, and what is written to it in an outage waits in it. */
export interface FakeHold extends FakeDevice {
  under: FakeDevice;
  isQueueing: boolean;
  isSuspended: boolean;
  /** Files that pods have written and that have not reached the disk. */
  readonly waiting: Map<string, string>;
  /** A tool, such as mount, has it open and sleeps until its I/O has gone through or failed. */
  toolWaits: boolean;
}

export interface FakeController {
  readonly nqn: Nqn;
  state: "live" | "connecting";
  /** It says that it is live, and broke while it was made: nothing is answered until it is made anew. */
  isMute?: boolean;
  /** Commands are under way on it, all the time. */
  isBusy?: boolean;
  /** Missing for a subsystem without namespace: an orphan. */
  device: FakeDevice | undefined;
}

export interface FakeMount extends Mount {
  /** Whose file system it is; `undefined` for the host's own. */
  readonly device: FakeDevice | FakeHold | undefined;
  /** The bind-mounted device node, as a number. */
  readonly node: string | undefined;
}

/**
 * The part of a Linux kernel that a CSI driver deals with: exports it can connect to, disks with names and
 * numbers that are used again, and one mount table. It obeys every order, as Linux does, and writes down in
 * `damage` what an administrator would have to explain.
 */
export class FakeKernel {
  /** What the appliance exports at the moment. */
  readonly exports = new Map<Nqn, FakeDisk>();
  readonly controllers = new Map<Nqn, FakeController>();
  /** What targets call their namespaces now. */
  readonly identities = new Map<Nqn, string>();
  mounts: FakeMount[] = [];
  /** Paths that are there and cannot be looked at. */
  readonly hidden = new Set<string>();
  /** Devices that somebody else has stacked on one, by its number. */
  readonly holders = new Map<string, string[]>();
  readonly holds = new Map<Nqn, FakeHold>();
  /** NQNs whose hold was cut short while it was made: on the device, and without a size. */
  readonly halfHolds = new Set<Nqn>();
  /** Targets that cannot be unmounted now. */
  readonly busy = new Set<string>();
  /** File systems whose last mount has left the table while their device did not answer: they write back when it does. */
  readonly writingBack = new Set<FakeDevice>();
  /** Of tools that rewrite a disk, and of file systems that are mounted where this mount table does not show it. */
  readonly claims = new Set<FakeDevice>();
  readonly damage: string[] = [];
  readonly knownFilesystems = new Set(["ext3", "ext4", "xfs", "btrfs"]);
  /** As before Linux 6.7: no second Btrfs with one UUID. */
  refusesBtrfsTwins = false;
  /** Namespaces do not show up by themselves. */
  hidesNamespaces = false;
  /** NQNs of connections that were made anew, in order. */
  readonly resets: Nqn[] = [];
  /** New connections are live and answer nothing. */
  staysMute = false;
  /** Disconnecting is answered with success and does nothing. */
  keepsControllers = false;

  connect(nqn: Nqn): void {
    if (this.controllers.get(nqn)?.state === "live") return;
    const disk = this.exports.get(nqn);
    if (disk === undefined || this.controllers.has(nqn))
      throw new DriverError("unavailable", `Cannot connect "${nqn}": no answer`);
    const device = this.hidesNamespaces ? undefined : this.#newDevice(nqn, disk);
    this.controllers.set(nqn, { nqn, state: "live", device, isMute: this.staysMute });
  }

  /** Connects a live controller anew, under its device. */
  reset(nqn: Nqn, silentMs: number): void {
    const controller = this.controllers.get(nqn);
    if (controller?.state !== "live")
      throw new DriverError(
        "unavailable",
        `Cannot reset the connection to "${nqn}": it is not live`,
      );
    if (controller.isBusy === true && silentMs <= longestCommandMs)
      throw new DriverError(
        "unavailable",
        `Cannot reset the connection to "${nqn}": commands are under way`,
      );
    this.resets.push(nqn);
    controller.isMute = this.staysMute;
    this.restore(nqn, { renumbered: false });
  }

  disconnect(nqn: Nqn): void {
    const device = this.controllers.get(nqn)?.device;
    if (device !== undefined && this.exports.has(nqn) && this.mountsOf(device).length > 0)
      this.damage.push(`disconnected ${nqn} under a mount`);
    const hold = this.holds.get(nqn);
    for (const disk of [device, hold])
      if (disk !== undefined && this.isLive(disk) && this.claims.has(disk))
        this.damage.push(`disconnected ${nqn} under its only user`);
    if (hold !== undefined && this.isLive(hold) && this.mountsOf(hold).length > 0)
      this.damage.push(`disconnected ${nqn} under its hold`);
    if (!this.keepsControllers) this.controllers.delete(nqn);
    if (hold !== undefined) this.settle(hold);
  }

  /** The connection is lost; the kernel keeps trying, and the device stays with all its I/O waiting. */
  lose(nqn: Nqn): void {
    const controller = this.controllers.get(nqn);
    if (controller !== undefined) controller.state = "connecting";
  }

  /** The kernel has given up: the device is gone, its mounts are stale. */
  drop(nqn: Nqn): void {
    this.controllers.delete(nqn);
    const hold = this.holds.get(nqn);
    if (hold !== undefined) this.settle(hold);
  }

  /** A lost connection is back. @param renumbered - with a new namespace identity: a new device. */
  restore(nqn: Nqn, { renumbered }: { readonly renumbered: boolean }): void {
    const controller = this.controllers.get(nqn);
    const disk = this.exports.get(nqn);
    if (disk === undefined) this.drop(nqn);
    else if (controller !== undefined) {
      controller.state = "live";
      if (renumbered) controller.device = this.#newDevice(nqn, disk);
    }
    const hold = this.holds.get(nqn);
    if (hold !== undefined) this.settle(hold);
  }

  /** What has waited in a hold reaches the disk when that answers, and is lost when nothing waits any more. */
  settle(hold: FakeHold): void {
    if (this.mayWait(hold)) return;
    if (this.isLive(hold))
      for (const [name, content] of hold.waiting) hold.disk.files.set(name, content);
    hold.waiting.clear();
  }

  /** I/O waits in the hold, or in a namespace whose controller tries to reconnect. */
  mayWait(device: FakeDevice | FakeHold): boolean {
    if (this.isLive(device)) return "under" in device && device.isSuspended;
    const lowest = "under" in device ? device.under : device;
    const controller = this.controllers.get(device.nqn);
    const isWaiting = controller?.state === "connecting" || controller?.isMute === true;
    const inNamespace = controller?.device === lowest && isWaiting;
    return inNamespace || ("under" in device && (device.isQueueing || device.isSuspended));
  }

  rescan(nqn: Nqn): void {
    const controller = this.controllers.get(nqn);
    const disk = this.exports.get(nqn);
    if (controller?.state !== "live" || disk === undefined)
      throw new DriverError("unavailable", `Cannot rescan "${nqn}": no live controller`);
    if (controller.isMute === true) return;
    controller.device ??= this.#newDevice(nqn, disk);
    controller.device.sizeBytes = disk.sizeBytes;
  }

  /** Power off and on: connections and mounts are gone, journals are dirty. */
  reboot(): void {
    for (const { device, options } of this.mounts)
      if (device !== undefined && !options.includes("ro")) device.disk.isJournalDirty = true;
    this.mounts = [];
    this.holds.clear();
    this.controllers.clear();
    this.busy.clear();
  }

  /** The device behind a node in `/dev`; absent once its controller has gone. */
  deviceAt(path: string): FakeDevice | FakeHold | undefined {
    return this.#present().find((device) => device.path === path);
  }

  /** Whether a device has this number now: one of a mount that is dead has left. */
  has(majorMinor: string): boolean {
    return this.#present().some((device) => device.majorMinor === majorMinor);
  }

  /** Whether it answers. */
  isLive(device: FakeDevice | FakeHold): boolean {
    if ("under" in device) return this.isLive(device.under);
    return this.#looksLive(device) && this.controllers.get(device.nqn)?.isMute !== true;
  }

  #looksLive(device: FakeDevice): boolean {
    const controller = this.controllers.get(device.nqn);
    return (
      controller?.device === device &&
      controller.state === "live" &&
      this.exports.get(device.nqn) === device.disk
    );
  }

  /** What sysfs shows of a device whose connection is live. */
  find(nqn: Nqn): BlockDevice | undefined {
    const device = this.controllers.get(nqn)?.device;
    if (device === undefined || !this.#looksLive(device)) return undefined;
    const { path, majorMinor, sizeBytes } = device;
    const identity = this.identities.get(nqn);
    const named = identity === undefined ? {} : { identity };
    return { nqn, path, majorMinor, sizeBytes, blockBytes: 512, ...named };
  }

  /** Mounts of its file system, and of its node. */
  mountsOf(device: FakeDevice): FakeMount[] {
    return this.mounts.filter(
      (mount) => mount.device === device || mount.node === device.majorMinor,
    );
  }

  /** Whether a file system or another device has it to itself. */
  isClaimed(device: FakeDevice): boolean {
    const isMounted =
      this.claims.has(device) || this.mounts.some((mount) => mount.device === device);
    const isWaiting = this.writingBack.has(device) && this.mayWait(device);
    return isMounted || isWaiting || this.holdersOf(device.majorMinor).length > 0;
  }

  /** Names of the devices on top of a device: other people's, and the hold that lies on it. */
  holdersOf(majorMinor: string): string[] {
    const holds = [...this.holds.values()].filter(({ under }) => under.majorMinor === majorMinor);
    const names = holds.map(({ path }) => path.slice("/dev/".length));
    const devices = [...this.controllers.values()].flatMap(({ device }) => device ?? []);
    const halves = devices.filter(
      (device) => device.majorMinor === majorMinor && this.halfHolds.has(device.nqn),
    );
    return [...(this.holders.get(majorMinor) ?? []), ...names, ...halves.map(() => "dm-9")];
  }

  #present(): (FakeDevice | FakeHold)[] {
    const devices = [...this.controllers.values()].flatMap(({ device }) => device ?? []);
    return [...devices, ...this.holds.values()];
  }

  /** Lowest free name and number, as the kernel does: so they come back as somebody else's. */
  #newDevice(nqn: Nqn, disk: FakeDisk): FakeDevice {
    const mounted = this.mounts.flatMap(({ device }) => device ?? []);
    const held = [...this.holds.values()].map(({ under }) => under);
    const taken = [...this.#present(), ...mounted, ...held];
    let index = 0;
    while (taken.some(({ path }) => path === `/dev/nvme${index}n1`)) index++;
    const [path, majorMinor] = [`/dev/nvme${index}n1`, `259:${index}`];
    return { nqn, path, majorMinor, disk, sizeBytes: disk.sizeBytes, isReadOnly: false };
  }
}
