import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import test from "node:test";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { MiB } from "#lib/bytes.ts";
import { systemClock } from "#lib/clock.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import { LinuxBlockDevices } from "#linux/block-devices.ts";
import { LinuxHoldSurvey } from "#linux/device-mapper/hold-survey.ts";
import { deviceNumberOf } from "#linux/device-node.ts";
import { LinuxDirectReads } from "#linux/direct-read.ts";
import { LinuxFilesystems } from "#linux/filesystems/linux-filesystems.ts";
import { LinuxHostPaths } from "#linux/host-paths.ts";
import { LinuxConnections } from "#linux/nvme/connections.ts";
import { LastingTools } from "#node/lasting-tools.ts";
import { VolumeHealth } from "#node/volume-health.ts";
import { Watch } from "#node/watch/watch.ts";
import { MemoryStageRecords } from "#test/fakes/node/memory-stage-records.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { waitFor } from "../rig/wait-for.ts";
import { neverGivesUp, sh, type TestVolume, World } from "../rig/world.ts";

const sectors = (64 * MiB) / 512;
const badSector = 65_536;

/** The driver's own watch on this machine, over one raw block volume. */
function watchOf(world: World, { target }: TestVolume, log: RecordingLog): Watch {
  const { exec, dmsetup, sysfs, initiator, mounts, holds } = world;
  const records = new MemoryStageRecords();
  const volume: StagedVolume = {
    volumeId: "pvc-a",
    target,
    connect: neverGivesUp,
    use: { accessMode: "single-node-writer", access: { type: "block" } },
    stagingPath: "/mnt/none",
    mkfsOptions: [],
    reconnect: { mode: "transparent", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
    phase: "staged",
  };
  records.volumes.set(volume.volumeId, volume);
  const devices = new LinuxBlockDevices(exec, sysfs);
  const host = {
    initiator,
    devices,
    filesystems: new LinuxFilesystems({ exec, devices, sysfs }),
    mounts,
    paths: new LinuxHostPaths(exec),
    records,
    holds,
    tools: new LastingTools(systemClock),
    health: new VolumeHealth(),
    clock: systemClock,
    deviceWaitMilliseconds: 5_000,
    connections: new LinuxConnections({ sysfs, dev: "/dev", deviceNumberOf }, systemClock),
    reads: new LinuxDirectReads(exec),
    survey: new LinuxHoldSurvey(dmsetup, sysfs),
    attachments: { check: async () => "unknown" as const },
  };
  return new Watch({ host, locks: new KeyedMutex(), log });
}

async function read(device: string, skip: number): Promise<number> {
  const args = [`if=${device}`, "of=/dev/null", "bs=4096", "count=1", `skip=${skip}`];
  const [exitCode] = await once(spawn("dd", [...args, "iflag=direct", "status=none"]), "close");
  return exitCode;
}

test("a block that cannot be read gives its reader an error, and does not hold up the volume", async () => {
  using world = new World();
  const volume = world.volume("a", 64);
  const loop = sh(`losetup --find --show ${volume.image}`).trim();
  const rest = badSector + 8;
  const table = [
    `0 ${badSector} linear ${loop} 0`,
    `${badSector} 8 error`,
    `${rest} ${sectors - rest} linear ${loop} ${rest}`,
  ].join("\n");
  sh(`dmsetup --noudevsync create bad-disk <<'END'\n${table}\nEND`);
  const image = `/dev/${sh("basename $(readlink -f /sys/block/dm-*)").trim()}`;
  world.export({ ...volume, image });
  const hold = await world.holds.create(await world.connect(volume), world.ctx);
  const log = new RecordingLog();
  await using watch = watchOf(world, volume, log);
  watch.start();
  assert.equal(await read(hold.path, 0), 0);
  assert.equal(await read(hold.path, badSector / 8), 1, "the bad block's reader gets an error");
  await waitFor("the hold is ready again", async () => {
    const { queueing, paths } = await world.holds.status(volume.nqn, world.ctx);
    return queueing && paths.every((path) => path === "active");
  });
  assert.equal(await read(hold.path, 1), 0, "another block is read");
  const decided = log.records.flatMap(({ fields }) => fields["do"] ?? []);
  assert.ok(decided.includes("reinstate") && decided.includes("pass-errors"), `${decided}`);
});
