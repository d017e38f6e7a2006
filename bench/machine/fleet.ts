import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { encodePublishContext } from "#domain/publish-context.ts";
import { parseVolumeParameters } from "#domain/volume-parameters.ts";
import { MiB } from "#lib/bytes.ts";
import { holdName } from "#linux/device-mapper/hold-name.ts";
import { formatTable } from "#linux/device-mapper/multipath-table.ts";
import { FileStageRecords } from "#linux/stage-records.ts";
import { mountCapability } from "#test/fakes/csi-requests.ts";
import type { ClusterVolume } from "../../test/machine/rig/cluster-volume.ts";
import type { Kubelet } from "../../test/machine/rig/kubelet.ts";
import { sh, type TestVolume, type World } from "../../test/machine/rig/world.ts";

const sizeMiB = 16;
/** One queue for each connection: the machine's memory is small. */
const context = { ctrlLossTmo: "-1", reconnectDelay: "1", nrIoQueues: "1" };

export interface FleetVolume {
  readonly volume: ClusterVolume;
  readonly publishContext: Record<string, string>;
  readonly exported: TestVolume;
}

/**
 * Volumes of one node, each with a file system that is there already, exported by the kernel's target. `bringUp` leaves
 * what NodeStageVolume leaves (connection, hold, mount, record), with one process for many volumes where the driver
 * takes a dozen for each, which under emulation would take an hour.
 */
export class Fleet {
  readonly #world: World;
  readonly #node: Kubelet;
  readonly #records: FileStageRecords;
  #count = 0;
  /** What mkfs writes: a few blocks of an image that is sparse otherwise. */
  #filesystem: ReadonlyMap<number, Uint8Array> | undefined;

  /** @param state - the node plugin's state directory. */
  constructor(world: World, node: Kubelet, state: string) {
    this.#world = world;
    this.#node = node;
    this.#records = new FileStageRecords(join(state, "volumes"));
  }

  /** Makes and exports a volume. */
  add(): FleetVolume {
    const name = String(this.#count).padStart(26, "0");
    this.#count += 1;
    const exported = this.#world.volume(name, sizeMiB);
    if (this.#filesystem === undefined) sh(`mkfs.ext4 -q -F -b 4096 ${exported.image}`);
    this.#filesystem ??= blocksOf(exported.image);
    writeBlocks(exported.image, this.#filesystem);
    this.#world.export(exported);
    const id = `pvc-${name}`;
    const publishContext = encodePublishContext({
      target: exported.target,
      minSizeBytes: sizeMiB * MiB,
    });
    return {
      volume: { name: id, id, capability: mountCapability("ext4"), context },
      publishContext,
      exported,
    };
  }

  /** While the plugin does not run. */
  async bringUp(volumes: readonly FleetVolume[]): Promise<void> {
    const holds: string[] = [];
    const mounts: string[] = [];
    for (const each of volumes) {
      // What nvme-cli writes there (Linux, drivers/nvme/host/fabrics.c: opt_tokens).
      const { nqn, addresses, port } = each.exported.target;
      const at = `transport=tcp,traddr=${addresses[0]},trsvcid=${port}`;
      const fabrics = openSync("/dev/nvme-fabrics", "r+");
      writeSync(fabrics, `nqn=${nqn},${at},nr_io_queues=1,reconnect_delay=1,ctrl_loss_tmo=-1`);
      closeSync(fabrics);
    }
    for (const { exported } of volumes) {
      const { nqn, majorMinor, sizeBytes } = await this.#world.device(exported);
      const table = formatTable(sizeBytes / 512, majorMinor);
      holds.push(`${holdName(nqn)},${holdName(nqn)},,rw,${table}`);
    }
    for (let from = 0; from < holds.length; from += 50) {
      const concise = holds.slice(from, from + 50).join(";");
      sh(`dmsetup --noudevsync --noudevrules create --concise '${concise}'`);
    }
    const known = new Map(
      (await this.#world.holds.list(this.#world.ctx)).map((hold) => [hold.nqn, hold.path]),
    );
    for (const { volume, exported } of volumes) {
      const stagingPath = this.#node.stagingPath(volume);
      mkdirSync(stagingPath, { recursive: true });
      mounts.push(`${known.get(exported.nqn)} ${stagingPath} ext4 nosuid,nodev 0 0\n`);
      await this.#records.save(
        {
          volumeId: volume.id,
          target: exported.target,
          ...parseVolumeParameters(context),
          use: {
            accessMode: "single-node-writer",
            access: { type: "mount", fsType: "ext4", mountFlags: [] },
          },
          stagingPath,
          mkfsOptions: [],
          phase: "staged",
          blockBytes,
        },
        this.#world.ctx,
      );
    }
    writeFileSync("/run/fstab", mounts.join(""));
    sh("mount -a -T /run/fstab");
  }
}

const blockBytes = 4096;

/** Those that are not all zero, by their offset. */
function blocksOf(image: string): ReadonlyMap<number, Uint8Array> {
  const bytes = readFileSync(image);
  const blocks = new Map<number, Uint8Array>();
  for (let offset = 0; offset < bytes.length; offset += blockBytes) {
    const block = bytes.subarray(offset, offset + blockBytes);
    if (block.some((byte) => byte !== 0)) blocks.set(offset, block);
  }
  return blocks;
}

function writeBlocks(image: string, blocks: ReadonlyMap<number, Uint8Array>): void {
  const file = openSync(image, "r+");
  for (const [offset, block] of blocks) writeSync(file, block, 0, blockBytes, offset);
  closeSync(file);
}
