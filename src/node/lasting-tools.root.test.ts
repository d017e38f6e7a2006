import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KiB, MiB } from "#lib/bytes.ts";
import { systemClock } from "#lib/clock.ts";
import { createExec, type Exec } from "#linux/exec.ts";
import { LinuxFilesystems } from "#linux/filesystems/linux-filesystems.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { testContext } from "#test/fakes/context.ts";
import { mountUse } from "#test/fakes/node/node-world.ts";
import { RealHost } from "#test/rig/real-host.ts";
import { rootTest } from "#test/rig/root.ts";
import type { NodeHost } from "./host.ts";
import { LastingTools } from "./lasting-tools.ts";
import { stage } from "./stage.ts";
import { unstage } from "./unstage.ts";

const sizeBytes = 64 * MiB;
const needs = { tools: ["mkfs.ext4", "fsck.ext4", "losetup", "debugfs"], filesystems: ["ext4"] };

/** This machine as a node whose tools write a little, and go on only when they are let. */
class SlowNode implements Disposable {
  readonly #machine = new RealHost(sizeBytes);
  readonly #begun = join(this.#machine.folder, "begun");
  readonly #go = join(this.#machine.folder, "go");
  host: NodeHost;
  readonly image = this.#machine.image;
  readonly stagingPath = join(this.#machine.folder, "globalmount");

  constructor() {
    const exec = createExec();
    const slowed: Exec = (request, ctx) =>
      /^(mkfs|fsck)\./.test(request.file)
        ? exec({ ...request, file: this.#slow(request.file) }, ctx)
        : exec(request, ctx);
    const { devices } = this.#machine.host;
    const filesystems = new LinuxFilesystems({ exec: slowed, devices, sysfs: new Sysfs("/sys") });
    this.host = { ...this.#machine.host, filesystems };
  }

  /** Its last argument is the device. */
  #slow(file: string): string {
    const path = join(this.#machine.folder, `slow-${file}`);
    const program = `#!/bin/bash
echo $$ >> ${this.#begun}
${file.startsWith("mkfs") ? `yes half-made | head -c 64K | dd of="\${@: -1}" conv=notrunc status=none` : ""}
until test -e ${this.#go}; do test -e ${this.#begun} || exit 1; sleep 0.05; done
exec ${file} "$@"
`;
    writeFileSync(path, program, { mode: 0o755 });
    return path;
  }

  /** Process ids of the tools that were begun. */
  get begun(): readonly number[] {
    if (!existsSync(this.#begun)) return [];
    return readFileSync(this.#begun, "utf8").trim().split("\n").map(Number);
  }

  /** Wipes the first block of the journal: no kernel mounts that, and e2fsck makes a new one. The tools are slow again. */
  spoilJournal(): void {
    for (const path of [this.#go, this.#begun]) rmSync(path);
    const found = execFileSync("debugfs", ["-R", "bmap <8> 0", this.image], { stdio: "pipe" });
    const file = openSync(this.image, "r+");
    writeSync(file, Buffer.alloc(KiB), 0, KiB, Number(found) * KiB);
    closeSync(file);
  }

  /** What the plugin remembers in memory is gone. */
  restart(): void {
    this.host = { ...this.host, tools: new LastingTools(systemClock) };
  }

  letGo(): void {
    writeFileSync(this.#go, "");
  }

  async stage(signal = testContext().signal): Promise<void> {
    const request = {
      volumeId: "pvc-real",
      target: { nqn: this.#machine.nqn, addresses: ["127.0.0.1"], port: 4420 },
      minSizeBytes: sizeBytes,
      connect: {
        ctrlLossTmoSeconds: -1,
        reconnectDelaySeconds: 5,
        keepAliveTmoSeconds: undefined,
        nrIoQueues: undefined,
      },
      reconnect: {
        mode: "transparent",
        ioHoldSeconds: undefined,
        onApplianceRestart: "continue",
      } as const,
      use: mountUse(),
      stagingPath: this.stagingPath,
      mkfsOptions: [],
    };
    await stage(request, this.host, testContext({ signal }));
  }

  /** A call whose caller gives up while a tool runs. */
  async stageInVain(message: RegExp): Promise<void> {
    const deadline = new AbortController();
    const call = this.stage(deadline.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    const early = await Promise.race([call, this.#waitForTool()]);
    deadline.abort();
    const { kind, message: said } = ((await call) ?? early) as { kind: string; message: string };
    assert.equal(kind, "operation-pending", said);
    assert.match(said, message);
  }

  async #waitForTool(): Promise<void> {
    for (let turn = 0; this.begun.length === 0 && turn < 200; turn++) await delay(50);
    await delay(300);
  }

  async unstage(): Promise<void> {
    const request = { volumeId: "pvc-real", stagingPath: this.stagingPath };
    await unstage(request, this.host, testContext());
  }

  loops(): string {
    return this.#machine.loops();
  }

  /** A tool that still waits ends with its folder: the number of its device may be somebody else's soon. */
  [Symbol.dispose](): void {
    this.#machine[Symbol.dispose]();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

rootTest("a real mkfs outlives its call, and the next one mounts what it made", needs, async () => {
  using node = new SlowNode();
  const message =
    /^Cannot stage ".*" yet: mkfs of ext4 on "\/dev\/loop\d+" has been running since 2/;
  await node.stageInVain(message);
  await node.stageInVain(message);
  const [pid = 0] = node.begun;
  assert.ok(isRunning(pid));
  const staging = node.stage();
  await delay(300);
  node.letGo();
  await staging;
  assert.deepEqual(node.begun, [pid], "the only one that was begun");
  writeFileSync(join(node.stagingPath, "precious"), "data");
  await node.unstage();
  await node.stage();
  assert.equal(readFileSync(join(node.stagingPath, "precious"), "utf8"), "data");
  await node.unstage();
  assert.equal(node.loops(), "");
});

rootTest("a real mkfs ends with the plugin, and is made again by the next one", needs, async () => {
  using node = new SlowNode();
  await node.stageInVain(/mkfs of ext4/);
  const [pid = 0] = node.begun;
  await node.host.tools[Symbol.asyncDispose]();
  assert.equal(isRunning(pid), false);
  node.restart();
  node.letGo();
  await node.stage();
  assert.equal(node.begun.length, 2);
  await node.unstage();
  assert.equal(node.loops(), "");
});

rootTest("unstaging ends a real mkfs, and then disconnects", needs, async () => {
  using node = new SlowNode();
  await node.stageInVain(/mkfs of ext4/);
  const [pid = 0] = node.begun;
  assert.ok(isRunning(pid));
  await node.unstage();
  assert.equal(isRunning(pid), false);
  assert.equal(node.loops(), "");
});

rootTest(
  "a real check outlives its call, and the next one mounts what it repaired",
  needs,
  async () => {
    using node = new SlowNode();
    node.letGo();
    await node.stage();
    writeFileSync(join(node.stagingPath, "precious"), "data");
    await node.unstage();
    node.spoilJournal();
    await node.stageInVain(/the check of ext4 on/);
    const [pid = 0] = node.begun;
    assert.ok(isRunning(pid));
    node.letGo();
    await node.stage();
    assert.deepEqual(node.begun, [pid]);
    assert.equal(readFileSync(join(node.stagingPath, "precious"), "utf8"), "data");
    await node.unstage();
  },
);
