import { join } from "node:path";
import type { Exec } from "#linux/exec.ts";
import { ExecError, type ExecFailure } from "#linux/exec-error.ts";
import { SysfsTree } from "./sysfs-tree.ts";

interface FakeTable {
  readonly sectors: number;
  /** Major:minor of both entries, or of a bare device; `undefined` for a table that only fails. */
  readonly device: string | undefined;
  /** Bare: a device and a tail that only fails. */
  readonly bare: boolean;
}

interface FakeDevice {
  readonly name: string;
  readonly node: string;
  readonly majorMinor: string;
  live: FakeTable | undefined;
  inactive: FakeTable | undefined;
  suspended: boolean;
  queueing: boolean;
  failed: boolean;
  openCount: number;
}

/** How a call shall fail, once, before it has done anything. */
export interface DmFault {
  readonly verb: string;
  readonly failure: ExecFailure;
  /** So many of its calls go well before. */
  readonly after?: number;
}

/**
 * The device-mapper of a Linux kernel with dmsetup in front of it, as observed on Linux 6.1 and 6.12: real files in
 * a `/sys` of its own. Hold it by `using`.
 */
export class DmKernel implements Disposable {
  readonly tree = new SysfsTree();
  readonly dev = join(this.tree.root, "dev-nodes");
  /** Verbs of dmsetup that were run. */
  readonly verbs: string[] = [];
  /** Taken off as they happen. */
  readonly faults: DmFault[] = [];
  /** Whether `/dev` is the host's. */
  hostDev = true;
  readonly #devices = new Map<string, FakeDevice>();
  readonly #disks = new Map<string, { sectors: number; mounted: boolean }>();

  constructor() {
    this.tree.attributes("block", {});
  }

  /** A namespace's disk, whose device number is never used again. */
  addDisk(majorMinor: string, sizeBytes: number, blockBytes = 4096): void {
    this.#disks.set(majorMinor, { sectors: sizeBytes / 512, mounted: false });
    this.tree.attributes(`dev/block/${majorMinor}/queue`, { logical_block_size: blockBytes });
    this.tree.attributes(`dev/block/${majorMinor}/holders`, {});
  }

  removeDisk(majorMinor: string): void {
    this.#disks.delete(majorMinor);
    this.tree.remove(`dev/block/${majorMinor}`);
  }

  mountDisk(majorMinor: string): void {
    const disk = this.#disks.get(majorMinor);
    if (disk !== undefined) disk.mounted = true;
  }

  device(name: string): Readonly<FakeDevice> | undefined {
    return this.#devices.get(name);
  }

  names(): string[] {
    return [...this.#devices.keys()];
  }

  open(name: string): void {
    this.#require(name, "open").openCount += 1;
  }

  failPaths(name: string): void {
    this.#require(name, "message").failed = true;
  }

  /** As a plugin leaves it that is killed in the middle of a change. */
  suspend(name: string): void {
    this.#require(name, "suspend").suspended = true;
    this.#show();
  }

  readonly deviceNumberOf = (path: string): string | undefined => {
    const found = [...this.#devices.values()].find(({ node }) => join(this.dev, node) === path);
    return this.hostDev ? found?.majorMinor : undefined;
  };

  readonly exec: Exec = async ({ file, args, input }, ctx) => {
    if (ctx.signal.aborted) throw new ExecError(file, { reason: "was ended", aborted: true });
    const words = args.filter((arg) => !/^--(no|retry)/.test(arg) || arg === "--notable");
    const [verb = "", ...rest] = words;
    this.verbs.push(verb);
    const failure = this.#planned(verb);
    if (failure !== undefined) throw new ExecError(file, failure);
    const stdout = this.#run(verb, rest, input);
    this.#show();
    return { stdout, stderr: "" };
  };

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }

  #planned(verb: string): ExecFailure | undefined {
    const index = this.faults.findIndex((candidate) => candidate.verb === verb);
    const [fault] = index === -1 ? [] : this.faults.splice(index, 1);
    if (fault?.after === undefined || fault.after === 0) return fault?.failure;
    this.faults.push({ ...fault, after: fault.after - 1 });
    return undefined;
  }

  #run(verb: string, args: readonly string[], input = ""): string {
    if (verb === "create") return this.#create(args);
    if (verb === "info" && args.at(-1) === "name") return `${this.names().join("\n")}\n`;
    const [name = ""] = args;
    if (verb === "table" || verb === "status")
      return /^(--.*)?$/.test(name)
        ? this.#reportAll(verb)
        : report(this.#require(name, verb), verb);
    const device = this.#require(name, verb);
    if (verb === "load") this.#load(device, input);
    else this.#change(device, verb, args);
    return "";
  }

  #reportAll(verb: "table" | "status"): string {
    const lines = [...this.#devices.values()].flatMap((device) =>
      report(device, verb)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => `${device.name}: ${line}\n`),
    );
    return lines.length > 0 ? lines.join("") : "No devices found\n";
  }

  /** In place of multipath nothing is taken that has no `error` target. */
  #load(device: FakeDevice, text: string): void {
    const { name, live } = device;
    const isMultipath = live?.device !== undefined && !live.bare;
    if (isMultipath && !/ multipath | error/.test(text))
      throw refusal("reload", name, "Invalid argument");
    device.inactive = this.#tableOf(name, text);
  }

  #change(device: FakeDevice, verb: string, args: readonly string[]): void {
    if (verb === "clear") device.inactive = undefined;
    else if (verb === "resume") this.#resume(device);
    else if (verb === "suspend") device.suspended = true;
    else if (verb === "remove") this.#remove(device);
    else if (verb === "message") this.#message(device, args.slice(2));
  }

  #create([name = "", ...options]: readonly string[]): string {
    if (this.#devices.has(name)) throw refusal("create", `${name} ${name}`, busy);
    const table = options[options.indexOf("--table") + 1];
    const live = options.includes("--notable") ? undefined : this.#tableOf(name, table ?? "");
    const minor = this.#devices.size;
    this.#devices.set(name, {
      name,
      node: `dm-${minor}`,
      majorMinor: `253:${minor}`,
      live,
      inactive: undefined,
      suspended: false,
      queueing: true,
      failed: false,
      openCount: 0,
    });
    return "";
  }

  /** The size is looked at only by `resume`. */
  #tableOf(name: string, text: string): FakeTable {
    const lines = text.trim().split("\n");
    const sectors = lines.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0);
    const device = /(\d+:\d+) [01]$/m.exec(text)?.[1];
    const bare = text.includes(" linear ");
    if (device === undefined) return { sectors, device, bare };
    const disk = this.#disks.get(device);
    if (disk === undefined) throw refusal("reload", name, "No such device or address");
    if (disk.mounted) throw refusal("reload", name, busy);
    return { sectors, device, bare };
  }

  #resume(device: FakeDevice): void {
    const { name, inactive, live } = device;
    device.inactive = undefined;
    if (inactive !== undefined) {
      device.suspended = true;
      const disk = this.#disks.get(inactive.device ?? "");
      const tail = inactive.bare ? tailSectors : 0;
      if ((disk?.sectors ?? 0) < inactive.sectors - tail) throw this.#shown("resume", name);
      Object.assign(device, { live: inactive, queueing: true, failed: false });
    } else if (live === undefined) throw refusal("resume", name, "Invalid argument");
    device.suspended = false;
  }

  #shown(ioctl: string, name: string): ExecError {
    this.#show();
    return refusal(ioctl, name, "Invalid argument");
  }

  #remove(device: FakeDevice): void {
    if (device.openCount > 0) throw refusal("remove", device.name, busy);
    this.#devices.delete(device.name);
    this.tree.remove(`block/${device.node}`);
    for (const disk of this.#disks.keys())
      this.tree.remove(`dev/block/${disk}/holders/${device.node}`);
    this.tree.remove(`dev/block/${device.majorMinor}`);
  }

  #message(device: FakeDevice, [what, path]: readonly string[]): void {
    if (device.suspended) throw refusal("message", device.name, busy);
    if (device.live?.bare) throw refusal("message", device.name, "Invalid argument");
    if (what === "reinstate_path") {
      if (path !== device.live?.device) throw refusal("message", device.name, "Invalid argument");
      device.failed = false;
    } else device.queueing = what === "queue_if_no_path";
  }

  #require(name: string, verb: string): FakeDevice {
    const device = this.#devices.get(name);
    if (device !== undefined) return device;
    const stderr = ["info", "status"].includes(verb)
      ? "Device does not exist.\nCommand failed.\n"
      : `device-mapper: ${verb} ioctl on ${name}  failed: No such device or address\nCommand failed.\n`;
    throw new ExecError("dmsetup", { reason: "failed with exit code 1", exitCode: 1, stderr });
  }

  /** A device without table is not in sysfs. With its first one loaded it is, and on what that names, but has no size. */
  #show(): void {
    for (const { name, node, majorMinor, live, inactive, suspended } of this.#devices.values()) {
      const table = live ?? inactive;
      if (table === undefined) continue;
      const folder = `block/${node}`;
      this.tree.attributes(folder, { dev: majorMinor, size: live?.sectors ?? 0 });
      this.tree.attributes(`${folder}/dm`, { name, uuid: name, suspended: suspended ? 1 : 0 });
      this.tree.attributes(`dev/block/${majorMinor}/queue`, { logical_block_size: 4096 });
      this.tree.attributes(`class/bdi/${majorMinor}`, { max_ratio: 100, strict_limit: 0 });
      if (table.device !== undefined && this.#disks.has(table.device))
        this.tree.attributes(`dev/block/${table.device}/holders/${node}`, {});
    }
  }
}

const tailSectors = 8;
const busy = "Device or resource busy";

function refusal(ioctl: string, name: string, reason: string): ExecError {
  const stderr = `device-mapper: ${ioctl} ioctl on ${name} failed: ${reason}\nCommand failed.\n`;
  return new ExecError("dmsetup", { reason: "failed with exit code 1", exitCode: 1, stderr });
}

/** Of a device without a table there is nothing to tell. */
function report(device: FakeDevice, verb: "table" | "status"): string {
  if (device.live === undefined) return "";
  return verb === "table" ? tableText(device, device.live) : statusText(device, device.live);
}

function tableText(
  { queueing, suspended }: FakeDevice,
  { sectors, device, bare }: FakeTable,
): string {
  if (device === undefined) return `0 ${sectors} error \n`;
  const whole = sectors - tailSectors;
  if (bare) return `0 ${whole} linear ${device} 0\n${whole} ${tailSectors} error \n`;
  const features =
    queueing && !suspended
      ? "4 queue_if_no_path retain_attached_hw_handler queue_mode bio"
      : "3 retain_attached_hw_handler queue_mode bio";
  const group = `service-time 0 1 2 ${device} 1 1`;
  return `0 ${sectors} multipath ${features} 0 2 1 ${group} ${group} \n`;
}

function statusText({ failed }: FakeDevice, { sectors, device }: FakeTable): string {
  const group = `E 0 1 2 ${device} ${failed ? "F 1" : "A 0"} 0 1`;
  return `0 ${sectors} multipath 2 1 0 0 2 1 ${group} ${group} \n`;
}
