import assert from "node:assert/strict";
import test from "node:test";
import type { FsType } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import { mountUse, NodeWorld, stagingPathOf } from "#test/fakes/node/node-world.ts";
import { LastingTools } from "./lasting-tools.ts";
import { stage } from "./stage.ts";

function rig(fsType: FsType) {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format(fsType);
  const request = world.stageRequest(volume, mountUse("single-node-writer", fsType));
  const refusal = `Cannot mount "/dev/nvme0n1" on "${stagingPathOf(volume)}"`;
  const assertGone = () => {
    assert.deepEqual(world.kernel.mounts, []);
    assert.equal(world.kernel.controllers.size, 0);
  };
  return { world, volume, request, refusal, assertGone };
}

test("stage() checks no file system that this kernel does not know, and says so", async () => {
  for (const fsType of ["ext4", "xfs", "btrfs"] as const) {
    const { world, request, refusal, assertGone } = rig(fsType);
    world.kernel.knownFilesystems.delete(fsType);
    await assert.rejects(stage(request, world.host, world.ctx), {
      kind: "failed-precondition",
      message: `${refusal}: unknown filesystem type '${fsType}'`,
    });
    assert.deepEqual(world.filesystems.checked, []);
    assertGone();
  }
});

test("stage() says first why the mount failed, then what the check found, also to the call that takes its result", async () => {
  const { world, volume, request, refusal, assertGone } = rig("xfs");
  volume.disk.isDamaged = true;
  const gate = Promise.withResolvers<void>();
  world.filesystems.whileRunning = () => gate.promise;
  const host = { ...world.host, tools: new LastingTools(world.clock, 10) };
  const since = world.clock.now().toISOString();
  await assert.rejects(stage(request, host, world.ctx), {
    kind: "operation-pending",
    message: `Cannot stage "${volume.nqn}" yet: ${refusal}: structure needs cleaning; the check of xfs on "/dev/nvme0n1" has been running since ${since}; it goes on, and a later call takes its result`,
  });
  gate.reject(new DriverError("failed-precondition", "Cannot repair it: its journal is full"));
  await assert.rejects(stage(request, host, world.ctx), {
    kind: "failed-precondition",
    message: `${refusal}: structure needs cleaning; Cannot repair it: its journal is full`,
  });
  assertGone();
});

test("stage() says that an ext4 has met errors when it cannot be repaired", async () => {
  const { world, volume, request, assertGone } = rig("ext4");
  volume.disk.errors = 3;
  world.filesystems.whileRunning = async () => {
    throw new DriverError("failed-precondition", "Cannot repair it: a person must decide");
  };
  await assert.rejects(stage(request, world.host, world.ctx), {
    kind: "failed-precondition",
    message:
      'The ext4 on "/dev/nvme0n1" has met errors, 3 since its last check; Cannot repair it: a person must decide',
  });
  assertGone();
});
