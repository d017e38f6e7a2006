import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";

test("read() takes an attribute without its newline, and readNumber() only whole numbers", () => {
  using tree = new SysfsTree();
  tree.attributes("block/loop0", { size: 2048, name: "loop 0", hex: "0x10", negative: -1 });
  const { sysfs } = tree;
  assert.equal(sysfs.read("block", "loop0", "name"), "loop 0");
  assert.equal(sysfs.readNumber("block", "loop0", "size"), 2048);
  assert.equal(sysfs.readNumber("block", "loop0", "hex"), undefined);
  assert.equal(sysfs.readNumber("block", "loop0", "negative"), undefined);
});

test("what has vanished is undefined, an empty list, or not written", () => {
  using tree = new SysfsTree();
  tree.link("class/nvme/nvme0", "devices/gone");
  const { sysfs } = tree;
  assert.equal(sysfs.read("class", "nvme", "nvme0", "state"), undefined);
  assert.deepEqual(sysfs.list("class", "nvme-subsystem"), []);
  assert.deepEqual(sysfs.list("class", "nvme"), ["nvme0"]);
  assert.equal(sysfs.exists("class", "nvme", "nvme0"), false);
  assert.equal(sysfs.write("1", "class", "nvme", "nvme0", "rescan_controller"), false);
});

const skip = process.getuid?.() !== 0 && "only root may open /proc/self/clear_refs";

test("read() takes EINVAL for a device that is going away, as device-mapper says it", {
  skip,
}, () => {
  using tree = new SysfsTree();
  // A file of the kernel that can be opened, and answers as an attribute of a removed device-mapper device does.
  mkdirSync(join(tree.root, "block/dm-0/dm"), { recursive: true });
  symlinkSync("/proc/self/clear_refs", join(tree.root, "block/dm-0/dm/uuid"));
  assert.equal(tree.sysfs.read("block", "dm-0", "dm", "uuid"), undefined);
});

test("read() passes on a failure that does not say that the device is gone", () => {
  using tree = new SysfsTree();
  tree.attributes("block/loop0", {});
  assert.throws(() => tree.sysfs.read("block", "loop0"), { code: "EISDIR" });
});

test("write() changes an attribute and never makes one", () => {
  using tree = new SysfsTree();
  tree.attributes("class/nvme/nvme0", { rescan_controller: "" });
  assert.equal(tree.sysfs.write("1", "class", "nvme", "nvme0", "rescan_controller"), true);
  assert.match(readFileSync(join(tree.root, "class/nvme/nvme0/rescan_controller"), "utf8"), /^1/);
  assert.equal(tree.sysfs.write("1", "class", "nvme", "nvme0", "other"), false);
  assert.equal(existsSync(join(tree.root, "class/nvme/nvme0/other")), false);
});
