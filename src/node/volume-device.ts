import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import { formatBytes } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";

/**
 * The device of a connection as it is now. Names and numbers do not last, so nothing is remembered: every
 * step that touches a device asks again.
 * @throws {DriverError} `unavailable` when the kernel shows no device for the NQN.
 */
export async function requireDevice(nqn: Nqn, host: NodeHost, ctx: Context): Promise<BlockDevice> {
  const device = await host.initiator.findDevice(nqn, ctx);
  if (device !== undefined) return device;
  throw new DriverError("unavailable", `Cannot use the device of "${nqn}": it is not connected`);
}

export interface WantedDevice {
  readonly nqn: Nqn;
  readonly minSizeBytes: number;
}

const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 2_000;

/**
 * Waits for the device of a connection, and for its size; asks the kernel to look again meanwhile, because
 * neither a namespace with a new identity nor a grown one is always seen by itself.
 * @throws {DriverError} `unavailable` when `host.deviceWaitMilliseconds` have passed; nothing is undone.
 */
export async function awaitDevice(
  wanted: WantedDevice,
  host: NodeHost,
  ctx: Context,
): Promise<BlockDevice> {
  const deadline = host.clock.elapsed() + host.deviceWaitMilliseconds;
  for (
    let pause = firstPauseMilliseconds;
    ;
    pause = Math.min(2 * pause, longestPauseMilliseconds)
  ) {
    const device = await host.initiator.findDevice(wanted.nqn, ctx);
    if (device !== undefined && device.sizeBytes >= wanted.minSizeBytes) return device;
    if (host.clock.elapsed() >= deadline) throw tooLate(wanted, device, host);
    await host.clock.sleep(pause, ctx.signal);
    await rescan(wanted.nqn, host, ctx);
  }
}

/** Asks the kernel to look again; a refusal is no failure, because the look-up decides. */
export async function rescan(nqn: Nqn, host: NodeHost, ctx: Context): Promise<void> {
  try {
    await host.initiator.rescan(nqn, ctx);
  } catch (error) {
    if (!(error instanceof DriverError) || ctx.signal.aborted) throw error;
    ctx.log.debug({ nqn, reason: error.message }, "The kernel did not rescan the namespace");
  }
}

function tooLate(
  { nqn, minSizeBytes }: WantedDevice,
  device: BlockDevice | undefined,
  { deviceWaitMilliseconds }: NodeHost,
): DriverError {
  const waited = `after ${deviceWaitMilliseconds / 1000} s`;
  return new DriverError(
    "unavailable",
    device === undefined
      ? `Cannot find the device of "${nqn}": the kernel shows none ${waited}`
      : `Cannot use "${device.path}" of "${nqn}": it has ${formatBytes(device.sizeBytes)} (${device.sizeBytes} bytes) ${waited}, expected at least ${minSizeBytes} bytes`,
  );
}
