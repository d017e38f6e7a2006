import type { Menu, MenuTree, Version } from "#sim/console/menu.ts";
import { btrfsFilesystemMenu } from "./btrfs-filesystem-menu.ts";
import { diskMenu } from "./disk-menu.ts";
import { fileMenu } from "./file-menu.ts";
import { healthMenu, packageMenu } from "./list-menus.ts";
import type { Machine } from "./machine.ts";
import { type Policy, requirePolicies } from "./policies.ts";
import { subvolumeMenu } from "./subvolume-menu.ts";
import { clockMenu, diskSettingsMenu, identityMenu, resourceMenu } from "./system-menus.ts";
import { isSince } from "./version.ts";

export type Menus = ReadonlyMap<string, Menu>;

/** The menus that a version with its packages has. */
export function menusOf(machine: Machine): Menus {
  const { version, hasStoragePackage } = machine;
  const menus = [
    diskMenu(machine),
    diskSettingsMenu(machine),
    fileMenu(machine),
    identityMenu(machine),
    clockMenu(machine),
    resourceMenu(machine),
    packageMenu(machine),
    healthMenu(machine),
  ];
  if (hasStoragePackage && isSince(version, 17)) menus.push(btrfsFilesystemMenu(machine));
  if (hasStoragePackage && isSince(version, 18)) menus.push(subvolumeMenu(machine));
  return new Map(menus.map((menu) => [menu.path, menu]));
}

const nameProperties: ReadonlyMap<string, string> = new Map([
  ["/disk", "slot"],
  ["/file", "name"],
  ["/disk/btrfs/filesystem", "label"],
  ["/disk/btrfs/subvolume", "name"],
  ["/system/package", "name"],
  ["/system/health", "name"],
]);

/** The menus as one user sees them. */
export class UserMenuTree implements MenuTree {
  readonly version: Version;
  readonly #menus: Menus;
  readonly #policies: ReadonlySet<Policy>;

  constructor(menus: Menus, version: Version, policies: ReadonlySet<Policy>) {
    this.#menus = menus;
    this.version = version;
    this.#policies = policies;
  }

  menu(path: string): Menu | undefined {
    return this.#menus.get(path);
  }

  hasPrefix(path: string): boolean {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    return [...this.#menus.keys()].some((menu) => menu.startsWith(prefix));
  }

  nameProperty(path: string): string | undefined {
    return nameProperties.get(path);
  }

  authorize(path: string, command: string): void {
    requirePolicies(this.#policies, path, command);
  }
}
