import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { failureOf, KernelRefusal, splitOption } from "./nvme-answers.ts";
import { SysfsTree } from "./sysfs-tree.ts";

export interface FakeNamespace {
  sizeBytes: number;
  blockBytes?: number;
  /** A namespace that comes back with another one is another namespace to the kernel. */
  uuid?: string;
}

interface FakeController {
  readonly name: string;
  readonly instance: number;
  readonly subsystem: FakeSubsystem;
  readonly address: string;
  readonly port: string;
  readonly hostNqn: string;
  readonly hostId: string;
  state: string;
}

interface FakeSubsystem {
  readonly instance: number;
  readonly nqn: string;
  /** Head number of the disk that is shown, and those a mount holds on to. */
  disk: { readonly head: number; readonly uuid: string } | undefined;
  readonly heldHeads: Set<number>;
}

export interface NvmeKernelOptions {
  /** `nvme_core.multipath` */
  readonly multipath?: boolean;
  /** Deleting a controller succeeds and it stays, as one that waits for its commands does. */
  readonly disconnectHangs?: boolean;
}

/**
 * The NVMe part of a Linux kernel, as observed on Linux 6.1 and 6.12, behind what the driver writes to it and behind
 * nvme-cli for anybody else: real files in a `/sys` and `/dev` of its own. Hold it by `using`.
 */
export class NvmeKernel implements Disposable {
  readonly tree = new SysfsTree();
  /** Command lines that were run, or what was written and where. */
  readonly commands: string[] = [];
  readonly #options: NvmeKernelOptions;
  /** What each `address:port` exports now. */
  readonly #targets = new Map<string, Map<string, FakeNamespace>>();
  readonly #controllers: FakeController[] = [];
  readonly #subsystems: FakeSubsystem[] = [];
  readonly #nodes = new Map<string, string>();
  /** Numbers of controllers that have gone while a mount holds their disk. */
  readonly #heldInstances = new Set<number>();
  #minors = 0;

  constructor(options: NvmeKernelOptions = {}) {
    this.#options = options;
    const multipath = options.multipath === false ? "N" : "Y";
    this.tree.attributes("module/nvme_core/parameters", { multipath, io_timeout: 30 });
    for (const folder of ["class/nvme", "class/nvme-subsystem", "block"])
      this.tree.attributes(folder, {});
    mkdirSync(this.dev);
    writeFileSync(join(this.dev, "nvme-fabrics"), "");
  }

  get dev(): string {
    return join(this.tree.root, "dev-nodes");
  }

  /** Device number of a node in `dev`. */
  readonly deviceNumberOf = (path: string): string | undefined => this.#nodes.get(path);

  export(nqn: string, namespace: FakeNamespace, at = "10.0.0.1:4420"): void {
    const exported = this.#targets.get(at) ?? new Map<string, FakeNamespace>();
    this.#targets.set(at, exported.set(nqn, namespace));
  }

  unexport(nqn: string, at = "10.0.0.1:4420"): void {
    this.#targets.get(at)?.delete(nqn);
  }

  readonly exec: Exec = async ({ file, args, input = "", output }, ctx) => {
    this.commands.push(
      output === undefined ? [file, ...args].join(" ") : `${input} > ${basename(output.path)}`,
    );
    if (file !== "nvme" && (file !== "dd" || output === undefined))
      throw new ExecError(file, { reason: "is not installed", notInstalled: true });
    if (ctx.signal.aborted) throw new ExecError(file, { reason: "was ended", aborted: true });
    try {
      if (output === undefined) this.#runCli(args);
      else this.#write(input, output.path);
    } catch (error) {
      throw failureOf(file, error);
    }
    return { stdout: "", stderr: "" };
  };

  #runCli([verb, ...rest]: readonly string[]): void {
    const options = new Map(rest.map((arg) => splitOption(arg.replace(/^--/, ""))));
    if (verb === "connect") this.#connect(options);
    else if (verb === "disconnect") this.#disconnect(this.#of(options.get("nqn") ?? ""));
    else throw new Error(`unknown command ${verb}`);
  }

  #write(text: string, path: string): void {
    if (basename(path) === "nvme-fabrics") {
      this.#connect(new Map(text.split(",").map((option) => splitOption(option))));
    } else if (basename(path) === "delete_controller" && text === "1") {
      const name = basename(dirname(path));
      this.#disconnect(this.#controllers.filter((controller) => controller.name === name));
    } else if (basename(path) === "reset_controller" && text === "1") {
      this.setState(basename(dirname(path)), "live");
    } else throw new Error(`nobody writes "${text}" to "${path}"`);
  }

  /** The target cannot be reached: controllers reconnect, disks stay and block. */
  startOutage(nqn: string): void {
    for (const controller of this.#of(nqn)) this.setState(controller.name, "connecting");
  }

  /** ctrl_loss_tmo has passed: controllers and disks go; a mount keeps subsystem and disk number. */
  loseControllers(nqn: string, mounted: boolean): void {
    for (const controller of this.#of(nqn)) this.#remove(controller, mounted);
  }

  /** ctrl_loss_tmo has passed for one of several controllers. */
  giveUp(name: string): void {
    const controller = this.#controllers.find((candidate) => candidate.name === name);
    if (controller !== undefined) this.#remove(controller, false);
  }

  /** The target answers again: with another namespace identity the disk goes, and only a rescan brings one. */
  endOutage(nqn: string): void {
    for (const controller of this.#of(nqn)) {
      this.setState(controller.name, "live");
      const { subsystem } = controller;
      const found = this.#targets.get(`${controller.address}:${controller.port}`)?.get(nqn);
      if (subsystem.disk !== undefined && subsystem.disk.uuid !== found?.uuid)
        this.#hideDisk(subsystem, true);
    }
  }

  setState(name: string, state: string): void {
    const controller = this.#controllers.find((candidate) => candidate.name === name);
    if (controller !== undefined) controller.state = state;
    this.tree.attributes(controllerFolder(name), { state });
  }

  /** Commands of a controller are under way. @param counts - Whether the kernel was told to count them. */
  setBusy(name: string, inflight: string, counts = true): void {
    const folder = controllerFolder(name);
    for (const path of this.tree.sysfs
      .list("class", "nvme", name)
      .filter((entry) => /n\d+$/.test(entry)))
      this.tree.attributes(`${folder}/${path}`, { inflight, "queue/iostats": counts ? 1 : 0 });
  }

  /** Does what was written to `rescan_controller`. */
  rescan(): void {
    for (const controller of this.#controllers) {
      const path = join(this.tree.root, controllerFolder(controller.name), "rescan_controller");
      if (readFileSync(path, "utf8").trim() !== "1") continue;
      writeFileSync(path, "");
      this.#showDisk(controller);
    }
  }

  controllersOf(nqn: string): readonly string[] {
    return this.#of(nqn).map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }

  #of(nqn: string): FakeController[] {
    return this.#controllers.filter(({ subsystem }) => subsystem.nqn === nqn);
  }

  #connect(options: ReadonlyMap<string, string>): void {
    const names = ["nqn", "traddr", "trsvcid", "hostnqn", "hostid"];
    const [nqn = "", address = "", port = "", hostNqn = "", hostId = ""] = names.map((name) =>
      options.get(name),
    );
    const connected = this.#of(nqn).some(
      (other) => other.address === address && other.port === port,
    );
    if (connected) throw new KernelRefusal("Operation already in progress");
    // Observed on Linux 6.12, with "found same hostnqn but different hostid" in the kernel's log only.
    if (this.#controllers.some((other) => other.hostNqn === hostNqn && other.hostId !== hostId))
      throw new KernelRefusal("Invalid argument");
    if (!this.#targets.get(`${address}:${port}`)?.has(nqn))
      throw new KernelRefusal("Input/output error");
    const taken = this.#controllers.map((other) => other.instance);
    const instance = free([...taken, ...this.#heldInstances]);
    const subsystem = this.#subsystemFor(nqn);
    const name = `nvme${instance}`;
    const where = { instance, subsystem, address, port };
    const controller = { name, ...where, hostNqn, hostId, state: "live" };
    this.#controllers.push(controller);
    this.tree.attributes(controllerFolder(name), {
      state: "live",
      subsysnqn: nqn,
      transport: "tcp",
      address: `traddr=${address},trsvcid=${port},src_addr=10.0.0.7`,
      hostnqn: hostNqn,
      hostid: hostId,
      rescan_controller: "",
      reset_controller: "",
      delete_controller: "",
    });
    this.tree.link(`class/nvme/${name}`, controllerFolder(name));
    this.tree.link(`${subsystemFolder(subsystem)}/${name}`, controllerFolder(name));
    this.#showDisk(controller);
  }

  #disconnect(controllers: readonly FakeController[]): void {
    if (controllers.length === 0) throw new KernelRefusal("No such device");
    for (const controller of controllers) {
      if (this.#options.disconnectHangs) this.setState(controller.name, "deleting (no IO)");
      else this.#remove(controller, false);
    }
  }

  #subsystemFor(nqn: string): FakeSubsystem {
    const known = this.#subsystems.find((candidate) => candidate.nqn === nqn);
    if (known !== undefined) return known;
    const instance = free(this.#subsystems.map((other) => other.instance));
    const subsystem = { instance, nqn, disk: undefined, heldHeads: new Set<number>() };
    this.#subsystems.push(subsystem);
    this.tree.attributes(subsystemFolder(subsystem), { subsysnqn: nqn });
    this.tree.link(`class/nvme-subsystem/nvme-subsys${instance}`, subsystemFolder(subsystem));
    return subsystem;
  }

  #showDisk(controller: FakeController): void {
    const { subsystem, address, port } = controller;
    const namespace = this.#targets.get(`${address}:${port}`)?.get(subsystem.nqn);
    if (namespace === undefined) return;
    const { uuid = "", sizeBytes, blockBytes = 512 } = namespace;
    const head = subsystem.disk?.head ?? free([...subsystem.heldHeads, 0]);
    subsystem.disk = { head, uuid };
    const folder = this.#diskFolder(controller, head);
    const name = folder.split("/").at(-1) ?? "";
    if (this.#options.multipath !== false)
      this.tree.attributes(
        `${controllerFolder(controller.name)}/nvme${subsystem.instance}c${controller.instance}n${head}`,
        { hidden: 1, ...idle },
      );
    const known = this.#nodes.get(`${this.dev}/${name}`);
    this.tree.attributes(folder, {
      size: sizeBytes / 512,
      "queue/logical_block_size": blockBytes,
      dev: known ?? `259:${++this.#minors}`,
      hidden: 0,
      ...idle,
    });
    if (known !== undefined) return;
    this.tree.link(`${folder}/device`, folder.split("/").slice(0, -1).join("/"));
    this.tree.link(`block/${name}`, folder);
    this.tree.link(`dev/block/259:${this.#minors}`, folder);
    this.#nodes.set(`${this.dev}/${name}`, `259:${this.#minors}`);
  }

  /** With multipath a disk belongs to the subsystem, without to the one controller. */
  #diskFolder({ name, instance, subsystem }: FakeController, head: number): string {
    return this.#options.multipath === false
      ? `${controllerFolder(name)}/nvme${instance}n${head}`
      : `${subsystemFolder(subsystem)}/nvme${subsystem.instance}n${head}`;
  }

  #hideDisk(subsystem: FakeSubsystem, mounted: boolean): void {
    const { disk } = subsystem;
    if (disk === undefined) return;
    for (const controller of this.#of(subsystem.nqn)) {
      const folder = this.#diskFolder(controller, disk.head);
      const name = folder.split("/").at(-1) ?? "";
      const path = `nvme${subsystem.instance}c${controller.instance}n${disk.head}`;
      this.tree.remove(`${controllerFolder(controller.name)}/${path}`);
      this.tree.remove(folder);
      this.tree.remove(`block/${name}`);
      this.tree.remove(`dev/block/${this.#nodes.get(`${this.dev}/${name}`)}`);
      this.#nodes.delete(`${this.dev}/${name}`);
    }
    if (mounted) subsystem.heldHeads.add(disk.head);
    subsystem.disk = undefined;
  }

  #remove(controller: FakeController, mounted: boolean): void {
    const { subsystem, name } = controller;
    if (this.#of(subsystem.nqn).length === 1) this.#hideDisk(subsystem, mounted);
    this.#controllers.splice(this.#controllers.indexOf(controller), 1);
    if (mounted) this.#heldInstances.add(controller.instance);
    this.tree.remove(controllerFolder(name));
    this.tree.remove(`class/nvme/${name}`);
    // A subsystem that a mount holds keeps its link to the controller, dangling when multipath is off.
    if (!mounted || this.#options.multipath !== false)
      this.tree.remove(`${subsystemFolder(subsystem)}/${name}`);
    if (mounted || this.#of(subsystem.nqn).length > 0) return;
    this.#subsystems.splice(this.#subsystems.indexOf(subsystem), 1);
    this.tree.remove(subsystemFolder(subsystem));
    this.tree.remove(`class/nvme-subsystem/nvme-subsys${subsystem.instance}`);
  }
}

/** As the kernel counts what it has sent and not heard of: reads, then writes. */
const idle = { inflight: "       0        0", "queue/iostats": 1 };

function controllerFolder(name: string): string {
  return `devices/virtual/nvme-fabrics/ctl/${name}`;
}

function subsystemFolder({ instance }: FakeSubsystem): string {
  return `devices/virtual/nvme-subsystem/nvme-subsys${instance}`;
}

function free(taken: readonly number[]): number {
  let number = 0;
  while (taken.includes(number)) number++;
  return number;
}
