import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Sysfs } from "#linux/sysfs.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { moduleState } from "./kernel-modules.ts";

test("moduleState() tells loaded, built-in, available and missing modules apart", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "module/nvme_tcp"), { recursive: true });
  writeFileSync(join(folder.path, "modules.builtin"), "kernel/drivers/md/dm-mod.ko\n");
  writeFileSync(
    join(folder.path, "modules.dep"),
    "kernel/drivers/md/dm-multipath.ko.xz: kernel/drivers/md/dm-mod.ko.xz\nkernel/fs/xfs/xfs.ko:\n",
  );
  const kernel = { sysfs: new Sysfs(folder.path), folder: folder.path };
  assert.equal(moduleState("nvme-tcp", kernel), "loaded");
  assert.equal(moduleState("dm-mod", kernel), "loaded");
  assert.equal(moduleState("dm-multipath", kernel), "available");
  assert.equal(moduleState("xfs", kernel), "available");
  assert.equal(moduleState("dm-service-time", kernel), "missing");
  assert.equal(moduleState("fs", kernel), "missing");
  assert.equal(moduleState("nvme-tcp", { ...kernel, sysfs: new Sysfs("/nonexistent") }), "missing");
});
