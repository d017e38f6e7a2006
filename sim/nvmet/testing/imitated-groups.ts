import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Groups } from "#sim/nvmet/groups.ts";

/** What the kernel puts into a new group, by the folder that the group is made in. */
const contents: Readonly<Record<string, readonly string[]>> = {
  hosts: [],
  ports: ["subsystems/", "addr_trtype", "addr_adrfam", "addr_traddr", "addr_trsvcid"],
  subsystems: ["namespaces/", "allowed_hosts/", "attr_allow_any_host", "attr_serial"],
  namespaces: ["device_path", "device_uuid", "enable", "revalidate_size"],
};

/** Plain folders that behave as groups of configfs do: filled when made, and kept while they are in use. */
export class ImitatedGroups implements Groups {
  readonly root: string;

  /** @param root - An empty folder, which stands for `/sys/kernel/config/nvmet`. */
  constructor(root: string) {
    this.root = root;
    for (const name of ["hosts", "ports", "subsystems"]) mkdirSync(join(root, name));
  }

  make(path: string): void {
    mkdirSync(path);
    for (const name of contents[basename(dirname(path))] ?? [])
      if (name.endsWith("/")) mkdirSync(join(path, name));
      else writeFileSync(join(path, name), "\n");
  }

  remove(path: string): void {
    const own = readdirSync(path).filter((name) => lstatSync(join(path, name)).isDirectory());
    const inside = own.flatMap((name) => readdirSync(join(path, name)));
    if (inside.length > 0) throw new Error(`ENOTEMPTY: ${path} has ${inside}`);
    if (this.#links().some((target) => target === path))
      throw new Error(`EBUSY: ${path} is linked`);
    rmSync(path, { recursive: true });
  }

  #links(): string[] {
    const all = readdirSync(this.root, { recursive: true, encoding: "utf8" });
    const paths = all.map((name) => join(this.root, name));
    return paths
      .filter((path) => existsSync(path) && lstatSync(path).isSymbolicLink())
      .map((path) => readlinkSync(path));
  }
}
