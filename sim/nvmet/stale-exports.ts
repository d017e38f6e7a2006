import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Groups } from "./groups.ts";

/**
 * Takes out of the kernel what a simulator left there that was killed: subsystems with this serial number, and
 * ports that serve nobody after that. Nothing else on the host is touched.
 * @param root - `/sys/kernel/config/nvmet`
 * @returns what the namespaces lay on.
 */
export function removeStaleExports(root: string, serial: string, groups: Groups): string[] {
  const subsystems = join(root, "subsystems");
  const stale = readdirSync(subsystems).filter(
    (nqn) => textOf(join(subsystems, nqn, "attr_serial")) === serial,
  );
  for (const nqn of stale) unlinkFromPorts(root, nqn, groups);
  return stale.flatMap((nqn) => removeSubsystem(join(subsystems, nqn), groups));
}

function unlinkFromPorts(root: string, nqn: string, groups: Groups): void {
  for (const name of readdirSync(join(root, "ports"))) {
    const port = join(root, "ports", name);
    const links = join(port, "subsystems");
    if (!existsSync(join(links, nqn))) continue;
    unlinkSync(join(links, nqn));
    if (readdirSync(links).length === 0) groups.remove(port);
  }
}

function removeSubsystem(subsystem: string, groups: Groups): string[] {
  const namespaces = join(subsystem, "namespaces");
  const devices = readdirSync(namespaces).map((id) => {
    const namespace = join(namespaces, id);
    const device = textOf(join(namespace, "device_path"));
    writeFileSync(join(namespace, "enable"), "0");
    groups.remove(namespace);
    return device;
  });
  const hosts = join(subsystem, "allowed_hosts");
  for (const host of readdirSync(hosts)) unlinkSync(join(hosts, host));
  groups.remove(subsystem);
  return devices;
}

function textOf(path: string): string {
  return readFileSync(path, "utf8").trim();
}
