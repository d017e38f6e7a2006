import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AccessMode, accessModes } from "./access-mode.ts";
import { formatVolumeTag, parseVolumeTag, severalNodes, type VolumeTag } from "./volume-tag.ts";

const plain: VolumeTag = {
  cluster: "lab",
  revision: 7,
  attachment: undefined,
  epoch: undefined,
  departure: undefined,
  halted: false,
  pv: undefined,
  source: undefined,
  pvc: undefined,
};
const full: VolumeTag = {
  ...plain,
  attachment: { nodes: ["n1", "n2"], mode: "multi-node-multi-writer", since: 1_700_000_000 },
  epoch: { counter: 4, nonce: "k3v9x0qa" },
  departure: { node: "n3", at: 1_700_000_001 },
  halted: true,
  pv: "pvc-1",
  source: "snap-1",
  pvc: "default/data",
};
const fullComment =
  "rds-csi=1 cluster=lab rev=7 nodes=n1,n2 mode=mnm since=1700000000 epoch=4.k3v9x0qa " +
  "left=1700000001.n3 halted=1 pv=pvc-1 from=snap-1 pvc=default/data";

const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,24}$/);
const seconds = fc.integer({ min: 0, max: 10 ** 15 - 1 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const plainRecord = <T>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(fields, { noNullPrototype: true });
const anyTag: fc.Arbitrary<VolumeTag> = plainRecord({
  cluster: name,
  revision: seconds,
  attachment: maybe(
    plainRecord({
      nodes: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }),
      mode: fc.constantFrom(...(Object.keys(accessModes) as AccessMode[])),
      since: seconds,
    }),
  ),
  epoch: maybe(plainRecord({ counter: seconds, nonce: fc.stringMatching(/^[a-z0-9]{8}$/) })),
  departure: maybe(plainRecord({ node: name, at: seconds })),
  halted: fc.boolean(),
  pv: maybe(name),
  source: maybe(name),
  pvc: maybe(fc.tuple(name, name).map(([namespace, claim]) => `${namespace}/${claim}`)),
});

test("formatVolumeTag() writes words that a person can read", () => {
  assert.equal(formatVolumeTag(full), fullComment);
  assert.equal(formatVolumeTag(plain), "rds-csi=1 cluster=lab rev=7");
});

test("parseVolumeTag() gives back what formatVolumeTag() was given, but for what had to go", () => {
  fc.assert(
    fc.property(anyTag, (tag) => {
      const comment = formatVolumeTag(tag);
      const read = parseVolumeTag(comment);
      const gone: Partial<VolumeTag> = {
        ...(read?.pvc === undefined && { pvc: undefined }),
        ...(read?.pv === undefined && { pv: undefined }),
        ...(read?.departure?.node === severalNodes && { departure: read.departure }),
      };
      assert.ok(Buffer.byteLength(comment) <= 255);
      assert.deepEqual(read, { ...tag, ...gone });
      assert.deepEqual(parseVolumeTag(formatVolumeTag({ ...tag, ...gone })), read);
    }),
  );
});

test("formatVolumeTag() drops pvc first, then pv, then the name of who left", () => {
  const cut = (tag: VolumeTag) => parseVolumeTag(formatVolumeTag(tag));
  const long = "x".repeat(100);
  assert.deepEqual(cut({ ...full, pvc: `${long}/${long}` }), { ...full, pvc: undefined });
  const bare = { ...full, pvc: undefined, pv: undefined };
  assert.deepEqual(cut({ ...full, pv: `pvc-${long}${long}`, pvc: "x" }), bare);
  const left = { at: 1, node: "x".repeat(192) };
  assert.deepEqual(cut({ ...bare, departure: left }), {
    ...bare,
    departure: { at: 1, node: severalNodes },
  });
});

test("formatVolumeTag() can always record that a node left, however long its name", () => {
  const departure = { at: 1_700_000_000, node: "x".repeat(192) };
  const tag = { ...plain, cluster: "c".repeat(36), epoch: full.epoch, departure };
  assert.equal(parseVolumeTag(formatVolumeTag(tag))?.departure?.at, 1_700_000_000);
});

test("formatVolumeTag() refuses nodes whose names do not fit, instead of forgetting one", () => {
  const attachment = { ...full.attachment, nodes: ["x".repeat(192), "y".repeat(60)] };
  assert.throws(() => formatVolumeTag({ ...plain, attachment } as VolumeTag), {
    kind: "resource-exhausted",
    message: /nodes "x+, y+"/,
  });
});

test("formatVolumeTag() refuses values that would read as words of their own", () => {
  for (const pvc of ["a nodes=evil", "a\nb", "", "ä", "a\u0000"])
    assert.throws(() => formatVolumeTag({ ...plain, pvc }), { kind: "invalid-argument" }, pvc);
});

test("parseVolumeTag() passes over words that somebody added", () => {
  assert.deepEqual(parseVolumeTag(`do not touch ${fullComment} colour=red do`), full);
});

test("parseVolumeTag() takes no foreign comment for one of ours", () => {
  const foreign = ["", "backup disk", "rds-csi=2 cluster=lab rev=1", "rds-csi=1 rev=1"];
  const broken = [
    "rds-csi=1 cluster= rev=1",
    "rds-csi=1 cluster=lab",
    "rds-csi=1 cluster=lab rev=x",
  ];
  for (const comment of [
    ...foreign,
    ...broken,
    "rds-csi=1 cluster=lab rev=-1",
    "cluster=lab rev=1",
  ])
    assert.equal(parseVolumeTag(comment), undefined, comment);
});

test("parseVolumeTag() never takes a half-readable attachment, epoch, departure or halt for none", () => {
  const edited = [
    fullComment.replace("nodes=n1,n2 ", ""),
    fullComment.replace("nodes=n1,n2", "nodes="),
    fullComment.replace("nodes=n1,n2", "nodes=,"),
    fullComment.replace("mode=mnm ", ""),
    fullComment.replace("mnm", "rwx"),
    fullComment.replace("since=1700000000 ", ""),
    fullComment.replace("4.k3v9x0qa", "4"),
    fullComment.replace("1700000001.n3", "yesterday"),
    fullComment.replace("halted=1", "halted=soon"),
    `${fullComment} nodes=n9`,
    `${fullComment} rev=8`,
  ];
  for (const comment of edited) assert.equal(parseVolumeTag(comment), undefined, comment);
});

test("parseVolumeTag() reads a comment that was cut off as no comment of ours, or without loss of nodes", () => {
  for (let length = 0; length < fullComment.length; length++) {
    const read = parseVolumeTag(fullComment.slice(0, length));
    if (length > fullComment.indexOf(" mode="))
      assert.ok(read === undefined || read.attachment?.nodes.length === 2, `${length}`);
  }
});
