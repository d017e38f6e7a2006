import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { FsType, VolumeUse } from "#domain/access-mode.ts";
import { MiB } from "#lib/bytes.ts";
import { capSysResource } from "#linux/abilities.ts";
import { testContext } from "#test/fakes/context.ts";
import { blockUse, mountUse } from "#test/fakes/node/node-world.ts";
import { RealHost } from "#test/rig/real-host.ts";
import { rootTest } from "#test/rig/root.ts";
import { expand } from "./expand.ts";
import type { NodeHost } from "./host.ts";
import { publish } from "./publish.ts";
import { type StageRequest, stage } from "./stage.ts";
import { stats } from "./stats.ts";
import { unpublish } from "./unpublish.ts";
import { unstage } from "./unstage.ts";

const ctx = testContext();
const sizes: Readonly<Record<FsType, number>> = {
  ext4: 64 * MiB,
  ext3: 64 * MiB,
  xfs: 320 * MiB,
  btrfs: 256 * MiB,
};

/** This machine as a node with one volume, and the calls that kubelet makes for it. */
class RealNode implements Disposable {
  readonly #machine: RealHost;
  readonly #use: VolumeUse;
  readonly host: NodeHost;
  readonly image: string;
  readonly stagingPath: string;
  sizeBytes: number;

  constructor(use: VolumeUse, sizeBytes: number) {
    this.#machine = new RealHost(sizeBytes);
    this.#use = use;
    this.host = this.#machine.host;
    this.image = this.#machine.image;
    this.stagingPath = join(this.#machine.folder, "globalmount");
    this.sizeBytes = sizeBytes;
  }

  async stage(): Promise<void> {
    const request: StageRequest = {
      volumeId: "pvc-real",
      target: { nqn: this.#machine.nqn, addresses: ["127.0.0.1"], port: 4420 },
      minSizeBytes: this.sizeBytes,
      connect: {
        ctrlLossTmoSeconds: -1,
        reconnectDelaySeconds: 5,
        keepAliveTmoSeconds: undefined,
        nrIoQueues: undefined,
      },
      reconnect: { mode: "transparent", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
      use: this.#use,
      stagingPath: this.stagingPath,
      mkfsOptions: [],
    };
    await stage(request, this.host, ctx);
  }

  async publish(pod: string, readOnly = false): Promise<string> {
    const { stagingPath } = this;
    const targetPath = this.target(pod);
    const request = { volumeId: "pvc-real", stagingPath, targetPath, use: this.#use, readOnly };
    await publish(request, this.host, ctx);
    return targetPath;
  }

  async unpublish(pod: string): Promise<void> {
    await unpublish({ volumeId: "pvc-real", targetPath: this.target(pod) }, this.host, ctx);
  }

  async unstage(): Promise<void> {
    await unstage({ volumeId: "pvc-real", stagingPath: this.stagingPath }, this.host, ctx);
  }

  target(pod: string): string {
    return join(this.#machine.folder, "pods", pod, "mount");
  }

  async mountsBelow(): Promise<readonly string[]> {
    const mounts = await this.host.mounts.list(ctx);
    return mounts
      .map(({ target }) => target)
      .filter((path) => path.startsWith(this.#machine.folder));
  }

  /** As the statistics say. */
  async totalBytes(volumePath: string): Promise<number> {
    const { usage, condition } = await stats({ volumeId: "pvc-real", volumePath }, this.host, ctx);
    assert.equal(condition.abnormal, false);
    return usage.kind === "none" ? 0 : usage.totalBytes;
  }

  loops(): string {
    return this.#machine.loops();
  }

  [Symbol.dispose](): void {
    this.#machine[Symbol.dispose]();
  }
}

for (const fsType of ["ext4", "xfs", "btrfs"] as const)
  rootTest(
    `a real ${fsType} volume lives through stage, publish, stacked mounts and a second stage`,
    { tools: [`mkfs.${fsType}`, "losetup"], filesystems: [fsType] },
    async () => {
      using node = new RealNode(mountUse("single-node-writer", fsType, ["noatime"]), sizes[fsType]);
      await node.stage();
      await node.stage();
      const [writer, reader] = [await node.publish("writer"), await node.publish("reader", true)];
      await node.publish("writer");
      assert.deepEqual((await node.mountsBelow()).toSorted(), [node.stagingPath, reader, writer]);
      writeFileSync(join(writer, "precious"), "data");
      assert.equal(readFileSync(join(reader, "precious"), "utf8"), "data");
      assert.throws(() => writeFileSync(join(reader, "no"), ""), { code: "EROFS" });
      await assert.rejects(node.unstage(), { kind: "failed-precondition" });

      execFileSync("mount", ["--bind", node.stagingPath, writer]); // what a lost reply once left
      for (const pod of ["writer", "reader"]) await node.unpublish(pod);
      assert.equal(existsSync(writer), false);
      await node.unstage();
      assert.deepEqual(await node.mountsBelow(), []);
      assert.equal(node.loops(), "");

      await node.stage();
      assert.equal(readFileSync(join(node.stagingPath, "precious"), "utf8"), "data");
      await node.unstage();
    },
  );

for (const fsType of ["ext4", "xfs", "btrfs"] as const)
  rootTest(
    `a real ${fsType} volume grows through a pod's read-only path`,
    {
      tools: [`mkfs.${fsType}`, "losetup"],
      filesystems: [fsType],
      capabilities: fsType === "ext4" ? [capSysResource] : [],
    },
    async () => {
      using node = new RealNode(mountUse("single-node-writer", fsType), sizes[fsType]);
      await node.stage();
      const volumePath = await node.publish("reader", true);
      const before = await node.totalBytes(volumePath);
      node.sizeBytes += 64 * MiB;
      truncateSync(node.image, node.sizeBytes);
      const limits = { requiredBytes: node.sizeBytes, limitBytes: undefined };
      const request = { volumeId: "pvc-real", volumePath, ...limits };
      assert.equal(await expand(request, node.host, ctx), node.sizeBytes);
      assert.ok((await node.totalBytes(volumePath)) >= before + 60 * MiB);
    },
  );

const needs = { tools: ["mkfs.ext4", "losetup"], filesystems: ["ext4"] };

rootTest(
  "a real raw block volume is published as a device and leaves no trace",
  needs,
  async () => {
    using node = new RealNode(blockUse(), 32 * MiB);
    await node.stage();
    const target = await node.publish("pod");
    await node.publish("pod");
    assert.deepEqual(await node.mountsBelow(), [target]);
    const { usage } = await stats({ volumeId: "pvc-real", volumePath: target }, node.host, ctx);
    assert.deepEqual(usage, { kind: "block", totalBytes: 32 * MiB });
    writeFileSync(target, "written by a pod");
    execFileSync("sync", [target]);
    await assert.rejects(node.unstage(), { kind: "failed-precondition" });
    await node.unpublish("pod");
    assert.equal(existsSync(target), false);
    await node.unstage();
    assert.equal(node.loops(), "");
    assert.equal(readFileSync(node.image, "utf8").slice(0, 16), "written by a pod");
  },
);

rootTest(
  "a real device with unknown data is refused, and given back untouched",
  needs,
  async () => {
    using node = new RealNode(mountUse(), 32 * MiB);
    writeFileSync(node.image, "what a guest wrote", { flag: "r+" });
    await assert.rejects(node.stage(), { kind: "failed-precondition", message: /unknown data/ });
    assert.equal(node.loops(), "");
    assert.equal(readFileSync(node.image, "utf8").slice(0, 18), "what a guest wrote");
  },
);

rootTest("a real read-only volume is mounted without a write to its image", needs, async () => {
  using node = new RealNode(mountUse("multi-node-reader-only"), 32 * MiB);
  execFileSync("mkfs.ext4", ["-q", node.image]);
  const before = readFileSync(node.image);
  await node.stage();
  const target = await node.publish("pod");
  assert.deepEqual(readdirSync(target), ["lost+found"]);
  await node.unpublish("pod");
  await node.unstage();
  assert.ok(before.equals(readFileSync(node.image)));
});

rootTest("a real target folder with content is left alone", needs, async () => {
  using node = new RealNode(mountUse(), 32 * MiB);
  await node.stage();
  const target = node.target("pod");
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "precious"), "data");
  await node.publish("pod");
  await assert.rejects(node.unpublish("pod"), { kind: "failed-precondition" });
  assert.equal(readFileSync(join(target, "precious"), "utf8"), "data");
  rmSync(join(target, "precious"));
  await node.unpublish("pod");
  await node.unstage();
});
