import assert from "node:assert/strict";
import { test } from "node:test";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { volumeCondition } from "./volume-condition.ts";

const epoch = { counter: 2, nonce: "k3v9x0qa" };
const attachment = { nodes: ["n1"], mode: "single-node-writer", since: 1 } as const;
const nqn = "nqn.2000-02.com.mikrotik:pvc-a.2-k3v9x0qa";

function conditionOf(options: Parameters<typeof putVolume>[2]) {
  const { store } = controllerRig();
  const volume = store.peek(putVolume(store, "pvc-a", options));
  assert.ok(volume);
  return volumeCondition(volume);
}

test("volumeCondition() is normal for a volume that is as its comment says", () => {
  assert.deepEqual(conditionOf({}), { abnormal: false, message: "Not attached" });
  assert.deepEqual(conditionOf({ tag: { epoch, attachment }, exported: { enabled: true, nqn } }), {
    abnormal: false,
    message: 'Attached to "n1"',
  });
});

test("volumeCondition() is abnormal for an attached volume that no node can reach", () => {
  const off = { tag: { epoch, attachment }, exported: { enabled: false, nqn } };
  assert.deepEqual(conditionOf(off), {
    abnormal: true,
    message: 'Attached to "n1", but not exported',
  });
  assert.deepEqual(conditionOf({ ...off, tag: { ...off.tag, halted: true } }), {
    abnormal: true,
    message: 'Attached to "n1", but its pool ran full: not exported until there is room again',
  });
  const renamed = { tag: { epoch, attachment }, exported: { enabled: true, nqn: "nqn.x" } };
  assert.deepEqual(conditionOf(renamed), {
    abnormal: true,
    message: `Attached to "n1", but exported as "nqn.x" instead of "${nqn}"`,
  });
});

test("volumeCondition() is abnormal for a volume that anybody may be using", () => {
  assert.deepEqual(conditionOf({ tag: { epoch }, exported: { enabled: true, nqn } }), {
    abnormal: true,
    message: `Exported as "${nqn}", but attached to no node`,
  });
});
