import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AccessMode, accessModes } from "#domain/access-mode.ts";
import { DriverError, type FailureKind } from "#domain/errors.ts";
import { nqnFor } from "#domain/nqn.ts";
import type { VolumeStore } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { Publisher } from "./publish-volume.ts";
import { unpublishVolume } from "./unpublish-volume.ts";

/** Whatever happens in whatever order, and however many controllers act: who may write is never in doubt. */

const id = "pvc-a";
const limits = { one: 1, two: 2, many: 3 } as const;
const allModes = Object.keys(accessModes) as AccessMode[];
const singleModes = allModes.filter((mode) => accessModes[mode].nodes === "one");

type Step =
  | { readonly act: "publish"; readonly node: string; readonly mode: AccessMode }
  | { readonly act: "unpublish"; readonly node: string | undefined };

function steps(modes: readonly AccessMode[]): fc.Arbitrary<Step> {
  const node = fc.constantFrom("n1", "n2", "n3");
  const mode = fc.constantFrom(...modes);
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ act: fc.constant("publish" as const), node, mode }) },
    {
      weight: 2,
      arbitrary: fc.record({
        act: fc.constant("unpublish" as const),
        node: fc.option(node, { nil: undefined }),
      }),
    },
  );
}

/** One controller, and what a nodes' observer knows: who was told which name, and which names are burnt. */
class World {
  readonly store: MemoryVolumeStore;
  /** Nodes and the names under which they would connect now. */
  readonly told = new Map<string, string>();
  readonly #burnt = new Set<string>();
  #exported: string | undefined;
  #epoch = 0;
  readonly #slot;

  constructor(store: MemoryVolumeStore) {
    this.store = store;
    this.#slot = putVolume(store, id);
  }

  /** A controller of its own, whose calls reach the store through `gate`. */
  controller(gate: () => Promise<unknown> = async () => {}) {
    const appliance = memoryAppliance({ volumes: this.store });
    const gated = { ...appliance, volumes: throughGate(this.store, gate) };
    const { options, ctx } = controllerRig({ store: this.store, appliances: [gated] });
    const publisher = new Publisher(options);
    return async (step: Step): Promise<FailureKind | "ok"> => {
      try {
        if (step.act === "publish") {
          const { target } = await publisher.publish({ id, ...step }, ctx);
          this.told.set(step.node, target.nqn);
        } else {
          this.#forget(step.node);
          await unpublishVolume(options, { id, node: step.node }, ctx);
        }
        return "ok";
      } catch (error) {
        assert.ok(error instanceof DriverError, String(error));
        return error.kind;
      }
    };
  }

  #forget(node: string | undefined) {
    if (node === undefined) this.told.clear();
    else this.told.delete(node);
  }

  volume(): Volume {
    const volume = this.store.peek(this.#slot);
    assert.ok(volume, "the comment must stay readable");
    return volume;
  }

  check() {
    const { slot, tag, exported } = this.volume();
    const { attachment, epoch } = tag;
    assert.equal(exported.enabled, attachment !== undefined, "exported only while attached");
    assert.ok((epoch?.counter ?? 0) >= this.#epoch, "epochs never count down");
    this.#epoch = epoch?.counter ?? 0;
    const current = exported.enabled ? exported.nqn : undefined;
    if (this.#exported !== undefined && this.#exported !== current) this.#burnt.add(this.#exported);
    this.#exported = current;
    if (attachment === undefined || current === undefined) return;
    assert.equal(current, epoch && nqnFor(slot, epoch), "exported under the epoch's name");
    assert.ok(!this.#burnt.has(current), "a fenced name is never exported again");
    assert.ok(attachment.nodes.length <= limits[accessModes[attachment.mode].nodes]);
    const reachable = [...this.told].filter(([, nqn]) => nqn === current).map(([node]) => node);
    if (accessModes[attachment.mode].nodes === "one")
      assert.ok(reachable.length <= 1, `${reachable.join(" and ")} can all write`);
  }
}

function throughGate(store: VolumeStore, gate: () => Promise<unknown>): VolumeStore {
  const pass =
    <Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args) => {
      await gate();
      return await call.apply(store, args as never);
    };
  return {
    find: pass(store.find),
    survey: pass(store.survey),
    create: pass(store.create),
    change: pass(store.change),
    grow: pass(store.grow),
    delete: pass(store.delete),
  };
}

/** What the rules say, without an appliance. */
class Model {
  nodes: readonly string[] = [];
  #mode: AccessMode | undefined;

  apply(step: Step): FailureKind | "ok" {
    if (step.act === "publish") return this.#publish(step);
    const { node } = step;
    this.nodes = node === undefined ? [] : this.nodes.filter((one) => one !== node);
    return "ok";
  }

  #publish({ node, mode }: Step & { act: "publish" }): FailureKind | "ok" {
    if (this.nodes.length === 0) this.#mode = mode;
    const listed = this.nodes.includes(node);
    if (this.#mode !== mode) return listed ? "already-exists" : "failed-precondition";
    if (listed) return "ok";
    if (this.nodes.length >= limits[accessModes[mode].nodes]) return "failed-precondition";
    this.nodes = [...this.nodes, node];
    return "ok";
  }
}

test("publish() and unpublish() do what a model of attachments says, in any order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps(allModes), { maxLength: 20 }), async (sequence) => {
      const world = new World(new MemoryVolumeStore());
      const run = world.controller();
      const model = new Model();
      for (const step of sequence) {
        assert.equal(await run(step), model.apply(step));
        assert.deepEqual(world.volume().tag.attachment?.nodes ?? [], model.nodes);
        world.check();
      }
    }),
    { numRuns: 150 },
  );
});

test("publish() and unpublish() keep the fence when replies are lost and calls fail", async () => {
  const fault = fc.option(fc.constantFrom("before" as const, "after" as const));
  const sequence = fc.array(fc.tuple(steps(allModes), fault), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sequence, async (given) => {
      const world = new World(new MemoryVolumeStore());
      const run = world.controller();
      for (const [step, when] of given) {
        const error = new DriverError("unknown-outcome", "Cannot tell: connection lost");
        if (when !== null) world.store.failNext({ method: "change", when, error });
        await run(step);
        world.check();
      }
    }),
    { numRuns: 150 },
  );
});

/** Two controllers act at the same time, their calls interleaved as fast-check likes. */
function race(store: () => MemoryVolumeStore, modes: readonly AccessMode[]) {
  const pairs = fc.array(fc.tuple(steps(modes), steps(modes)), { maxLength: 6 });
  return fc.asyncProperty(fc.scheduler(), pairs, async (scheduler, given) => {
    const world = new World(store());
    const [first, second] = [0, 1].map(() =>
      world.controller(() => scheduler.schedule(Promise.resolve())),
    );
    for (const [a, b] of given) {
      const outcomes = await scheduler.waitFor(Promise.all([first?.(a), second?.(b)]));
      world.check();
      assert.ok(!outcomes.includes("internal"));
    }
  });
}

test("publish() never gives a volume to two writers when two controllers race", async () => {
  await fc.assert(
    race(() => new MemoryVolumeStore(), allModes),
    { numRuns: 150 },
  );
});

test("publish() never gives one name to two writers even when RouterOS' find and set are not one step", async () => {
  await fc.assert(
    race(() => new MemoryVolumeStore({ atomic: false }), singleModes),
    {
      numRuns: 300,
    },
  );
});

test("publish() hands out a name that leads nowhere to the loser of a race that both seem to win", async () => {
  const world = new World(new MemoryVolumeStore({ atomic: false }));
  const outcomes = await Promise.all(
    ["n1", "n2"].map((node) =>
      world.controller()({ act: "publish", node, mode: "single-node-writer" }),
    ),
  );
  assert.deepEqual(outcomes, ["ok", "ok"]);
  const names = [...world.told.values()];
  assert.equal(new Set(names).size, 2);
  assert.equal(names.filter((nqn) => nqn === world.volume().exported.nqn).length, 1);
});
