import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FileSystem } from "./file-system.ts";
import type { Directory, Extent, FileEntry } from "./file-tree.ts";
import { Numbering } from "./numbering.ts";
import { restoreFileSystem, saveFileSystem } from "./saved-tree.ts";

const facts = {
  mountPoint: "pool",
  type: "btrfs",
  label: "pool-fs",
  uuid: "00000000-0000-4000-8000-000000000000",
  size: 2 ** 40,
} as const;

/** The space that the files of a tree take, counted anew. */
function countedBytes(fileSystem: FileSystem): number {
  const extents = new Set<Extent>();
  for (const file of files(fileSystem.root)) for (const extent of file.extents) extents.add(extent);
  return [...extents].reduce((sum, { bytes }) => sum + bytes, 0);
}

function files(directory: Directory): FileEntry[] {
  return [...directory.children.values()].flatMap((entry) =>
    entry.kind === "file" ? [entry] : files(entry),
  );
}

type OperationKind = "create" | "grow" | "truncate" | "subvolume" | "snapshot" | "copy" | "remove";

const operation = fc.record({
  kind: fc.constantFrom<OperationKind>(
    "create",
    "grow",
    "truncate",
    "subvolume",
    "snapshot",
    "copy",
    "remove",
  ),
  pick: fc.nat(),
  bytes: fc.integer({ min: 1, max: 1000 }),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Does one of the operations to a file or directory of the tree that `pick` selects. */
function apply(fileSystem: FileSystem, { kind, pick, bytes }: Operation, step: number): void {
  const { root } = fileSystem;
  const at = <T>(list: readonly T[]): T | undefined => list[pick % Math.max(1, list.length)];
  const subvolume = at([...fileSystem.subvolumes]);
  const file = at(files(root));
  const place = { parent: pick % 2 === 0 ? root : (subvolume ?? root), name: `entry-${step}` };
  const victim = pick % 2 === 0 ? file : subvolume;
  const top = { ...place, parent: root };
  const operations: Readonly<Record<OperationKind, () => unknown>> = {
    create: () => fileSystem.createFile(place, bytes),
    grow: () => file && fileSystem.grow(file, file.size + bytes),
    truncate: () => file && fileSystem.truncate(file, bytes),
    subvolume: () => fileSystem.createSubvolume(place, false),
    snapshot: () => subvolume && fileSystem.snapshot(subvolume, top, false),
    copy: () => file && fileSystem.copy(file, top),
    remove: () => victim && fileSystem.remove(victim),
  };
  operations[kind]();
}

test("FileSystem counts the space and the entries of its tree whatever is done, also restored", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const fileSystem = new FileSystem(facts, new Numbering());
      for (const [step, each] of operations.entries()) {
        apply(fileSystem, each, step);
        assert.equal(fileSystem.usedBytes, countedBytes(fileSystem));
      }
      const saved = JSON.parse(JSON.stringify(saveFileSystem(fileSystem)));
      const restored = restoreFileSystem(saved, new Numbering());
      assert.equal(restored.usedBytes, fileSystem.usedBytes);
      assert.equal(restored.entryCount, fileSystem.entryCount);
      assert.deepEqual(saveFileSystem(restored), saved);
      for (const entry of [...restored.root.children.values()]) restored.remove(entry);
      assert.deepEqual([restored.usedBytes, restored.entryCount], [0, 0]);
    }),
    { numRuns: 200 },
  );
});

test("find() does not leave its file system and knows no parent directories", () => {
  const fileSystem = new FileSystem(facts, new Numbering());
  fileSystem.createFile({ parent: fileSystem.root, name: "a" }, 1);
  assert.equal(fileSystem.find("pool/a")?.name, "a");
  assert.equal(fileSystem.find("pool/a/b"), undefined);
  assert.equal(fileSystem.find("pool/.."), undefined);
  assert.equal(fileSystem.find("poo/a"), undefined);
});
