import { DriverError } from "#domain/errors.ts";
import type { BindRequest, Mount, MountRequest, Mounts } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import type { FakeDevice, FakeKernel, FakeMount } from "./fake-kernel.ts";
import type { MemoryHostPaths } from "./memory-host-paths.ts";

const noReplay = ["noload", "norecovery", "rescue=nologreplay"];
const filesystemOptions = /^(noload|norecovery|nouuid|rescue=|data=|commit=|discard)/;

/** A mount table that stacks mounts, resolves bind mounts, and keeps stale ones, to mimic Linux. */
export class MemoryMounts implements Mounts {
  readonly #kernel: FakeKernel;
  readonly #paths: MemoryHostPaths;
  #anonymous = 40;

  constructor(kernel: FakeKernel, paths: MemoryHostPaths) {
    this.#kernel = kernel;
    this.#paths = paths;
  }

  async list(_ctx: Context): Promise<readonly Mount[]> {
    return this.#kernel.mounts.map(({ device: _device, node: _node, ...mount }) => mount);
  }

  async mount({ source, target, fsType, options }: MountRequest, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const act = `Cannot mount "${source}" on "${target}"`;
    if (!this.#kernel.knownFilesystems.has(fsType))
      throw new DriverError("failed-precondition", `${act}: unknown filesystem type '${fsType}'`);
    const device = this.#kernel.deviceAt(source);
    if (device !== undefined && this.#isTaken(device))
      throw new DriverError("failed-precondition", `${act}: already mounted or mount point busy`);
    const obstacle = device ? this.#obstacle(device, fsType, options) : "no such device";
    if (device === undefined || obstacle !== undefined)
      throw new DriverError("internal", `${act}: ${obstacle}`);
    if (this.#paths.kindNow(target) !== "directory")
      throw new DriverError("internal", `${act}: mount point does not exist`);
    const mounted = this.#kernel.mounts.find((mount) => mount.device === device);
    if (!options.includes("ro")) device.disk.isJournalDirty = false;
    this.#kernel.mounts.push({
      target,
      root: "/",
      majorMinor: mounted?.majorMinor ?? this.#numberFor(device, fsType),
      fsType,
      source,
      options: perMount(options),
      superOptions: [
        options.includes("ro") ? "ro" : "rw",
        ...options.filter((option) => option === "nouuid"),
      ],
      device,
      node: undefined,
    });
  }

  async bind({ source, target, options }: BindRequest, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const origin = this.#nodeMount(source) ?? this.#folderMount(source);
    const wanted = origin.node === undefined ? "directory" : "file";
    if (this.#paths.kindNow(target) !== wanted)
      throw new DriverError(
        "internal",
        `Cannot bind "${source}" to "${target}": no ${wanted} there`,
      );
    this.#kernel.mounts.push({ ...origin, target, options: ["rw", ...perMount(options)] });
  }

  async unmount(target: string, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const mount = this.#topmost(target);
    if (mount === undefined) return;
    if (this.#kernel.busy.has(target))
      throw new DriverError("unavailable", `Cannot unmount "${target}": target is busy`);
    const { device } = mount;
    const mustWait = this.#mustWait(mount);
    this.#remove(mount);
    if (device === undefined || !mustWait) return;
    this.#kernel.writingBack.add(device);
    throw new DriverError(
      "unavailable",
      `Cannot unmount "${target}": umount was ended with the call`,
    );
  }

  async detach(target: string, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const mount = this.#topmost(target);
    if (mount === undefined) return;
    const { device } = mount;
    const mayServe = device !== undefined && (!("under" in device) || this.#kernel.mayWait(device));
    if (mayServe && this.#kernel.deviceAt(mount.source) === device)
      this.#kernel.damage.push(`detached a mount of ${mount.source}, which is there`);
    this.#remove(mount);
  }

  #obstacle(device: FakeDevice, fsType: string, options: readonly string[]): string | undefined {
    const { disk } = device;
    if (!this.#kernel.isLive(device)) return "can't read superblock";
    if (disk.isHalfMade || disk.content.kind !== "filesystem" || disk.content.fsType !== fsType)
      return "wrong fs type, bad superblock";
    if (disk.isDamaged) return "structure needs cleaning";
    const twin = this.#twinObstacle(device, fsType, options);
    if (twin !== undefined) return twin;
    if (device.isReadOnly && !options.includes("ro")) return "write-protected";
    const replays = disk.isJournalDirty && !options.some((option) => noReplay.includes(option));
    return device.isReadOnly && replays ? "cannot replay the journal" : undefined;
  }

  #isTaken(device: FakeDevice): boolean {
    return this.#kernel.holdersOf(device.majorMinor).length > 0 || this.#kernel.claims.has(device);
  }

  #twinObstacle(device: FakeDevice, fsType: string, options: readonly string[]) {
    if (!this.#hasTwin(device)) return undefined;
    if (fsType === "btrfs" && this.#kernel.refusesBtrfsTwins) return "File exists";
    const isCompared = fsType === "xfs" && !options.includes("nouuid");
    return isCompared ? "wrong fs type, bad superblock (duplicate UUID)" : undefined;
  }

  /**
   * Whether a file system with the same UUID is mounted from another device, and was compared: a copy of it, or itself
   * from a device that has left and is kept by that mount.
   */
  #hasTwin(device: FakeDevice): boolean {
    const compared = this.#kernel.mounts.filter(
      ({ superOptions }) => !superOptions.includes("nouuid"),
    );
    return compared.some(
      (mount) => mount.device?.disk.content === device.disk.content && mount.device !== device,
    );
  }

  /** The last unmount writes back what is dirty, and so waits for a connection that is lost. */
  #mustWait({ device }: FakeMount): boolean {
    if (device === undefined) return false;
    const isLast = this.#kernel.mounts.filter((mount) => mount.device === device).length === 1;
    return isLast && this.#kernel.mayWait(device);
  }

  #topmost(target: string): FakeMount | undefined {
    return this.#kernel.mounts.findLast((mount) => mount.target === target);
  }

  #remove(mount: FakeMount): void {
    this.#kernel.mounts = this.#kernel.mounts.filter((other) => other !== mount);
  }

  #nodeMount(source: string): FakeMount | undefined {
    const device = this.#kernel.deviceAt(source);
    if (device === undefined) return undefined;
    return {
      target: "",
      root: source.slice("/dev".length),
      majorMinor: "0:5",
      fsType: "devtmpfs",
      source: "udev",
      options: [],
      superOptions: ["rw"],
      device: undefined,
      node: device.majorMinor,
    };
  }

  /** What a process would see at `source`: the topmost mount there, or a folder of the host. */
  #folderMount(source: string): FakeMount {
    const host = { root: source, majorMinor: "8:1", fsType: "ext4", source: "/dev/sda1" };
    return (
      this.#topmost(source) ?? {
        ...host,
        target: "",
        options: [],
        superOptions: ["rw"],
        device: undefined,
        node: undefined,
      }
    );
  }

  #numberFor(device: FakeDevice, fsType: string): string {
    return fsType === "btrfs" ? `0:${this.#anonymous++}` : device.majorMinor;
  }
}

function perMount(options: readonly string[]): string[] {
  return options.filter((option) => !filesystemOptions.test(option));
}
