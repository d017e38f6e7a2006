import type { HoldSupport } from "#domain/ports/device-mapper.ts";
import type { Clock } from "#lib/clock.ts";
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
  readonly clock: Clock;
}

const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

/**
 * Holds, where this host can make them. Those that an earlier run has made are served in any case. As long as dmsetup
 * gives no answer, nobody can tell: then they are there, so that a volume is refused whose hold cannot be made now,
 * instead of being staged without. The host is told to keep away from volumes with or without holds.
 */
export class HostHolds {
  readonly #parts: HoldParts;
  readonly #holds: LinuxDeviceMapper;
  readonly #probe: LinuxHoldProbe;
  #isKnown = false;
  #isPossible = true;

  constructor(parts: HoldParts) {
    this.#parts = parts;
    const dmsetup = new Dmsetup(parts.exec);
    this.#holds = new LinuxDeviceMapper({ dmsetup, ...parts.kernel });
    this.#probe = new LinuxHoldProbe(dmsetup, parts.kernel.sysfs);
  }

  /** `undefined` where volumes have to do without; to be asked at each use until `isKnown`. */
  get holds(): Holds | undefined {
    return this.#isPossible ? this.#holds : undefined;
  }

  /** Whether dmsetup has answered. What it said once stays so. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Asks once, and says why volumes have to do without, or what they have to wait for. */
  async ask(ctx: Context): Promise<void> {
    const { kernel, runUdev } = this.#parts;
    const hasRules = await keepUdevAway(runUdev, ctx);
    const support = await this.#probe.probe(ctx);
    const reason = reasonAgainst(support, kernel.sysfs.exists("module", "nvme_core"));
    const existing = (await this.#holds.list(ctx)).length;
    this.#isKnown = support.unanswered !== true;
    this.#isPossible = reason === undefined || existing > 0 || !this.#isKnown;
    if (!this.#isPossible) return ctx.log.warn({ reason, hasRules }, without);
    if (!this.#isKnown) return ctx.log.warn({ reason, existing }, unknown);
    if (support.queueTimeoutSeconds > 0)
      ctx.log.warn(
        { queueTimeoutSeconds: support.queueTimeoutSeconds },
        "This host ends holds by itself: queue_if_no_path_timeout_secs of dm_multipath is not 0",
      );
    ctx.log.info({ existing, hasRules }, "Volumes are held while their connection is lost");
  }

  /** Asks until there is an answer, ever more seldom. @throws the signal's reason when it ends the wait. */
  async settle(ctx: Context): Promise<void> {
    for (let pause = firstPauseMs; !this.#isKnown; pause = Math.min(2 * pause, longestPauseMs)) {
      await this.#parts.clock.sleep(pause, ctx.signal);
      await this.ask(ctx).catch((error: unknown) => {
        ctx.signal.throwIfAborted();
        ctx.log.warn({ error: String(error) }, "Cannot ask dmsetup: asking again later");
      });
    }
  }
}

const without = "Volumes get no hold: reconnectMode is remount for all of them";
const unknown =
  "Cannot tell yet whether volumes can be held: those that are to be held are staged once dmsetup answers";

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
