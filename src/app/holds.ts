import type { HoldSupport } from "#domain/ports/device-mapper.ts";
import type { Context } from "#lib/context.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { LinuxHoldProbe } from "#linux/device-mapper/hold-probe.ts";
import { installHostRules } from "#linux/device-mapper/host-rules.ts";
import { LinuxDeviceMapper } from "#linux/device-mapper/linux-device-mapper.ts";
import type { Host } from "#linux/disk-device.ts";
import type { Exec } from "#linux/exec.ts";
import type { Holds } from "#node/host.ts";

export interface HoldParts {
  readonly exec: Exec;
  readonly kernel: Host;
  /** `/run/udev` of the host. */
  readonly runUdev: string;
}

/**
 * Holds, where this host can make them. Those that an earlier run has made are served in any case.
 * @returns `undefined`, and says why, where volumes have to do without.
 */
export async function openHolds(
  { exec, kernel, runUdev }: HoldParts,
  ctx: Context,
): Promise<Holds | undefined> {
  const dmsetup = new Dmsetup(exec);
  const holds = new LinuxDeviceMapper({ dmsetup, ...kernel });
  const support = await new LinuxHoldProbe(dmsetup, kernel.sysfs).probe(ctx);
  const reason = reasonAgainst(support, kernel.sysfs.exists("module", "nvme_core"));
  const existing = (await holds.list(ctx)).length;
  if (reason !== undefined && existing === 0) {
    ctx.log.warn({ reason }, "Volumes get no hold: reconnectMode is remount for all of them");
    return undefined;
  }
  if (support.queueTimeoutSeconds > 0)
    ctx.log.warn(
      { queueTimeoutSeconds: support.queueTimeoutSeconds },
      "This host ends holds by itself: queue_if_no_path_timeout_secs of dm_multipath is not 0",
    );
  const hasRules = await keepUdevAway(runUdev, ctx);
  ctx.log.info({ existing, hasRules }, "Volumes are held while their connection is lost");
  return holds;
}

/** A folder that may not be written to is no reason to serve no volume. */
async function keepUdevAway(runUdev: string, ctx: Context): Promise<boolean> {
  try {
    return await installHostRules(runUdev);
  } catch (error) {
    ctx.log.warn(
      { runUdev, error: String(error) },
      "Cannot tell udev to leave volumes alone: the host may use what guests keep in them",
    );
    return false;
  }
}

/**
 * Without native multipath a hold would need this plugin for each short outage, which the kernel rides out alone
 * otherwise. @param isLoaded - nvme-core: before it is, nobody can tell, and its default is on.
 */
export function reasonAgainst(
  { missing, nativeMultipath }: Pick<HoldSupport, "missing" | "nativeMultipath">,
  isLoaded: boolean,
): string | undefined {
  if (missing !== undefined) return missing;
  return nativeMultipath || !isLoaded ? undefined : "native NVMe multipath is off";
}
