import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { FsType } from "#domain/access-mode.ts";
import type { Nqn } from "#domain/nqn.ts";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { mountUse } from "#test/fakes/node/node-world.ts";
import { RealHost } from "#test/rig/real-host.ts";
import { rootTest } from "#test/rig/root.ts";
import { stage } from "./stage.ts";
import { unstage } from "./unstage.ts";

const ctx = testContext();
const copyNqn = "nqn.2000-02.com.mikrotik:pvc-copy.1-abcdefgh" as Nqn;
const [sourceBytes, copyBytes] = [320 * MiB, 384 * MiB];
const reader = "multi-node-reader-only";

/** What looks at an image without a change to it. */
const checkers: Readonly<Record<"ext4" | "xfs" | "btrfs", readonly [string, ...string[]]>> = {
  ext4: ["e2fsck", "-fn"],
  xfs: ["xfs_repair", "-n", "-f"],
  btrfs: ["btrfs", "check"],
};

/** A staged volume that is written to, and an exported copy of it, taken meanwhile: its journal is not replayed. */
class Pair implements Disposable {
  readonly #machine = new RealHost(sourceBytes);
  readonly fsType: keyof typeof checkers;
  readonly source = join(this.#machine.folder, "source");
  readonly copy = join(this.#machine.folder, "copy");
  copyImage = "";

  constructor(fsType: keyof typeof checkers) {
    this.fsType = fsType;
  }

  async copied(): Promise<void> {
    await this.stage(this.source);
    for (const name of ["precious", "other"]) this.write(this.source, name);
    this.copyImage = this.#machine.exportCopy(copyNqn, copyBytes);
    this.write(this.source, "later");
  }

  write(path: string, name: string): void {
    writeFileSync(join(path, name), name, { flush: true });
  }

  async stage(path: string, mode: "single-node-writer" | typeof reader = "single-node-writer") {
    const isCopy = path === this.copy;
    const nqn = isCopy ? copyNqn : this.#machine.nqn;
    const connect = {
      ctrlLossTmoSeconds: -1,
      reconnectDelaySeconds: 5,
      keepAliveTmoSeconds: undefined,
      nrIoQueues: undefined,
    };
    const request = {
      volumeId: isCopy ? "pvc-copy" : "pvc-source",
      target: { nqn, addresses: ["127.0.0.1"], port: 4420 },
      minSizeBytes: isCopy ? copyBytes : sourceBytes,
      connect,
      reconnect: { mode: "remount", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
      use: mountUse(mode, this.fsType),
      stagingPath: path,
      mkfsOptions: [],
      ...(isCopy && { source: "pvc-source" }),
    } as const;
    await stage(request, this.#machine.host, ctx);
  }

  async unstage(path: string): Promise<void> {
    const volumeId = path === this.copy ? "pvc-copy" : "pvc-source";
    await unstage({ volumeId, stagingPath: path }, this.#machine.host, ctx);
  }

  async usableMiB(path: string): Promise<number> {
    return (await this.#machine.host.filesystems.usage(path, ctx)).totalBytes / MiB;
  }

  assertClean(): void {
    const [file, ...args] = checkers[this.fsType];
    for (const image of [this.#machine.image, this.copyImage])
      execFileSync(file, [...args, image], { stdio: "pipe" });
  }

  [Symbol.dispose](): void {
    this.#machine[Symbol.dispose]();
  }
}

/** Whether Linux mounts two Btrfs with one UUID: since 6.7. */
function mountsBtrfsTwins(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 7);
}

function needs(fsType: FsType) {
  return { tools: [`mkfs.${fsType}`, "losetup"], filesystems: [fsType] };
}

for (const fsType of ["ext4", "xfs", "btrfs"] as const)
  rootTest(
    `a real ${fsType} is staged beside its source, with what was in it when it was copied`,
    needs(fsType),
    async (t) => {
      if (fsType === "btrfs" && !mountsBtrfsTwins()) return t.skip("needs Linux 6.7");
      using pair = new Pair(fsType);
      await pair.copied();
      await pair.stage(pair.copy);
      assert.equal(readFileSync(join(pair.copy, "precious"), "utf8"), "precious");
      assert.equal(existsSync(join(pair.copy, "later")), false);
      assert.equal(readFileSync(join(pair.source, "later"), "utf8"), "later");
      // The kernel asks for a capability before it grows an ext4, which not every root has.
      if (fsType !== "ext4")
        assert.ok((await pair.usableMiB(pair.copy)) > (await pair.usableMiB(pair.source)) + 48);
      pair.write(pair.copy, "of the copy");
      assert.equal(existsSync(join(pair.source, "of the copy")), false);
      await pair.unstage(pair.source);
      await pair.stage(pair.source);
      await pair.unstage(pair.copy);
      await pair.stage(pair.copy);
      assert.equal(readFileSync(join(pair.copy, "of the copy"), "utf8"), "of the copy");
      for (const path of [pair.source, pair.copy]) await pair.unstage(path);
      pair.assertClean();
    },
  );

for (const fsType of ["ext4", "xfs", "btrfs"] as const)
  rootTest(
    `a real ${fsType} that was copied in use is shown to no reader before its journal was replayed`,
    needs(fsType),
    async () => {
      using pair = new Pair(fsType);
      await pair.copied();
      await pair.unstage(pair.source);
      const before = readFileSync(pair.copyImage);
      await assert.rejects(pair.stage(pair.copy, reader), {
        kind: "failed-precondition",
        message: /^Cannot mount volume "pvc-copy" for reading only: .*its journal must be replayed/,
      });
      assert.ok(before.equals(readFileSync(pair.copyImage)), "nothing was written");
      await pair.stage(pair.copy);
      await pair.unstage(pair.copy);
      await pair.stage(pair.copy, reader);
      assert.equal(readFileSync(join(pair.copy, "precious"), "utf8"), "precious");
      await pair.unstage(pair.copy);
      pair.assertClean();
    },
  );
