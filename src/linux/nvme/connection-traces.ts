import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions } from "#domain/nvme-target.ts";
import type { ConnectionOrigin, ConnectionTraces } from "#domain/ports/inheritance.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { type Controller, controllersOf, isLasting } from "./controllers.ts";

/** What the driver connects with when nothing else was asked for. */
const defaults = { ctrlLossTmoSeconds: -1, reconnectDelaySeconds: 5 };

/** What sysfs keeps of connections: addresses, times, and whose disks there are. */
export class LinuxConnectionTraces implements ConnectionTraces {
  readonly #sysfs: Sysfs;

  constructor(sysfs: Sysfs) {
    this.#sysfs = sysfs;
  }

  originOf(nqn: Nqn): ConnectionOrigin | undefined {
    const controllers = controllersOf(this.#sysfs, nqn).filter(isLasting);
    const paths = controllers.flatMap((controller) => pathOf(controller) ?? []);
    const [first] = paths;
    const [controller] = controllers;
    if (first === undefined || controller === undefined) return undefined;
    const { port } = first;
    const addresses = paths.filter((path) => path.port === port).map(({ address }) => address);
    return {
      target: { nqn, addresses: [...new Set(addresses)], port },
      connect: this.#optionsOf(controller),
    };
  }

  /**
   * By its number while the kernel knows it. Later by its name: with native multipath `nvme3n1` is of subsystem 3,
   * which stays for as long as a mount holds the disk; and of Btrfs the name is all that mountinfo shows.
   */
  ownerOf({ majorMinor, source }: Mount): string | undefined {
    const sysfs = this.#sysfs;
    if (sysfs.exists("dev", "block", majorMinor))
      return sysfs.read("dev", "block", majorMinor, "device", "subsysnqn");
    const [, subsystem] = /^\/dev\/nvme(\d+)n\d+$/.exec(source) ?? [];
    const isShared = sysfs.read("module", "nvme_core", "parameters", "multipath") === "Y";
    if (subsystem === undefined || !isShared) return undefined;
    return sysfs.read("class", "nvme-subsystem", `nvme-subsys${subsystem}`, "subsysnqn");
  }

  /** "off" = for ever. Source: Linux, drivers/nvme/host/sysfs.c, `nvme_ctrl_loss_tmo_show` and its neighbours. */
  #optionsOf({ name }: Controller): ConnectOptions {
    const number = (attribute: string) => this.#sysfs.readNumber("class", "nvme", name, attribute);
    return {
      ctrlLossTmoSeconds: number("ctrl_loss_tmo") ?? defaults.ctrlLossTmoSeconds,
      reconnectDelaySeconds: number("reconnect_delay") ?? defaults.reconnectDelaySeconds,
      keepAliveTmoSeconds: number("kato") || undefined,
      nrIoQueues: undefined,
    };
  }
}

function pathOf({ address }: Controller) {
  const fields = new Map(
    address.split(",").map((field) => field.split("=", 2) as [string, string | undefined]),
  );
  const [host, port] = [fields.get("traddr"), Number(fields.get("trsvcid"))];
  return host === undefined || !Number.isInteger(port) ? undefined : { address: host, port };
}
