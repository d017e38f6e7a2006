import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions, NvmeTarget } from "#domain/nvme-target.ts";
import type { Initiator } from "#domain/ports/initiator.ts";
import type { Context } from "#lib/context.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** Connects to what the fake kernel can reach. */
export class MemoryInitiator implements Initiator {
  readonly #kernel: FakeKernel;
  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  async connect({ nqn }: NvmeTarget, _options: ConnectOptions, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#kernel.connect(nqn);
  }

  async findDevice(nqn: Nqn, _ctx: Context) {
    return this.#kernel.find(nqn);
  }

  async nodesOf(nqn: Nqn, _ctx: Context): Promise<readonly string[]> {
    const device = this.#kernel.controllers.get(nqn)?.device;
    return device === undefined ? [] : [device.path];
  }

  async rescan(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#kernel.rescan(nqn);
  }

  async reset(nqn: Nqn, silentMs: number, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#kernel.reset(nqn, silentMs);
  }

  async disconnect(nqn: Nqn, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.#kernel.disconnect(nqn);
    if (this.#kernel.controllers.has(nqn))
      throw new DriverError("unavailable", `Cannot disconnect "${nqn}": still live`);
  }
}
