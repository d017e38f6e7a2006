import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { type AccessMode, type FsType, fsTypes } from "#domain/access-mode.ts";
import { mountOptions } from "./mount-options.ts";

const access = (fsType: FsType, ...mountFlags: string[]) =>
  ({ type: "mount", fsType, mountFlags }) as const;
const always = ["nosuid", "nodev"];

test("mountOptions() always sets nosuid and nodev, and nothing else unasked (pitfall 46)", () => {
  for (const fsType of fsTypes)
    assert.deepEqual(mountOptions(access(fsType), "single-node-writer"), {
      filesystem: ["nosuid", "nodev"],
      bind: ["nosuid", "nodev"],
    });
});

test("mountOptions() takes what is known to be safe, and keeps per-mount options for bind mounts", () => {
  const cases: [FsType, string[]][] = [
    ["ext4", ["noatime", "commit=30", "data=ordered", "barrier", "discard", "errors=remount-ro"]],
    ["ext3", ["relatime", "data=journal"]],
    ["xfs", ["nodiratime", "logbufs=8", "logbsize=256k", "allocsize=64m", "inode64"]],
    ["btrfs", ["noatime", "compress=zstd:3", "discard=async", "space_cache=v2", "ssd"]],
  ];
  for (const [fsType, flags] of cases) {
    const { filesystem, bind } = mountOptions(access(fsType, ...flags), "single-node-writer");
    assert.deepEqual(filesystem, ["nosuid", "nodev", ...flags]);
    assert.deepEqual(bind, ["nosuid", "nodev", ...flags.filter((flag) => /atime$/.test(flag))]);
  }
});

test("mountOptions() refuses everything else by name, and says why where people will ask", () => {
  const cases: [FsType, string, RegExp][] = [
    ["ext4", "suid", /set-user-ID/],
    ["ext4", "dev", /devices into the host/],
    ["ext4", "nobarrier", /power failure/],
    ["ext4", "barrier=0", /power failure/],
    ["ext4", "ro", /read-only access mode/],
    ["ext4", "noload", /journal/],
    ["btrfs", "rescue=all", /journal/],
    ["xfs", "nouuid", /copies/],
    ["xfs", "data=ordered", /list of options allowed for xfs/],
    ["ext4", "data=writeback", /list of options/],
    ["ext4", "errors=panic", /list of options/],
    ["btrfs", "subvol=other", /list of options/],
    ["ext4", "noatime,dev", /list of options/],
    ["ext4", "noatime\ndev", /list of options/],
    ["ext4", "-o", /list of options/],
    ["ext4", "", /list of options/],
    ["ext4", "bind", /list of options/],
    ["ext4", "loop", /list of options/],
  ];
  for (const [fsType, flag, reason] of cases)
    assert.throws(
      () => mountOptions(access(fsType, flag), "single-node-writer"),
      (error: Error & { kind?: string }) =>
        error.kind === "invalid-argument" &&
        error.message.includes(`"${flag}"`) &&
        reason.test(error.message),
      flag,
    );
});

test("mountOptions() replays no journal where other nodes may have the volume", () => {
  const options = fsTypes.map(
    (fsType) => mountOptions(access(fsType), "multi-node-reader-only").filesystem,
  );
  const common = ["nosuid", "nodev", "ro"];
  assert.deepEqual(options, [
    [...common, "noload"],
    [...common, "norecovery"],
    [...common, "noload"],
    [...common, "rescue=nologreplay"],
  ]);
  assert.deepEqual(mountOptions(access("xfs"), "single-node-reader-only").filesystem, common);
});

test("mountOptions() lets a copy be beside its source, and asks the kernel whether its journal is replayed", () => {
  const optionsOf = (mode: AccessMode) =>
    fsTypes.map((fsType) => mountOptions(access(fsType), mode, true).filesystem.slice(2));
  assert.deepEqual(optionsOf("single-node-writer"), [[], ["nouuid"], [], []]);
  const reader = [["ro"], ["nouuid", "ro"], ["ro"], ["ro"]];
  assert.deepEqual(optionsOf("multi-node-reader-only"), reader);
  assert.deepEqual(optionsOf("single-node-reader-only"), reader);
  assert.deepEqual(mountOptions(access("xfs"), "single-node-writer", true).bind, always);
});

test("mountOptions() lets no flag through that could become several, or a switch of mount(8)", () => {
  const words = fc.constantFrom("noatime", "commit=5", "compress=zstd", "logbufs=4", "discard");
  const joints = fc.constantFrom(",", " ", "-", "\n", "=", "\\", "\0", "");
  const flags = fc.oneof(
    fc.string(),
    fc.tuple(joints, words, joints, words).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(fc.constantFrom(...fsTypes), flags, (fsType, flag) => {
      try {
        mountOptions(access(fsType, flag), "single-node-writer");
      } catch {
        return true;
      }
      return /^[a-z][a-z0-9_=:-]*$/.test(flag);
    }),
  );
});
