import assert from "node:assert/strict";
import test from "node:test";
import type { VolumeUse } from "#domain/access-mode.ts";
import { GiB } from "#lib/bytes.ts";
import type { Fault } from "#test/fakes/node/fault-plan.ts";
import {
  type AttachedVolume,
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { unpublish } from "./unpublish.ts";
import { unstage } from "./unstage.ts";

/** A kind of volume, and how to put one into a new world. */
interface Setting {
  readonly name: string;
  readonly use: VolumeUse;
  readonly hasData: boolean;
  /** Copied in use: its journal is to be replayed, and its file system smaller than its device. */
  readonly isCopy?: boolean;
  /** On a node that can hold. */
  readonly isHeld?: boolean;
}

const settings: readonly Setting[] = [
  { name: "a blank volume with a hold", use: mountUse(), hasData: false, isHeld: true },
  { name: "a volume with data and a hold", use: mountUse(), hasData: true, isHeld: true },
  { name: "a raw block volume with a hold", use: blockUse(), hasData: false, isHeld: true },
  { name: "a blank volume", use: mountUse(), hasData: false },
  { name: "a volume with data", use: mountUse("single-node-writer", "xfs"), hasData: true },
  { name: "a read-only volume", use: mountUse("multi-node-reader-only"), hasData: true },
  { name: "a Btrfs volume", use: mountUse("single-node-writer", "btrfs"), hasData: true },
  { name: "a copy", use: mountUse("single-node-writer", "xfs"), hasData: true, isCopy: true },
  { name: "a raw block volume", use: blockUse(), hasData: false },
];

/** Calls that kubelet makes for one volume and one pod. */
class Kubelet {
  readonly world: NodeWorld;
  readonly volume: AttachedVolume;
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.world = new NodeWorld({ canHold: setting.isHeld === true });
    this.volume = this.#attach();
  }
  #attach(): AttachedVolume {
    const { use, hasData, isCopy } = this.#setting;
    const volume = this.world.attach(isCopy === true ? "pvc-0" : "pvc-1");
    if (!hasData || use.access.type === "block") return volume;
    volume.disk.format(use.access.fsType);
    volume.disk.files.set("precious", "data");
    return isCopy === true ? this.world.attachCopy("pvc-1", volume, 2 * GiB) : volume;
  }
  async stage(): Promise<void> {
    await stage(
      this.world.stageRequest(this.volume, this.#setting.use),
      this.world.host,
      this.world.ctx,
    );
  }
  async publish(): Promise<void> {
    const request = this.world.publishRequest(this.volume, "pod", this.#setting.use);
    await publish(request, this.world.host, this.world.ctx);
  }
  async unpublish(): Promise<void> {
    const request = { volumeId: "pvc-1", targetPath: targetPathOf(this.volume, "pod") };
    await unpublish(request, this.world.host, this.world.ctx);
  }
  async unstage(): Promise<void> {
    const request = { volumeId: "pvc-1", stagingPath: stagingPathOf(this.volume) };
    await unstage(request, this.world.host, this.world.ctx);
  }

  assertDataIntact(): void {
    const { disk } = this.volume;
    assert.deepEqual(this.world.kernel.damage, []);
    assert.equal(disk.files.get("precious"), this.#setting.hasData ? "data" : undefined);
    assert.ok(!this.#setting.hasData || disk.formats === 1, "data was never formatted over");
  }
  assertStaged(): void {
    const staged = this.world.mountsAt(stagingPathOf(this.volume));
    assert.equal(staged.length, this.#setting.use.access.type === "mount" ? 1 : 0);
    assert.equal(this.world.kernel.controllers.get(this.volume.nqn)?.state, "live");
    const record = this.world.records.volumes.get("pvc-1");
    assert.equal(record?.phase, "staged");
    const { disk } = this.volume;
    const { content } = disk;
    const made = content.kind === "filesystem" ? content.uuid : undefined;
    assert.equal(record?.fsUuid, made, "else another file system would pass for this one");
    const isSmaller = this.world.warnings.some((text) => /could not be grown$/.test(text));
    if (this.#setting.isCopy === true && !isSmaller)
      assert.equal(disk.filesystemBytes, disk.sizeBytes);
    const hold = this.world.kernel.holds.get(this.volume.nqn);
    assert.equal(hold !== undefined, this.#setting.isHeld === true);
    assert.ok(staged.every(({ source }) => hold === undefined || source === hold.path));
  }
  assertGone(): void {
    assert.deepEqual(this.world.kernel.mounts, []);
    assert.equal(this.world.kernel.holds.size, 0);
    assert.equal(this.world.kernel.controllers.size, 0);
    assert.equal(this.world.records.volumes.size, 0);
  }
}

type Call = (kubelet: Kubelet) => Promise<void>;

/** Every point at which `call` can be struck, each in a world of its own, just after it was struck there. */
async function* struck(
  setting: Setting,
  call: Call,
  prepare: Call = async () => {},
): AsyncGenerator<{ kubelet: Kubelet; fault: Fault; failed: boolean }> {
  const whole = new Kubelet(setting);
  await prepare(whole);
  whole.world.faults.arm();
  await call(whole);
  const calls = whole.world.faults.calls;
  assert.ok(calls > 3, "there is something to strike");
  for (let at = 0; at < calls; at++)
    for (const what of ["fail", "die"] as const)
      for (const when of ["before", "after"] as const) {
        const kubelet = new Kubelet(setting);
        await prepare(kubelet);
        kubelet.world.faults.arm({ at, what, when });
        const failed = await call(kubelet).then(
          () => false,
          () => true,
        );
        kubelet.world.faults.arm();
        yield { kubelet, fault: { at, what, when }, failed };
      }
}

/** The same for a kill in the middle of mkfs. */
async function killedInMkfs(): Promise<Kubelet> {
  const kubelet = new Kubelet({ name: "blank", use: mountUse(), hasData: false });
  const { filesystems, faults } = kubelet.world;
  filesystems.onHalfMade = () => {
    faults.arm({ at: 0, what: "die", when: "before" });
    filesystems.onHalfMade = () => {};
    throw new Error("killed");
  };
  await assert.rejects(kubelet.stage());
  faults.arm();
  return kubelet;
}

for (const setting of settings) {
  test(`stage() of ${setting.name} ends well by a retry, wherever it was struck`, async () => {
    for await (const { kubelet } of struck(setting, (k) => k.stage())) {
      await kubelet.stage();
      kubelet.assertStaged();
      kubelet.assertDataIntact();
      await kubelet.unstage();
      kubelet.assertGone();
    }
  });

  test(`stage() of ${setting.name} ends well by a retry after a reboot, wherever it was struck`, async () => {
    for await (const { kubelet } of struck(setting, (k) => k.stage())) {
      kubelet.world.kernel.reboot();
      await kubelet.stage();
      kubelet.assertStaged();
      kubelet.assertDataIntact();
    }
  });

  test(`stage() of ${setting.name} leaves nothing that unstage() would not find, wherever it was struck`, async () => {
    for await (const { kubelet } of struck(setting, (k) => k.stage())) {
      await kubelet.unstage();
      kubelet.assertGone();
      kubelet.assertDataIntact();
    }
  });

  test(`stage() of ${setting.name} takes back what it did when a step fails`, async () => {
    for await (const { kubelet, fault, failed } of struck(setting, (k) => k.stage())) {
      if (fault.what === "die" || !failed) continue;
      const isSaved = kubelet.world.records.volumes.get("pvc-1")?.phase === "staged";
      if (isSaved) continue; // the last save had its effect: the volume is staged, as the retry will find
      assert.deepEqual(kubelet.world.kernel.mounts, [], JSON.stringify(fault));
      assert.equal(kubelet.world.kernel.holds.size, 0, JSON.stringify(fault));
      assert.equal(kubelet.world.kernel.controllers.size, 0, JSON.stringify(fault));
    }
  });

  test(`unstage() of ${setting.name} ends well by a retry, wherever it was struck`, async () => {
    for await (const { kubelet, failed } of struck(
      setting,
      (k) => k.unstage(),
      (k) => k.stage(),
    )) {
      if (!failed) kubelet.assertGone();
      await kubelet.unstage();
      kubelet.assertGone();
      kubelet.assertDataIntact();
    }
  });

  test(`publish() and unpublish() of ${setting.name} end well by a retry, wherever they were struck`, async () => {
    for await (const { kubelet } of struck(
      setting,
      (k) => k.publish(),
      (k) => k.stage(),
    )) {
      await kubelet.publish();
      const target = targetPathOf(kubelet.volume, "pod");
      assert.equal(kubelet.world.mountsAt(target).length, 1);
      await kubelet.unpublish();
      kubelet.assertStaged();
    }
    const published: Call = async (k) => {
      await k.stage();
      await k.publish();
    };
    for await (const { kubelet } of struck(setting, (k) => k.unpublish(), published)) {
      await kubelet.unpublish();
      const target = targetPathOf(kubelet.volume, "pod");
      assert.deepEqual(kubelet.world.mountsAt(target), []);
      assert.equal(kubelet.world.paths.kindNow(target), undefined);
      kubelet.assertStaged();
      kubelet.assertDataIntact();
    }
  });
}

for (const setting of settings.filter(({ isHeld }) => isHeld))
  test(`unstage() of ${setting.name} that is away ends well by a retry, wherever it was struck`, async () => {
    const away: Call = async (k) => {
      await k.stage();
      k.world.kernel.lose(k.volume.nqn);
    };
    for await (const { kubelet } of struck(setting, (k) => k.unstage(), away)) {
      await kubelet.unstage();
      kubelet.assertGone();
      kubelet.assertDataIntact();
    }
    for await (const { kubelet } of struck(setting, (k) => k.unstage(), away)) {
      kubelet.world.kernel.restore(kubelet.volume.nqn, { renumbered: false });
      await kubelet.stage();
      kubelet.assertStaged();
      kubelet.assertDataIntact();
    }
  });

test("stage() killed in the middle of mkfs ends well by a retry, also after a reboot", async () => {
  for (const reboots of [false, true]) {
    const kubelet = await killedInMkfs();
    assert.equal(kubelet.volume.disk.isHalfMade, true);
    if (reboots) kubelet.world.kernel.reboot();
    await kubelet.stage();
    kubelet.assertStaged();
    assert.equal(kubelet.volume.disk.isHalfMade, false);
  }
});

test("stage() under another NQN refuses what a killed mkfs left, since it cannot know whose it is", async () => {
  const kubelet = await killedInMkfs();
  const { world, volume } = kubelet;
  world.moveAway(volume);
  world.kernel.drop(volume.nqn);
  world.moveBack(volume);
  await assert.rejects(kubelet.stage(), { kind: "failed-precondition" });
  assert.equal(volume.disk.formats, 0);
});
