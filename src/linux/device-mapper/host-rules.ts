import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../atomic-file.ts";

/**
 * udev rules that keep the host away from what is in a volume: no probing by blkid, so that neither LVM nor md nor
 * Btrfs activates what a guest keeps there; no `/dev/disk/by-uuid` link, which two clones would fight for; no watch,
 * which opens the device after each close. The device that only fails, by which holds are tried, is not read either, for
 * the kernel would log each error. Nor is the loop device that kubelet lays on a raw block volume to keep it open, for
 * LVM's rules know loop devices: its path, `…/volumeDevices/<PersistentVolume>/dev/<pod>`, does not tell whose driver the
 * volume is of. dmsetup itself can only switch off device-mapper's own rules. The file
 * sorts before `10-dm.rules` (Debian: `55-dm.rules`), whose flags it sets; those are documented in
 * libdevmapper.h, and honoured by the rules of LVM, md and systemd.
 */
const rules = `# Volumes of the RDS CSI driver belong to pods: the host neither probes nor links nor activates their content.
SUBSYSTEM!="block", GOTO="rds_csi_end"
ACTION!="add|change", GOTO="rds_csi_end"
KERNEL=="dm-[0-9]*", ATTR{dm/uuid}=="rds-csi-?*", GOTO="rds_csi_volume"
KERNEL=="nvme*", ATTRS{subsysnqn}=="nqn.2000-02.com.mikrotik:pvc-?*", GOTO="rds_csi_volume"
# Kubelet's own, on raw block volumes of any CSI driver.
KERNEL=="loop[0-9]*", ATTRS{loop/backing_file}=="*/kubernetes.io/csi/volumeDevices/?*/dev/?*", GOTO="rds_csi_volume"
GOTO="rds_csi_end"

LABEL="rds_csi_volume"
ENV{DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG}="1"
ENV{DM_UDEV_DISABLE_DISK_RULES_FLAG}="1"
ENV{DM_UDEV_DISABLE_OTHER_RULES_FLAG}="1"
ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1"
OPTIONS:="nowatch"

LABEL="rds_csi_end"
`;

/** @param runUdev - `/run/udev` of the host. */
export function hostRulesFile(runUdev: string): string {
  return join(runUdev, "rules.d", "09-rds-csi.rules");
}

/**
 * Writes the rules where udev looks for those of this boot, and takes them up by itself within three seconds.
 * @param runUdev - `/run/udev` of the host.
 * @returns `false` on a host without udev, where there is nobody to keep away.
 */
export async function installHostRules(runUdev: string): Promise<boolean> {
  if (!existsSync(runUdev)) return false;
  await writeAtomically(hostRulesFile(runUdev), rules);
  return true;
}
