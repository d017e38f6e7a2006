import assert from "node:assert/strict";
import { test } from "node:test";
import { formatVolumeTag, severalNodes, type VolumeTag } from "#domain/volume-tag.ts";
import { beginEpoch, cutUnknown, join, leave, settlingTime } from "./attachment.ts";

const blank: VolumeTag = {
  cluster: "lab",
  revision: 1,
  attachment: undefined,
  epoch: undefined,
  departure: undefined,
  halted: false,
  pv: "pvc-1",
  source: undefined,
  pvc: "shop/data",
};
const now = 1_700_000_000_500;
const writer = { node: "n1", mode: "single-node-writer", now } as const;
const sharer = (node: string) => ({ node, mode: "multi-node-multi-writer", now }) as const;

test("beginEpoch() counts up, records the node, and forgets who left before", () => {
  const epoch = { counter: 4, nonce: "aaaaaaaa" };
  const departure = { node: "n9", at: 1 };
  assert.deepEqual(beginEpoch({ ...blank, epoch, departure }, writer, "bbbbbbbb"), {
    ...blank,
    revision: 2,
    attachment: { nodes: ["n1"], mode: "single-node-writer", since: 1_700_000_000 },
    epoch: { counter: 5, nonce: "bbbbbbbb" },
    departure: undefined,
  });
  assert.equal(beginEpoch(blank, writer, "bbbbbbbb").epoch?.counter, 1);
});

test("join() adds the node in order of arrival, and sharing begins", () => {
  const first = beginEpoch(blank, { ...sharer("n1"), now: now - 60_000 }, "aaaaaaaa");
  const both = join(first, sharer("n2"));
  assert.deepEqual(both.attachment, {
    nodes: ["n1", "n2"],
    mode: "multi-node-multi-writer",
    since: 1_700_000_000,
  });
  assert.deepEqual([both.revision, both.epoch], [3, first.epoch]);
});

test("leave() keeps the epoch, and records who left and when", () => {
  const attached = beginEpoch(blank, writer, "aaaaaaaa");
  assert.deepEqual(leave(attached, ["n1"], now), {
    ...attached,
    revision: 3,
    attachment: undefined,
    departure: { node: "n1", at: 1_700_000_001 },
  });
});

test("leave() of one of two nodes leaves the other (pitfall 11)", () => {
  const both = join(beginEpoch(blank, sharer("n1"), "aaaaaaaa"), sharer("n2"));
  assert.deepEqual(leave(both, ["n1"], now).attachment?.nodes, ["n2"]);
  assert.deepEqual(leave(both, ["n2"], now).attachment?.nodes, ["n1"]);
});

test("leave() can be recorded of any node, however full of nodes the comment is", () => {
  for (let length = 1; length <= 60; length++) {
    const node = (index: number) => `${index}`.padEnd(length, "x").slice(0, length);
    let tag = beginEpoch(
      blank,
      { node: node(100), mode: "multi-node-reader-only", now },
      "aaaaaaaa",
    );
    try {
      for (let index = 101; ; index++) {
        const next = join(tag, { node: node(index), mode: "multi-node-reader-only", now });
        formatVolumeTag(next);
        tag = next;
      }
    } catch {
      // full
    }
    for (const leaving of tag.attachment?.nodes ?? [])
      assert.doesNotThrow(
        () => formatVolumeTag(leave(tag, [leaving], now)),
        `${length} characters`,
      );
  }
});

test("leave() excuses no single node when several shared the epoch", () => {
  const both = join(beginEpoch(blank, sharer("n1"), "aaaaaaaa"), sharer("n2"));
  const oneByOne = leave(leave(both, ["n1"], now), ["n2"], now);
  assert.equal(oneByOne.departure?.node, severalNodes);
  assert.equal(leave(both, ["n1", "n2"], now).departure?.node, severalNodes);
});

test("settlingTime() is the rest of the wait, for every node but the one that left", () => {
  const departure = { node: "n1", at: 1_700_000_000 };
  const at = (seconds: number, node = "n2") =>
    settlingTime(departure, { node, now: (1_700_000_000 + seconds) * 1_000 }, 5_000);
  assert.deepEqual([at(0), at(2), at(5), at(900)], [5_000, 3_000, 0, 0]);
  assert.equal(at(0, "n1"), 0);
  assert.equal(settlingTime(undefined, { node: "n2", now: 0 }, 5_000), 0);
});

test("settlingTime() lets a clock that was wrong delay nobody for longer than the wait", () => {
  const departure = { node: "n1", at: 1_900_000_000 };
  assert.equal(settlingTime(departure, { node: "n2", now: 1_700_000_000_000 }, 5_000), 5_000);
});

test("settlingTime() waits for whoever was cut off without being on record", () => {
  const { departure } = cutUnknown(blank, now);
  for (const node of ["n1", "n2"])
    assert.equal(settlingTime(departure, { node, now: 1_700_000_001_000 }, 5_000), 5_000);
});
