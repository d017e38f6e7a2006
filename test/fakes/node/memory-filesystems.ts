import type { FsType } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type {
  DeviceContent,
  Filesystems,
  FilesystemUsage,
  MakeRequest,
  MountedFilesystem,
} from "#domain/ports/filesystems.ts";
import type { Context } from "#lib/context.ts";
import type { FakeDevice, FakeKernel } from "./fake-kernel.ts";

/** Tools for file systems that do what they are told, also what they should never have been told. */
export class MemoryFilesystems implements Filesystems {
  readonly #kernel: FakeKernel;
  /** Runs while mkfs is half way through: a test may kill it there by throwing. */
  onHalfMade: () => void = () => {};
  /** What takes mkfs and checks their time; throws when they are ended. */
  whileRunning: (ctx: Context) => Promise<void> = async () => {};
  /** Devices that were checked. */
  readonly checked: string[] = [];

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  async inspect(path: string, _ctx: Context): Promise<DeviceContent> {
    return this.#require(path, "look at").disk.content;
  }

  async make(path: string, { fsType }: MakeRequest, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const device = this.#require(path, "format");
    const isInUse =
      this.#kernel.mountsOf(device).length + this.#kernel.holdersOf(device.majorMinor).length > 0;
    if (device.isReadOnly || isInUse)
      throw new DriverError("internal", `Cannot format "${path}": it is read-only or in use`);
    if (device.disk.content.kind === "filesystem" && device.disk.files.size > 0)
      this.#kernel.damage.push(`formatted ${device.nqn} over ${device.disk.files.size} files`);
    device.disk.beginFormat();
    this.onHalfMade();
    await this.#rewrite(device, ctx);
    device.disk.endFormat(fsType);
  }

  async check(path: string, _fsType: FsType, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const device = this.#require(path, "check");
    if (this.#kernel.mountsOf(device).length > 0)
      this.#kernel.damage.push(`checked ${device.nqn} while it was mounted`);
    this.checked.push(path);
    await this.#rewrite(device, ctx);
    device.disk.isDamaged = false;
    device.disk.errors = 0;
  }

  async grow({ device: path, mountPoint }: MountedFilesystem, ctx: Context): Promise<number> {
    ctx.signal.throwIfAborted();
    const device = this.#require(path, "grow");
    const mounted = this.#kernel.mounts.findLast(({ target }) => target === mountPoint);
    if (mounted?.device !== device || mounted.options.includes("ro"))
      throw new DriverError("internal", `Cannot grow "${path}": not mounted there for writing`);
    device.disk.filesystemBytes = Math.max(device.disk.filesystemBytes, device.sizeBytes);
    return device.disk.filesystemBytes;
  }

  async usage(path: string, _ctx: Context): Promise<FilesystemUsage> {
    const device = this.#kernel.mounts.findLast(({ target }) => target === path)?.device;
    if (device === undefined || !this.#kernel.isLive(device))
      throw new DriverError("unavailable", `Cannot read the usage of "${path}": no answer`);
    const { filesystemBytes: totalBytes, files } = device.disk;
    const usedBytes = 4_096 * files.size;
    const free = { availableBytes: totalBytes - usedBytes, freeInodes: 1_000 - files.size };
    return { totalBytes, usedBytes, totalInodes: 1_000, ...free };
  }

  async countErrors(majorMinor: string, _ctx: Context): Promise<number> {
    const mounted = this.#kernel.mounts.find((mount) => mount.majorMinor === majorMinor);
    return mounted?.fsType === "ext4" ? (mounted.device?.disk.errors ?? 0) : 0;
  }

  /** They have the device to themselves. */
  async #rewrite(device: FakeDevice, ctx: Context): Promise<void> {
    const { claims, damage } = this.#kernel;
    if (claims.has(device)) damage.push(`two tools rewrite ${device.nqn}`);
    claims.add(device);
    try {
      await this.whileRunning(ctx);
      this.#require(device.path, "go on with");
    } finally {
      claims.delete(device);
    }
  }

  #require(path: string, act: string): FakeDevice {
    const device = this.#kernel.deviceAt(path);
    if (device !== undefined && this.#kernel.isLive(device)) return device;
    throw new DriverError("unavailable", `Cannot ${act} "${path}": it does not answer`);
  }
}
