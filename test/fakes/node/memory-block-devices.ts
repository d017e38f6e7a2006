import { DriverError } from "#domain/errors.ts";
import type { BlockDevices } from "#domain/ports/block-devices.ts";
import type { Context } from "#lib/context.ts";
import type { FakeDevice, FakeKernel } from "./fake-kernel.ts";

/** Device nodes in `/dev`, and bind mounts of them, which go on naming a device that has left. */
export class MemoryBlockDevices implements BlockDevices {
  readonly #kernel: FakeKernel;
  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  async holders(majorMinor: string, _ctx: Context): Promise<readonly string[]> {
    if (!this.#kernel.has(majorMinor))
      throw new DriverError("unavailable", `Cannot list the holders of ${majorMinor}: it is gone`);
    return this.#kernel.holdersOf(majorMinor);
  }

  async majorMinorOf(path: string, _ctx: Context): Promise<string | undefined> {
    if (this.#kernel.hidden.has(path))
      throw new DriverError("unavailable", `Cannot look at "${path}": Input/output error`);
    const mounted = this.#kernel.mounts.findLast(({ target }) => target === path);
    return mounted?.node ?? this.#kernel.deviceAt(path)?.majorMinor;
  }

  async majorMinorsOf(paths: readonly string[], ctx: Context) {
    const seen = paths.filter((path) => !this.#kernel.hidden.has(path) && this.#isThere(path));
    const numbers = seen.map(async (path) => [path, await this.majorMinorOf(path, ctx)] as const);
    return new Map(await Promise.all(numbers));
  }

  async isThere(majorMinor: string, _ctx: Context): Promise<boolean> {
    return this.#kernel.has(majorMinor);
  }

  async isClaimed(path: string, ctx: Context): Promise<boolean> {
    ctx.signal.throwIfAborted();
    const device = this.#kernel.deviceAt(path);
    return device !== undefined && this.#kernel.isClaimed(device);
  }

  async setReadOnly(path: string, readOnly: boolean, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#require(path).isReadOnly = readOnly;
  }

  async sizeOf(path: string, _ctx: Context): Promise<number> {
    return this.#require(path).sizeBytes;
  }

  #isThere(path: string): boolean {
    const isMounted = this.#kernel.mounts.some(({ target }) => target === path);
    return isMounted || this.#kernel.deviceAt(path) !== undefined;
  }

  #require(path: string): FakeDevice {
    const device = this.#kernel.deviceAt(path);
    if (device !== undefined) return device;
    throw new DriverError("unavailable", `Cannot use "${path}": there is no block device`);
  }
}
