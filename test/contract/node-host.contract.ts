import assert from "node:assert/strict";
import type { BlockDevice } from "#domain/block-device.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import { MiB } from "#lib/bytes.ts";
import type { NodeHost } from "#node/host.ts";
import { testContext } from "#test/fakes/context.ts";

/** A host with one exported, blank image of 64 MiB or more, and a folder for mounts. */
export interface NodeHostHarness {
  readonly host: NodeHost;
  readonly nqn: Nqn;
  readonly folder: string;
}

type Check = (harness: NodeHostHarness) => Promise<void>;

const ctx = testContext();
const options = {
  ctrlLossTmoSeconds: -1,
  reconnectDelaySeconds: 5,
  keepAliveTmoSeconds: undefined,
  nrIoQueues: undefined,
};

/**
 * What the node's use cases rest on, of a fake Linux and of a real one.
 * @param contract - Declares one test.
 */
export function nodeHostContract(contract: (title: string, check: Check) => void): void {
  contract("connect() shows a device until disconnect(), and both may be repeated", connects);
  contract("connect() to what nobody exports is unavailable", refusesUnknown);
  contract("make() turns a blank device into one with a file system", formats);
  contract("mount() and bind() stack, and unmount() takes the topmost", stacks);
  contract("bind() shows a device node with its number, and not as a file system", bindsNode);
  contract("mount() of what is no such file system is internal", refusesMount);
  contract("mount() by a type that the kernel does not know is failed-precondition", knowsNoType);
  contract("removeIfEmpty() removes nothing but what is empty and not mounted", removes);
}

async function connected({ host, nqn }: NodeHostHarness): Promise<BlockDevice> {
  await host.initiator.connect({ nqn, addresses: ["127.0.0.1"], port: 4420 }, options, ctx);
  const device = await host.initiator.findDevice(nqn, ctx);
  assert.ok(device);
  return device;
}

async function formatted(harness: NodeHostHarness): Promise<BlockDevice> {
  const device = await connected(harness);
  await harness.host.filesystems.make(device.path, { fsType: "ext4", options: [] }, ctx);
  return device;
}

async function mountsAt({ host }: NodeHostHarness, path: string): Promise<readonly Mount[]> {
  return (await host.mounts.list(ctx)).filter(({ target }) => target === path);
}

async function connects(harness: NodeHostHarness): Promise<void> {
  const { host, nqn } = harness;
  assert.equal(await host.initiator.findDevice(nqn, ctx), undefined);
  const device = await connected(harness);
  assert.deepEqual(await connected(harness), device);
  assert.equal(device.nqn, nqn);
  assert.ok(device.sizeBytes >= 64 * MiB);
  assert.equal(await host.devices.majorMinorOf(device.path, ctx), device.majorMinor);
  assert.deepEqual(await host.devices.holders(device.majorMinor, ctx), []);
  await host.initiator.disconnect(nqn, ctx);
  await host.initiator.disconnect(nqn, ctx);
  assert.equal(await host.initiator.findDevice(nqn, ctx), undefined);
}

async function refusesUnknown({ host }: NodeHostHarness): Promise<void> {
  const nqn = "nqn.2000-02.com.mikrotik:pvc-nobody.1-abcdefgh" as Nqn;
  const target = { nqn, addresses: ["127.0.0.1"], port: 4420 };
  await assert.rejects(host.initiator.connect(target, options, ctx), { kind: "unavailable" });
  await assert.rejects(host.initiator.rescan(nqn, ctx), { kind: "unavailable" });
}

async function formats(harness: NodeHostHarness): Promise<void> {
  const { filesystems } = harness.host;
  const device = await connected(harness);
  assert.deepEqual(await filesystems.inspect(device.path, ctx), { kind: "blank" });
  await filesystems.make(device.path, { fsType: "ext4", options: [] }, ctx);
  const content = await filesystems.inspect(device.path, ctx);
  assert.ok(content.kind === "filesystem" && content.fsType === "ext4" && content.uuid);
}

async function stacks(harness: NodeHostHarness): Promise<void> {
  const { host, folder } = harness;
  const device = await formatted(harness);
  const [staging, target] = [`${folder}/staging`, `${folder}/target`];
  for (const path of [staging, target]) await host.paths.ensureDirectory(path, ctx);
  const request = { source: device.path, target: staging, fsType: "ext4" };
  await host.mounts.mount({ ...request, options: ["nosuid", "nodev"] }, ctx);
  const [mount] = await mountsAt(harness, staging);
  assert.ok(mount);
  const { root, majorMinor, fsType, source } = mount;
  assert.deepEqual(
    { root, majorMinor, fsType, source },
    { root: "/", majorMinor: device.majorMinor, fsType: "ext4", source: device.path },
  );
  for (const words of [
    ["nosuid", "nodev", "ro"],
    ["nosuid", "nodev"],
  ])
    await host.mounts.bind({ source: staging, target, options: words }, ctx);
  const binds = await mountsAt(harness, target);
  assert.deepEqual(
    binds.map((bind) => [bind.majorMinor, bind.root, bind.options.includes("ro")]),
    [
      [device.majorMinor, "/", true],
      [device.majorMinor, "/", false],
    ],
  );
  await host.mounts.unmount(target, ctx);
  assert.deepEqual(await mountsAt(harness, target), binds.slice(0, 1));
  await host.mounts.unmount(target, ctx);
  await host.mounts.unmount(target, ctx);
  assert.deepEqual(await mountsAt(harness, target), []);
}

async function bindsNode(harness: NodeHostHarness): Promise<void> {
  const { host, folder } = harness;
  const device = await connected(harness);
  const target = `${folder}/device`;
  await host.paths.ensureFile(target, ctx);
  assert.equal(await host.devices.majorMinorOf(target, ctx), undefined);
  await host.mounts.bind({ source: device.path, target, options: ["ro"] }, ctx);
  const [mount, ...others] = await mountsAt(harness, target);
  assert.deepEqual(others, []);
  assert.equal(mount?.fsType, "devtmpfs");
  assert.equal(mount.root, device.path.slice("/dev".length));
  assert.ok(mount.options.includes("ro"));
  assert.notEqual(mount.majorMinor, device.majorMinor);
  assert.equal(await host.devices.majorMinorOf(target, ctx), device.majorMinor);
  assert.equal(await host.paths.kindOf(target, ctx), "block-device");
  assert.deepEqual(
    await host.devices.majorMinorsOf([target, `${folder}/nothing`, device.path], ctx),
    new Map([target, device.path].map((path) => [path, device.majorMinor])),
  );
}

async function refusesMount(harness: NodeHostHarness): Promise<void> {
  const { host, folder } = harness;
  const device = await formatted(harness);
  const target = `${folder}/staging`;
  await host.paths.ensureDirectory(target, ctx);
  const request = { source: device.path, target, fsType: "xfs", options: [] };
  await assert.rejects(host.mounts.mount(request, ctx), { kind: "internal" });
  assert.deepEqual(await mountsAt(harness, target), []);
}

async function knowsNoType(harness: NodeHostHarness): Promise<void> {
  const { host, folder } = harness;
  const device = await formatted(harness);
  const target = `${folder}/staging`;
  await host.paths.ensureDirectory(target, ctx);
  const request = { source: device.path, target, fsType: "unheardof", options: [] };
  await assert.rejects(host.mounts.mount(request, ctx), {
    kind: "failed-precondition",
    message: /unknown filesystem type 'unheardof'/,
  });
  assert.deepEqual(await mountsAt(harness, target), []);
}

async function removes(harness: NodeHostHarness): Promise<void> {
  const { host, folder } = harness;
  const device = await connected(harness);
  const [outer, inner] = [`${folder}/outer`, `${folder}/outer/inner`];
  await host.paths.ensureDirectory(outer, ctx);
  await host.paths.ensureFile(inner, ctx);
  await assert.rejects(host.paths.removeIfEmpty(outer, ctx), { kind: "failed-precondition" });
  await host.mounts.bind({ source: device.path, target: inner, options: [] }, ctx);
  await assert.rejects(host.paths.removeIfEmpty(inner, ctx), { kind: "failed-precondition" });
  await host.mounts.unmount(inner, ctx);
  for (const path of [inner, inner, outer]) await host.paths.removeIfEmpty(path, ctx);
  assert.equal(await host.paths.kindOf(outer, ctx), undefined);
}
