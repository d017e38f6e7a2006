import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BlockDevice } from "#domain/block-device.ts";
import type { Nqn } from "#domain/nqn.ts";
import { nqnFor } from "#domain/nqn.ts";
import type { ConnectOptions, NvmeTarget } from "#domain/nvme-target.ts";
import type { Slot } from "#domain/volume-id.ts";
import { MiB } from "#lib/bytes.ts";
import { systemClock } from "#lib/clock.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { LinuxDeviceMapper } from "#linux/device-mapper/linux-device-mapper.ts";
import { deviceNumberOf } from "#linux/device-node.ts";
import { createExec } from "#linux/exec.ts";
import { LinuxMounts } from "#linux/mounts.ts";
import { Fabrics } from "#linux/nvme/fabrics.ts";
import { NvmeInitiator } from "#linux/nvme/nvme-initiator.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { KernelTarget } from "#sim/nvmet/kernel-target.ts";
import { testContext } from "#test/fakes/context.ts";
import { waitFor } from "./wait-for.ts";

const address = "127.0.0.1";
const port = 4420;
const otherPort = 4421;
const store = "/target";
const mountRoot = "/mnt";
const host = "11111111-2222-3333-4444-555555555555";

/** Gives up after 4 s, or never: what a scenario of an outage wants. */
export const givesUp = timing({ ctrlLossTmoSeconds: 4 });
export const neverGivesUp = timing({ ctrlLossTmoSeconds: -1 });

function timing({
  ctrlLossTmoSeconds,
}: Pick<ConnectOptions, "ctrlLossTmoSeconds">): ConnectOptions {
  return {
    ctrlLossTmoSeconds,
    reconnectDelaySeconds: 1,
    keepAliveTmoSeconds: 2,
    nrIoQueues: undefined,
  };
}

/** A volume of the target: its image, and where nodes find it. */
export interface TestVolume {
  readonly nqn: Nqn;
  readonly image: string;
  readonly target: NvmeTarget;
}

/**
 * The machine as appliance and node in one: the kernel's target exports images on `/dev/vda`, the driver's own
 * adapters bring them back. Disposing of it leaves the machine as it was, also after a scenario that failed.
 */
export class World implements Disposable {
  readonly ctx = testContext();
  readonly exec = createExec();
  readonly sysfs = new Sysfs("/sys");
  readonly target = new KernelTarget("/sys/kernel/config/nvmet", 1);
  /** Another port, which answers while the first one does not. */
  readonly otherTarget = new KernelTarget("/sys/kernel/config/nvmet", 2);
  readonly mounts = new LinuxMounts(this.exec);
  readonly dmsetup = new Dmsetup(this.exec);
  readonly holds = new LinuxDeviceMapper({
    dmsetup: this.dmsetup,
    sysfs: this.sysfs,
    dev: "/dev",
    deviceNumberOf,
  });
  readonly #host = { sysfs: this.sysfs, dev: "/dev", deviceNumberOf };
  readonly initiator = new NvmeInitiator({
    fabrics: new Fabrics(this.exec, this.#host),
    host: this.#host,
    identity: { hostNqn: `nqn.2014-08.org.nvmexpress:uuid:${host}`, hostId: host },
    clock: systemClock,
  });

  constructor() {
    mkdirSync(store, { recursive: true });
    sh(`mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=1 /dev/vda && mount /dev/vda ${store}`);
    this.target.listen(address, port);
    this.otherTarget.listen(address, otherPort);
  }

  /** A volume that the target knows and does not export yet. */
  volume(name: string, sizeMiB = 64, epoch = 1): TestVolume {
    const image = join(store, `${name}.img`);
    if (!existsSync(image)) writeFileSync(image, "");
    truncateSync(image, sizeMiB * MiB);
    const slot = `pvc-${name.padEnd(26, "a")}` as Slot;
    const nqn = nqnFor(slot, { counter: epoch, nonce: "abcdefgh" });
    return { nqn, image, target: { nqn, addresses: [address], port } };
  }

  /** Under an identity of its own, the same each time unless told otherwise. */
  export({ nqn, image }: TestVolume, namespaceUuid = uuidFor(nqn)): void {
    this.target.export({ nqn, image, namespaceUuid });
  }

  /** On the other port. */
  exportElsewhere(volume: TestVolume): TestVolume {
    const { nqn, image, target } = volume;
    this.otherTarget.export({ nqn, image, namespaceUuid: uuidFor(nqn) });
    return { ...volume, target: { ...target, port: otherPort } };
  }

  async connect(volume: TestVolume, options = neverGivesUp): Promise<BlockDevice> {
    await this.initiator.connect(volume.target, options, this.ctx);
    return this.device(volume);
  }

  /** The device, as soon as it is there. */
  async device({ nqn }: TestVolume): Promise<BlockDevice> {
    return waitFor(`a device of ${nqn}`, () => this.initiator.findDevice(nqn, this.ctx));
  }

  /** State of each controller of the volume: `live`, `connecting`, … */
  controllers({ nqn }: TestVolume): string[] {
    const names = this.sysfs.list("class", "nvme");
    return names
      .filter((name) => this.sysfs.read("class", "nvme", name, "subsysnqn") === nqn)
      .map((name) => this.sysfs.read("class", "nvme", name, "state") ?? "gone");
  }

  async waitForControllers(volume: TestVolume, ...states: readonly string[]): Promise<void> {
    await waitFor(`controllers of ${volume.nqn} are [${states}]`, () => {
      return this.controllers(volume).join() === states.join();
    });
  }

  /** Makes a file system and mounts it. @returns the mount point. */
  async mountNew(source: string, fsType: "ext4" | "xfs", name = "volume"): Promise<string> {
    const mkfs = fsType === "xfs" ? "mkfs.xfs -q -f" : "mkfs.ext4 -q -F";
    sh(`${mkfs} ${source}`);
    return this.mount(source, fsType, name);
  }

  async mount(source: string, fsType: string, name = "volume"): Promise<string> {
    const target = join(mountRoot, name);
    mkdirSync(target, { recursive: true });
    await this.mounts.mount({ source, target, fsType, options: [] }, this.ctx);
    return target;
  }

  [Symbol.dispose](): void {
    // In this order nothing waits: no queue, no connection, and what is left is only entries.
    quietly("for d in $(dmsetup ls | cut -f1); do dmsetup message $d 0 fail_if_no_path; done");
    quietly("nvme disconnect-all; grep -o ' /mnt/[^ ]*' /proc/mounts | tac | xargs -r umount -l");
    this.target.close();
    this.otherTarget.close();
    quietly(`dmsetup remove_all; losetup -D; umount ${store}`);
  }
}

/** A UUID: two namespaces with the same one are one to Linux, which ignores the second. */
export function uuidFor(text: string): string {
  const hex = createHash("md5").update(text).digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}

/** Runs a command of the scenario's own. @throws {Error} with what it said, when it fails. */
export function sh(command: string): string {
  const { status, stdout, stderr } = run(command);
  if (status !== 0) throw new Error(`Cannot run "${command}": exit code ${status}: ${stderr}`);
  return stdout;
}

function quietly(command: string): void {
  run(command);
}

function run(command: string) {
  return spawnSync("bash", ["-c", command], { encoding: "utf8", timeout: 60_000 });
}
