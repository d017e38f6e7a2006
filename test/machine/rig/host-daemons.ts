import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { waitFor } from "./wait-for.ts";
import { sh } from "./world.ts";

/** Made by daemons.sh. */
const folder = process.env["DAEMONS"] ?? "";

/** Makes the machine a host with Debian's udev, LVM and multipath-tools, and all of their rules. Of the daemons only udev runs. */
export function startUdev(): void {
  // As links: what is copied would be read through virtiofs.
  for (const part of ["usr", "etc"])
    sh(`cp --archive --symbolic-link --remove-destination ${folder}/${part}/. /${part}/`);
  sh("/lib/systemd/systemd-udevd --daemon");
}

/** As at boot (`add`), or when somebody asks udev to look at all disks again. */
export function trigger(action: "add" | "change"): void {
  sh(`udevadm trigger --subsystem-match=block --action=${action}`);
}

/** What udev has found out about a device, once it has nothing left to do. */
export function properties(path: string): string {
  return sh(`udevadm settle --timeout=50; udevadm info --query=property ${path}`);
}

/** Takes whatever it can find a WWID for. */
export const greedy = "defaults {\n  find_multipaths no\n}\n";

/** The real one, until it is disposed of. */
export class Multipathd implements Disposable {
  readonly #child: ChildProcess;

  /** @param config - `/etc/multipath.conf`; by default none, as Debian installs it. */
  static async start(config = ""): Promise<Multipathd> {
    // As Debian's unit and its modules-load.d do.
    sh("modprobe -a dm_multipath && mkdir -p /run/multipath");
    writeFileSync("/etc/multipath.conf", config);
    const daemon = new Multipathd();
    await waitFor("multipathd is ready", () => /idle|running/.test(daemon.tell("show daemon")));
    return daemon;
  }

  private constructor() {
    this.#child = spawn("multipathd", ["-d", "-s"], { stdio: ["ignore", "ignore", "inherit"] });
  }

  /** @returns what it answers, also when that is no. */
  tell(command: string): string {
    return sh(`multipathd ${command} 2>&1 || true`);
  }

  /** Gives it another configuration, which it follows from now on. */
  async configure(config: string): Promise<void> {
    writeFileSync("/etc/multipath.conf", config);
    this.tell("reconfigure all");
    await waitFor("multipathd is idle", () => /idle/.test(this.tell("show daemon")));
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
