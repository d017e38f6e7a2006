import {
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Groups, kernelGroups } from "./groups.ts";

/** One exported image: a subsystem with one namespace, NSID 1, on the target's one port. */
export interface KernelExport {
  readonly nqn: string;
  /** Absolute path of the image. */
  readonly image: string;
  /** UUID of the namespace; left out, the kernel makes a random one, as a restarted target does. */
  readonly namespaceUuid?: string;
  /** NQN of the one host that may connect; left out, any may. */
  readonly allowHost?: string | undefined;
  /** At most 20 characters; left out, the kernel makes a random one. */
  readonly serial?: string;
}

/**
 * The Linux kernel's NVMe/TCP target, driven through configfs (Documentation/nvme and nvmetcli use the same
 * files). Every step may be repeated. Taking an export away cuts its connections first, so that nothing new
 * comes in, and then waits for the commands that the target had accepted, by disabling the namespace.
 */
export class KernelTarget {
  readonly #root: string;
  readonly #port: string;
  readonly #groups: Groups;

  /** @param configfs - `/sys/kernel/config/nvmet` */
  constructor(configfs: string, portId = 1, groups: Groups = kernelGroups) {
    this.#root = configfs;
    this.#port = join(configfs, "ports", String(portId));
    this.#groups = groups;
  }

  /**
   * Listens once the first export is there.
   * @throws {Error} when the port is there with another address.
   */
  listen(address: string, port: number): void {
    if (existsSync(this.#port)) {
      this.#requireAddress(address);
      return;
    }
    this.#groups.make(this.#port);
    this.#write(this.#port, "addr_trtype", "tcp");
    this.#write(this.#port, "addr_adrfam", address.includes(":") ? "ipv6" : "ipv4");
    this.#write(this.#port, "addr_traddr", address);
    this.#write(this.#port, "addr_trsvcid", String(port));
  }

  exports(): string[] {
    return readdirSync(join(this.#port, "subsystems"));
  }

  export({ nqn, image, namespaceUuid, allowHost, serial }: KernelExport): void {
    const subsystem = this.#subsystem(nqn);
    const namespace = this.#namespace(nqn);
    if (!existsSync(subsystem)) {
      this.#groups.make(subsystem);
      if (serial !== undefined) this.#write(subsystem, "attr_serial", serial);
    }
    if (allowHost === undefined) this.#write(subsystem, "attr_allow_any_host", "1");
    else this.#allow(subsystem, allowHost);
    if (!existsSync(namespace)) {
      this.#groups.make(namespace);
      this.#write(namespace, "device_path", image);
      if (namespaceUuid !== undefined) this.#write(namespace, "device_uuid", namespaceUuid);
    }
    this.#write(namespace, "enable", "1");
    const link = this.#link(nqn);
    if (!existsSync(link)) symlinkSync(subsystem, link);
  }

  /** Cuts its connections and answers no more for it, until `export` puts it back as it was. */
  cut(nqn: string): void {
    if (existsSync(this.#link(nqn))) unlinkSync(this.#link(nqn));
  }

  /** Waits until every command that was accepted has been carried out; later ones fail. */
  async drain(nqn: string): Promise<void> {
    if (existsSync(this.#namespace(nqn)))
      await writeFile(join(this.#namespace(nqn), "enable"), "0");
  }

  unexport(nqn: string): void {
    const subsystem = this.#subsystem(nqn);
    const namespace = this.#namespace(nqn);
    this.cut(nqn);
    if (existsSync(namespace)) {
      this.#write(namespace, "enable", "0");
      this.#groups.remove(namespace);
    }
    if (!existsSync(subsystem)) return;
    const hosts = join(subsystem, "allowed_hosts");
    for (const host of readdirSync(hosts)) unlinkSync(join(hosts, host));
    this.#groups.remove(subsystem);
  }

  /** Those that are connected stay so; nobody else gets in, nor they again once they have lost the connection. */
  refuseHosts(nqn: string): void {
    this.#write(this.#subsystem(nqn), "attr_allow_any_host", "0");
  }

  /** Switches the namespace on or off under live connections. */
  setEnabled(nqn: string, enabled: boolean): void {
    this.#write(this.#namespace(nqn), "enable", enabled ? "1" : "0");
  }

  /** Makes the target look at the image's size again and tell connected hosts. */
  revalidateSize(nqn: string): void {
    this.#write(this.#namespace(nqn), "revalidate_size", "1");
  }

  /** Takes everything away, as switching the appliance off does. */
  close(): void {
    if (!existsSync(this.#port)) return;
    for (const nqn of this.exports()) this.unexport(nqn);
    this.#groups.remove(this.#port);
  }

  #allow(subsystem: string, host: string): void {
    const known = join(this.#root, "hosts", host);
    const link = join(subsystem, "allowed_hosts", host);
    if (!existsSync(known)) this.#groups.make(known);
    this.#write(subsystem, "attr_allow_any_host", "0");
    if (!existsSync(link)) symlinkSync(known, link);
  }

  #requireAddress(wanted: string): void {
    const found = readFileSync(join(this.#port, "addr_traddr"), "utf8").trim();
    if (found !== wanted)
      throw new Error(`Cannot listen on ${wanted}: "${this.#port}" is there for ${found}`);
  }

  #subsystem(nqn: string): string {
    return join(this.#root, "subsystems", nqn);
  }

  #namespace(nqn: string): string {
    return join(this.#subsystem(nqn), "namespaces", "1");
  }

  #link(nqn: string): string {
    return join(this.#port, "subsystems", nqn);
  }

  #write(folder: string, attribute: string, value: string): void {
    writeFileSync(join(folder, attribute), value);
  }
}
