import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** One exported image: a subsystem with one namespace, NSID 1, on the target's one port. */
export interface KernelExport {
  readonly nqn: string;
  /** Absolute path of the image. */
  readonly image: string;
  /** UUID of the namespace; left out, the kernel makes a random one, as a restarted target does. */
  readonly namespaceUuid?: string;
}

/**
 * The Linux kernel's NVMe/TCP target, driven through configfs (Documentation/nvme and nvmetcli use the same
 * files). Every step may be repeated; taking an export away cuts its connections and, because the namespace
 * is disabled first, waits for the commands the target had accepted.
 */
export class KernelTarget {
  readonly #root: string;
  readonly #port: string;

  /** @param configfs - `/sys/kernel/config/nvmet` */
  constructor(configfs: string, portId = 1) {
    this.#root = configfs;
    this.#port = join(configfs, "ports", String(portId));
  }

  /** Listens once the first export is there. */
  listen(address: string, port: number): void {
    if (existsSync(this.#port)) return;
    mkdirSync(this.#port);
    this.#write(this.#port, "addr_trtype", "tcp");
    this.#write(this.#port, "addr_adrfam", address.includes(":") ? "ipv6" : "ipv4");
    this.#write(this.#port, "addr_traddr", address);
    this.#write(this.#port, "addr_trsvcid", String(port));
  }

  exports(): string[] {
    return readdirSync(join(this.#port, "subsystems"));
  }

  export({ nqn, image, namespaceUuid }: KernelExport): void {
    const subsystem = this.#subsystem(nqn);
    const namespace = join(subsystem, "namespaces", "1");
    if (!existsSync(subsystem)) mkdirSync(subsystem);
    this.#write(subsystem, "attr_allow_any_host", "1");
    if (!existsSync(namespace)) {
      mkdirSync(namespace);
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

  unexport(nqn: string): void {
    const subsystem = this.#subsystem(nqn);
    const namespace = join(subsystem, "namespaces", "1");
    this.cut(nqn);
    if (existsSync(namespace)) {
      this.#write(namespace, "enable", "0");
      rmdirSync(namespace);
    }
    if (existsSync(subsystem)) rmdirSync(subsystem);
  }

  /** Switches the namespace on or off under live connections. */
  setEnabled(nqn: string, enabled: boolean): void {
    this.#write(join(this.#subsystem(nqn), "namespaces", "1"), "enable", enabled ? "1" : "0");
  }

  /** Makes the target look at the image's size again and tell connected hosts. */
  revalidateSize(nqn: string): void {
    this.#write(join(this.#subsystem(nqn), "namespaces", "1"), "revalidate_size", "1");
  }

  /** Takes everything away, as switching the appliance off does. */
  close(): void {
    if (!existsSync(this.#port)) return;
    for (const nqn of this.exports()) this.unexport(nqn);
    rmdirSync(this.#port);
  }

  #subsystem(nqn: string): string {
    return join(this.#root, "subsystems", nqn);
  }

  #link(nqn: string): string {
    return join(this.#port, "subsystems", nqn);
  }

  #write(folder: string, attribute: string, value: string): void {
    writeFileSync(join(folder, attribute), value);
  }
}
