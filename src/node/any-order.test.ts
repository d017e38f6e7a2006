import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
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
import { expand } from "./expand.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { stats } from "./stats.ts";
import { unpublish } from "./unpublish.ts";
import { unstage } from "./unstage.ts";

const pods = ["pod-a", "pod-b"] as const;
type Pod = (typeof pods)[number];

/** One thing that happens to one volume. */
type Step =
  | { readonly act: "stage" | "unstage"; readonly fault: Fault | undefined }
  | {
      readonly act: "publish" | "unpublish" | "expand" | "stats";
      readonly pod: Pod;
      readonly fault: Fault | undefined;
    }
  | { readonly act: "write"; readonly pod: Pod }
  | { readonly act: "restore"; readonly renumbered: boolean }
  | { readonly act: "move"; readonly kernelGivesUp: boolean }
  | { readonly act: "lose" | "drop" | "grow" | "reboot" | "heal" };

/** Two volumes, what pods and other nodes have written to them, and what must hold whatever happens. */
class Story {
  readonly world: NodeWorld;
  readonly volumes: readonly AttachedVolume[];
  readonly #uses: readonly VolumeUse[] = [mountUse(), blockUse()];
  readonly #written = new Map<string, string>();
  /** Waited in a hold when its volume went elsewhere. */
  readonly #forbidden = new Set<string>();
  #counter = 0;

  constructor(canHold: boolean) {
    this.world = new NodeWorld({ canHold });
    this.volumes = [this.world.attach("pvc-1"), this.world.attach("pvc-2")];
  }

  async run(index: number, step: Step): Promise<void> {
    const volume = this.volumes[index];
    const use = this.#uses[index];
    assert.ok(volume && use);
    if ("fault" in step) await this.#call(volume, use, step);
    else if (step.act === "heal") await this.world.heal(volume);
    else this.#happen(volume, step);
    this.assertSound();
  }

  assertSound(): void {
    assert.deepEqual(this.world.kernel.damage, []);
    for (const [file, content] of this.#written)
      assert.equal(this.volumes[0]?.disk.files.get(file), content, `${file} is intact`);
    for (const file of this.#forbidden)
      assert.ok(!this.volumes[0]?.disk.files.has(file), `${file} was not replayed`);
    for (const [path, { content }] of this.world.paths.entries)
      assert.ok(content === undefined || content === "", `${path} was not written to`);
  }

  /** Whatever was left: kubelet can always get it off the node, and back on. */
  async cleanUp(): Promise<void> {
    this.world.faults.arm();
    for (const volume of this.volumes) {
      this.world.kernel.restore(volume.nqn, { renumbered: false });
      await this.world.heal(volume);
      for (const pod of pods) await this.#unpublish(volume, pod);
    }
    for (const [index, volume] of this.volumes.entries()) {
      const request = this.world.stageRequest(volume, this.#uses[index]);
      // what waits for an NQN that is gone for ever is discarded when the volume comes back by another
      await this.#unstage(volume).catch((error: unknown) => {
        assert.ok(this.world.kernel.controllers.size > 0, String(error));
      });
      await this.world.heal(volume);
      await stage(request, this.world.host, this.world.ctx);
      await this.#unstage(volume);
    }
    assert.deepEqual(this.world.kernel.mounts, []);
    assert.equal(this.world.kernel.holds.size, 0);
    assert.equal(this.world.kernel.controllers.size, 0);
    assert.equal(this.world.records.volumes.size, 0);
    this.assertSound();
  }

  async #call(
    volume: AttachedVolume,
    use: VolumeUse,
    step: Extract<Step, { fault: Fault | undefined }>,
  ): Promise<void> {
    const { host, ctx } = this.world;
    // kubelet never unstages below a pod, and a raw block device in an outage cannot be seen to have one
    if (step.act === "unstage" && use.access.type === "block" && this.#isPublished(volume)) return;
    this.world.faults.arm(step.fault);
    const request = "pod" in step && { ...this.world.publishRequest(volume, step.pod, use) };
    try {
      if (step.act === "stage") await stage(this.world.stageRequest(volume, use), host, ctx);
      if (step.act === "unstage") await this.#unstage(volume);
      if (request) await this.#podCall(step.act, volume, request);
    } catch (error) {
      const isForeseen = error instanceof Error && "kind" in error && error.kind !== "internal";
      assert.ok(isForeseen || step.fault?.what === "die", String(error));
    } finally {
      this.world.faults.arm();
    }
  }

  async #podCall(
    act: Step["act"],
    volume: AttachedVolume,
    request: ReturnType<NodeWorld["publishRequest"]>,
  ): Promise<void> {
    const { host, ctx } = this.world;
    const { volumeId, targetPath } = request;
    if (act === "publish") {
      await publish(request, host, ctx);
      assert.equal(this.world.mountsAt(targetPath).length, 1);
    }
    if (act === "unpublish") await unpublish({ volumeId, targetPath }, host, ctx);
    if (act === "stats") await stats({ volumeId, volumePath: targetPath }, host, ctx);
    if (act === "expand") {
      const size = { requiredBytes: volume.disk.sizeBytes, limitBytes: undefined };
      await expand({ volumeId, volumePath: targetPath, ...size }, host, ctx);
    }
  }

  async #unpublish(volume: AttachedVolume, pod: Pod): Promise<void> {
    const request = { volumeId: volume.volumeId, targetPath: targetPathOf(volume, pod) };
    await unpublish(request, this.world.host, this.world.ctx);
  }

  /** Success is a promise: nothing of the volume is left, so it may be written to elsewhere. */
  async #unstage(volume: AttachedVolume): Promise<void> {
    const request = { volumeId: volume.volumeId, stagingPath: stagingPathOf(volume) };
    await unstage(request, this.world.host, this.world.ctx);
    assert.deepEqual(this.world.mountsAt(request.stagingPath), []);
    const left = [...this.world.kernel.controllers.keys()];
    assert.ok(!left.some((nqn) => nqn.includes(volume.volumeId)), `still connected: ${left}`);
    const holds = [...this.world.kernel.holds.keys()];
    assert.ok(!holds.some((nqn) => nqn.includes(volume.volumeId)), `still held: ${holds}`);
  }

  #isPublished(volume: AttachedVolume): boolean {
    return pods.some((pod) => this.world.topmost(targetPathOf(volume, pod)) !== undefined);
  }

  #happen(volume: AttachedVolume, step: Exclude<Step, { fault: Fault | undefined }>): void {
    const { kernel } = this.world;
    if (step.act === "write") this.#write(volume, step.pod);
    if (step.act === "lose") kernel.lose(volume.nqn);
    if (step.act === "drop") kernel.drop(volume.nqn);
    if (step.act === "restore") kernel.restore(volume.nqn, step);
    if (step.act === "grow") volume.disk.sizeBytes += GiB;
    if (step.act === "reboot") kernel.reboot();
    if (step.act === "move") this.#move(volume, step.kernelGivesUp);
  }

  #write(volume: AttachedVolume, pod: Pod): void {
    const mount = this.world.topmost(targetPathOf(volume, pod));
    if (mount?.device === undefined) return;
    const { device } = mount;
    const waits = "under" in device && this.world.kernel.mayWait(device);
    if (!waits && !this.world.kernel.isLive(device)) return;
    const file = `file-${this.#counter++}`;
    this.world.write(targetPathOf(volume, pod), file, pod);
    if (!waits) this.#written.set(file, pod);
  }

  /** Another node gets the volume, formats it if it is blank, writes, and gives it back. */
  #move(volume: AttachedVolume, kernelGivesUp: boolean): void {
    const { kernel } = this.world;
    for (const file of kernel.holds.get(volume.nqn)?.waiting.keys() ?? [])
      this.#forbidden.add(file);
    this.world.moveAway(volume);
    if (kernelGivesUp) kernel.drop(volume.nqn);
    else kernel.lose(volume.nqn);
    if (volume === this.volumes[0] && !volume.disk.isHalfMade) {
      if (volume.disk.content.kind === "blank") volume.disk.format("ext4");
      const file = `file-${this.#counter++}`;
      volume.disk.files.set(file, "another node");
      this.#written.set(file, "another node");
    }
    this.world.moveBack(volume);
  }
}

const faults = fc.option(
  fc.record({
    at: fc.nat(40),
    what: fc.constantFrom("fail" as const, "die" as const),
    when: fc.constantFrom("before" as const, "after" as const),
  }),
  { nil: undefined, freq: 3 },
);
const pod = fc.constantFrom(...pods);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant("stage" as const), fault: faults }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("unstage" as const), fault: faults }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant("publish" as const), pod, fault: faults }) },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constantFrom("unpublish" as const, "expand" as const, "stats" as const),
      pod,
      fault: faults,
    }),
  },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("write" as const), pod }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant("restore" as const), renumbered: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant("move" as const), kernelGivesUp: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom("lose", "drop", "grow", "reboot", "heal"),
    }),
  },
);

for (const canHold of [false, true])
  test(`a node with${canHold ? "" : "out"} holds keeps all data and can always be cleaned up, whatever happens in whatever order`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(0, 0, 1), steps), { minLength: 5, maxLength: 40 }),
        async (story) => {
          const node = new Story(canHold);
          for (const [index, step] of story) await node.run(index, step);
          await node.cleanUp();
        },
      ),
      { numRuns: 300 },
    );
  });
