import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HoldSupport } from "#domain/ports/device-mapper.ts";
import { holdersOf } from "#linux/holders.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { reasonAgainst } from "./holds.ts";

/** Source: Kubernetes, pkg/volume/util/util.go, `MapBlockVolume`; pkg/volume/csi/csi_block.go, `GetGlobalMapPath`. */
const kubeletLoop = /\/kubernetes\.io\/csi\/volumeDevices\/[^/]+\/dev\//;

export interface HoldHost {
  readonly sysfs: Sysfs;
  /** `/proc` */
  readonly proc: string;
  /** `/run/udev` */
  readonly runUdev: string;
}

/** Whether I/O of this host's volumes can wait for as long as an outage lasts, and nobody else gets hold of them. */
export function holdFindings(support: HoldSupport, host: HoldHost): Finding[] {
  return [
    supportFinding(support, host.sysfs),
    ...timeoutFindings(support),
    ...panicFindings(host),
    rulesFinding(host),
    ...multipathdFindings(host),
    ...grabbedFindings(host.sysfs),
  ];
}

function supportFinding(support: HoldSupport, sysfs: Sysfs): Finding {
  const reason = reasonAgainst(support, sysfs.exists("module", "nvme_core"));
  return reason === undefined
    ? ok("Holds can be made: I/O waits while a connection is lost")
    : warning(
        `Holds cannot be made (${reason}): mounted volumes do not outlive a device that comes back under another name`,
      );
}

function timeoutFindings({ queueTimeoutSeconds }: HoldSupport): Finding[] {
  if (queueTimeoutSeconds === 0) return [];
  return [
    problem(
      `This host ends every hold after ${queueTimeoutSeconds} s: set queue_if_no_path_timeout_secs of module dm_multipath to 0`,
    ),
  ];
}

/** Whoever waits in a hold sleeps uninterruptibly, which the kernel takes for a hang after two minutes. */
function panicFindings({ proc }: HoldHost): Finding[] {
  if (textOf(join(proc, "sys/kernel/hung_task_panic")) !== "1") return [];
  return [
    problem(
      "The kernel panics when a process waits for long, as it may in an outage: set kernel.hung_task_panic to 0",
    ),
  ];
}

function rulesFinding({ runUdev }: HoldHost): Finding {
  if (!existsSync(runUdev))
    return ok("No udev is seen here; where the host has one, the node plugin needs its /run/udev");
  return existsSync(join(runUdev, "rules.d/09-rds-csi.rules"))
    ? ok("udev leaves the content of volumes alone")
    : ok("udev is told to leave the content of volumes alone when the node plugin starts");
}

function multipathdFindings({ proc }: HoldHost): Finding[] {
  const isRunning = listOf(proc).some((pid) => textOf(join(proc, pid, "comm")) === "multipathd");
  if (!isRunning) return [];
  return [
    warning(
      'multipathd runs here and may take volumes: leave NVMe to native multipath, by blacklist { devnode "^nvme" } in /etc/multipath.conf',
    ),
  ];
}

/**
 * Devices of LVM, md or multipathd on top of a volume, of its hold, or of kubelet's loop device on it: what a guest keeps there
 * is its own. Whose driver a volume under a loop device is of, does not show.
 */
function grabbedFindings(sysfs: Sysfs): Finding[] {
  return sysfs.list("block").flatMap((disk) => {
    if (!isVolume(disk, sysfs)) return [];
    const others = holdersOf(sysfs, "block", disk).filter((name) => !isHold(name, sysfs));
    return others.map((name) =>
      problem(
        `${describe(disk, sysfs)} is a volume, and this host uses it as ${describe(name, sysfs)}`,
      ),
    );
  });
}

function isVolume(disk: string, sysfs: Sysfs): boolean {
  const nqn = sysfs.read("block", disk, "device", "subsysnqn") ?? "";
  const isOurs = isHold(disk, sysfs) || nqn.startsWith("nqn.2000-02.com.mikrotik:pvc-");
  return isOurs || kubeletLoop.test(backingFile(disk, sysfs) ?? "");
}

function isHold(disk: string, sysfs: Sysfs): boolean {
  return sysfs.read("block", disk, "dm", "uuid")?.startsWith("rds-csi-") ?? false;
}

function backingFile(disk: string, sysfs: Sysfs): string | undefined {
  return sysfs.read("block", disk, "loop", "backing_file");
}

/** By the name, too, that an administrator knows it by. */
function describe(name: string, sysfs: Sysfs): string {
  const alias = sysfs.read("block", name, "dm", "name") ?? backingFile(name, sysfs);
  return alias === undefined ? `"${name}"` : `"${name}" (${alias})`;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
