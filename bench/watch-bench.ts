import { type Nqn, nqnFor } from "#domain/nqn.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import { LinuxConnections } from "#linux/nvme/connections.ts";
import { RememberedRecords } from "#node/watch/remembered-records.ts";
import { Watch } from "#node/watch/watch.ts";
import { testContext } from "#test/fakes/context.ts";
import { blockUse, NodeWorld } from "#test/fakes/node/node-world.ts";
import { NvmeKernel } from "#test/fakes/nvme-kernel.ts";
import type { Figure } from "./table.ts";

const volumes = 300;
const seconds = 60;

/**
 * The loop over 300 healthy volumes, on a sysfs of real files, a second of its clock after the other. Left out: the
 * one dmsetup process in ten seconds that looks for failed paths.
 */
export async function watchLoop(): Promise<Figure[]> {
  using kernel = new NvmeKernel();
  const world = new NodeWorld();
  const { tree, dev, deviceNumberOf } = kernel;
  for (let index = 0; index < volumes; index++) await addVolume(index, kernel, world);
  const host = {
    ...world.host,
    records: new RememberedRecords(world.records),
    connections: new LinuxConnections({ sysfs: tree.sysfs, dev, deviceNumberOf }, world.clock),
    reads: { readDirect: async () => {} },
    survey: undefined,
    attachments: { check: async () => "unknown" as const },
  };
  const watch = new Watch({ host, locks: new KeyedMutex(), log: world.log });
  const pass = async (count: number) => {
    for (let second = 0; second < count; second++) {
      world.clock.advance(1_000);
      await watch.tick();
      await watch.idle();
    }
  };
  // The first rounds look closely at each volume.
  await pass(30);
  const before = process.cpuUsage();
  await pass(seconds);
  const { user, system } = process.cpuUsage(before);
  await watch[Symbol.asyncDispose]();
  const measured = ((user + system) / (seconds * 1_000_000)) * 100;
  return [{ what: `watch loop, ${volumes} volumes`, measured, unit: "% of a core", atMost: 1 }];
}

async function addVolume(index: number, kernel: NvmeKernel, world: NodeWorld): Promise<void> {
  const volumeId = `pvc-${String(index).padStart(4, "0")}`;
  const nqn: Nqn = nqnFor(volumeId as Slot, { counter: 1, nonce: "abcd1234" });
  kernel.export(nqn, { sizeBytes: GiB, uuid: volumeId });
  const args = ["connect", "--traddr=10.0.0.1", "--trsvcid=4420", `--nqn=${nqn}`];
  await kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, testContext());
  const request = world.stageRequest(world.attach(volumeId), blockUse());
  const { minSizeBytes: _size, ...wanted } = request;
  await world.records.save({ ...wanted, phase: "staged" }, world.ctx);
}
