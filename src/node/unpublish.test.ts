import assert from "node:assert/strict";
import test from "node:test";
import { blockUse, NodeWorld, stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { unpublish } from "./unpublish.ts";

async function published(use = undefined as ReturnType<typeof blockUse> | undefined) {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  const targetPath = targetPathOf(volume, "pod");
  return { world, volume, targetPath, request: { volumeId: "pvc-1", targetPath } };
}

test("unpublish() removes mount and folder, and succeeds again when both are gone", async () => {
  const { world, volume, targetPath, request } = await published();
  world.write(targetPath, "precious", "data");
  await unpublish(request, world.host, world.ctx);
  await unpublish(request, world.host, world.ctx);
  assert.deepEqual(world.mountsAt(targetPath), []);
  assert.equal(world.paths.kindNow(targetPath), undefined);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(volume.disk.files.get("precious"), "data");
});

test("unpublish() unmounts every mount that retries have stacked (pitfall 1)", async () => {
  const { world, volume, targetPath, request } = await published();
  const [mount] = world.kernel.mounts.filter(({ target }) => target === targetPath);
  assert.ok(mount);
  world.kernel.mounts.push({ ...mount }, { ...mount });
  world.write(targetPath, "precious", "data");
  await unpublish(request, world.host, world.ctx);
  assert.deepEqual(world.mountsAt(targetPath), []);
  assert.equal(world.paths.kindNow(targetPath), undefined);
  assert.equal(volume.disk.files.get("precious"), "data");
});

test("unpublish() leaves a folder with content, and a file with data, and says so (pitfall 1)", async () => {
  const { world, targetPath, request } = await published();
  world.paths.addFile(`${targetPath}/precious`, "data");
  await assert.rejects(unpublish(request, world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot remove "${targetPath}": it is not empty`,
  });
  assert.equal(world.paths.kindNow(`${targetPath}/precious`), "file");

  const block = await published(blockUse());
  block.world.paths.addFile(block.targetPath, "data written while nothing was mounted");
  await assert.rejects(unpublish(block.request, block.world.host, block.world.ctx), {
    kind: "failed-precondition",
  });
  assert.equal(block.world.paths.kindNow(block.targetPath), "file");
});

test("unpublish() lets a pod go whose device is gone (pitfall 24)", async () => {
  const { world, volume, targetPath, request } = await published();
  world.kernel.drop(volume.nqn);
  world.kernel.busy.add(targetPath);
  await unpublish(request, world.host, world.ctx);
  assert.deepEqual(world.mountsAt(targetPath), []);
  assert.equal(world.paths.kindNow(targetPath), undefined);
  assert.deepEqual(world.kernel.damage, []);
});

test("unpublish() does not detach a busy mount whose device is there, or will come back", async () => {
  const { world, volume, targetPath, request } = await published();
  world.kernel.busy.add(targetPath);
  await assert.rejects(unpublish(request, world.host, world.ctx), { kind: "unavailable" });
  world.kernel.lose(volume.nqn);
  await assert.rejects(unpublish(request, world.host, world.ctx), { kind: "unavailable" });
  assert.equal(world.mountsAt(targetPath).length, 1);
});

test("unpublish() removes the file of a raw block volume", async () => {
  const { world, targetPath, request } = await published(blockUse());
  await unpublish(request, world.host, world.ctx);
  assert.deepEqual(world.mountsAt(targetPath), []);
  assert.equal(world.paths.kindNow(targetPath), undefined);
});

test("unpublish() refuses the staging path", async () => {
  const { world, volume } = await published();
  const request = { volumeId: "pvc-1", targetPath: stagingPathOf(volume) };
  await assert.rejects(unpublish(request, world.host, world.ctx), { kind: "invalid-argument" });
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});
