import type { AccessMode, BlockAccess, FsType, VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { type Nqn, nqnFor } from "#domain/nqn.ts";
import { NoAnswer } from "#domain/ports/direct-reads.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "#node/host.ts";
import { LastingTools } from "#node/lasting-tools.ts";
import type { PublishRequest } from "#node/publish.ts";
import type { StageRequest } from "#node/stage.ts";
import { VolumeHealth } from "#node/volume-health.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { FakeDisk } from "./fake-disk.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { FaultPlan } from "./fault-plan.ts";
import { MemoryBlockDevices } from "./memory-block-devices.ts";
import { MemoryDeviceMapper } from "./memory-device-mapper.ts";
import { MemoryFilesystems } from "./memory-filesystems.ts";
import { MemoryHostPaths } from "./memory-host-paths.ts";
import { MemoryInitiator } from "./memory-initiator.ts";
import { MemoryMounts } from "./memory-mounts.ts";
import { MemoryStageRecords } from "./memory-stage-records.ts";

/** A volume as the controller knows it, attached to this node. */
export interface AttachedVolume {
  readonly volumeId: string;
  readonly disk: FakeDisk;
  /** Of a copy. */
  readonly source?: string;
  /** Of the present attachment. */
  nqn: Nqn;
  epoch: number;
}

/** One node, the appliance it can reach, and the kubelet's habits: where things are staged and published. */
export class NodeWorld {
  readonly kernel = new FakeKernel();
  readonly clock = new ManualClock();
  /** Devices that somebody waits for to answer a read, and since when. */
  readonly #unanswered = new Map<string, number>();
  readonly log = new RecordingLog();
  readonly faults = new FaultPlan();
  readonly records = new MemoryStageRecords();
  readonly paths = new MemoryHostPaths(this.kernel);
  readonly filesystems = new MemoryFilesystems(this.kernel);
  readonly mounts = new MemoryMounts(this.kernel, this.paths);
  readonly devices = new MemoryBlockDevices(this.kernel);
  readonly holds = new MemoryDeviceMapper(this.kernel);
  readonly tools = new LastingTools(this.clock);
  readonly health = new VolumeHealth();
  /** Devices that answer every read with an error. */
  readonly unreadable = new Set<string>();
  /** What the use cases get: every call passes the fault plan. */
  readonly host: NodeHost;
  readonly ctx: Context = testContext({ log: this.log });

  constructor({ canHold }: { readonly canHold: boolean } = { canHold: false }) {
    this.host = {
      initiator: this.faults.watch(new MemoryInitiator(this.kernel)),
      devices: this.faults.watch(this.devices),
      filesystems: this.faults.watch(this.filesystems),
      reads: this.faults.watch({ readDirect: async (path: string) => this.#read(path) }),
      mounts: this.faults.watch(this.mounts),
      paths: this.faults.watch(this.paths),
      records: this.faults.watch(this.records),
      holds: canHold ? this.faults.watch(this.holds) : undefined,
      tools: this.tools,
      health: this.health,
      clock: this.clock,
      deviceWaitMilliseconds: 5_000,
    };
  }

  /** A new, blank volume, attached to this node. */
  attach(volumeId: string, sizeBytes = GiB): AttachedVolume {
    return this.#attach(volumeId, new FakeDisk(sizeBytes));
  }

  /** Another volume, with what is on this one now, attached to this node. */
  attachCopy(volumeId: string, { disk, volumeId: source }: AttachedVolume, sizeBytes?: number) {
    return { ...this.#attach(volumeId, disk.copy(sizeBytes)), source };
  }

  #attach(volumeId: string, disk: FakeDisk): AttachedVolume {
    const volume = { volumeId, disk, nqn: nqnOf(volumeId, 1), epoch: 1 };
    this.kernel.exports.set(volume.nqn, disk);
    return volume;
  }

  /** The controller takes the volume from this node, and another node uses it meanwhile. */
  moveAway(volume: AttachedVolume): void {
    this.kernel.exports.delete(volume.nqn);
  }

  /** The controller attaches it here again, under a new epoch. */
  moveBack(volume: AttachedVolume): void {
    volume.epoch++;
    volume.nqn = nqnOf(volume.volumeId, volume.epoch);
    this.kernel.exports.set(volume.nqn, volume.disk);
  }

  stageRequest(volume: AttachedVolume, use = mountUse()): StageRequest {
    return {
      volumeId: volume.volumeId,
      target: { nqn: volume.nqn, addresses: ["192.0.2.10"], port: 4420 },
      minSizeBytes: volume.disk.sizeBytes,
      connect: {
        ctrlLossTmoSeconds: -1,
        reconnectDelaySeconds: 5,
        keepAliveTmoSeconds: undefined,
        nrIoQueues: undefined,
      },
      reconnect: { mode: "transparent", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
      use,
      stagingPath: stagingPathOf(volume),
      mkfsOptions: [],
      ...(volume.source !== undefined && { source: volume.source }),
    };
  }

  publishRequest(volume: AttachedVolume, pod: string, use = mountUse()): PublishRequest {
    const [stagingPath, targetPath] = [stagingPathOf(volume), targetPathOf(volume, pod)];
    return { volumeId: volume.volumeId, stagingPath, targetPath, use, readOnly: false };
  }

  /** What the watch loop does for a volume that is back: its hold follows. */
  async heal({ nqn }: AttachedVolume): Promise<void> {
    const [hold, device] = [this.kernel.holds.get(nqn), this.kernel.find(nqn)];
    if (hold === undefined || device === undefined) return;
    if (hold.isSuspended) await this.holds.resume(nqn, this.ctx);
    if (hold.under.majorMinor !== device.majorMinor)
      await this.holds.swap(device, () => true, this.ctx);
  }

  /** A pod writes a file: to a hold also while its volume is away. @throws with the kernel's words when it cannot. */
  write(path: string, name: string, content: string): void {
    const mount = this.topmost(path);
    if (mount?.device === undefined) throw new Error("ENOENT");
    if (mount.options.includes("ro")) throw new Error("EROFS");
    const { device } = mount;
    if ("under" in device && this.kernel.mayWait(device)) device.waiting.set(name, content);
    else if (this.kernel.isLive(device)) device.disk.files.set(name, content);
    else throw new Error("EIO");
  }

  #read(path: string): void {
    const device = this.kernel.deviceAt(path);
    if (device !== undefined && this.kernel.controllers.get(device.nqn)?.isMute === true) {
      const since = this.#unanswered.get(path) ?? this.clock.elapsed();
      this.#unanswered.set(path, since);
      const silentMs = this.clock.elapsed() - since;
      throw new NoAnswer(`Cannot read "${path}": no answer`, silentMs);
    }
    this.#unanswered.delete(path);
    if (device === undefined || !this.kernel.isLive(device) || this.unreadable.has(path))
      throw new DriverError("unavailable", `Cannot read "${path}": Input/output error`);
  }

  topmost(path: string) {
    return this.kernel.mounts.findLast(({ target }) => target === path);
  }

  mountsAt(path: string): readonly Mount[] {
    return this.kernel.mounts.filter(({ target }) => target === path);
  }

  /** Warnings that were logged, by their message. */
  get warnings(): readonly string[] {
    return this.log.records.filter(({ level }) => level === "warn").map(({ message }) => message);
  }
}

function nqnOf(volumeId: string, counter: number): Nqn {
  return nqnFor(volumeId as Slot, { counter, nonce: "abcd1234" });
}

export function stagingPathOf({ volumeId }: { readonly volumeId: string }): string {
  return `/var/lib/kubelet/plugins/${volumeId}/globalmount`;
}

export function targetPathOf({ volumeId }: { readonly volumeId: string }, pod: string): string {
  return `/var/lib/kubelet/pods/${pod}/volumes/${volumeId}/mount`;
}

export function mountUse(
  accessMode: AccessMode = "single-node-writer",
  fsType: FsType = "ext4",
  mountFlags: readonly string[] = [],
): VolumeUse {
  return { accessMode, access: { type: "mount", fsType, mountFlags } };
}

export function blockUse(accessMode: AccessMode = "single-node-writer"): VolumeUse {
  return { accessMode, access: { type: "block" } satisfies BlockAccess };
}
