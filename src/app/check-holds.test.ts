import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import type { HoldSupport } from "#domain/ports/device-mapper.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { holdFindings } from "./check-holds.ts";

const good: HoldSupport = { missing: undefined, queueTimeoutSeconds: 0, nativeMultipath: true };

/** What is found on a host with these files in `/proc` and `/run/udev`. */
function findingsOf(
  tree: SysfsTree,
  support: HoldSupport = good,
  files: Readonly<Record<string, string>> = {},
) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree.root, path)), { recursive: true });
    writeFileSync(join(tree.root, path), text);
  }
  const host = {
    sysfs: tree.sysfs,
    proc: join(tree.root, "proc"),
    runUdev: join(tree.root, "udev"),
  };
  return holdFindings(support, host);
}

test("holdFindings() has nothing to say against a good host", () => {
  using tree = new SysfsTree();
  const files = {
    "proc/sys/kernel/hung_task_panic": "0\n",
    "proc/1/comm": "systemd\n",
    "udev/rules.d/09-rds-csi.rules": "",
  };
  assert.deepEqual(findingsOf(tree, good, files), [
    { level: "ok", text: "Holds can be made: I/O waits while a connection is lost" },
    { level: "ok", text: "udev leaves the content of volumes alone" },
  ]);
});

test("holdFindings() names each thing on a host that ends, breaks or takes holds", () => {
  using tree = new SysfsTree();
  tree.attributes("module/nvme_core", {});
  const support = { ...good, queueTimeoutSeconds: 60, nativeMultipath: false };
  const files = {
    "proc/sys/kernel/hung_task_panic": "1\n",
    "proc/77/comm": "multipathd\n",
    "udev/control": "",
  };
  const findings = findingsOf(tree, support, files);
  assert.deepEqual(
    findings.map(({ level, text }) => `${level} ${text.split(":")[0]}`),
    [
      "warning Holds cannot be made (native NVMe multipath is off)",
      "problem This host ends every hold after 60 s",
      "problem The kernel panics when a process waits for long, as it may in an outage",
      "ok udev is told to leave the content of volumes alone when the node plugin starts",
      "warning multipathd runs here and may take volumes",
    ],
  );
});

test("holdFindings() sees what the host has put on a volume or on its hold, and nothing else", () => {
  using tree = new SysfsTree();
  tree.attributes("block/nvme0n1", {
    "device/subsysnqn": "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh",
    "holders/dm-0": "",
    "holders/dm-4": "",
    "nvme0n1p2/partition": 2,
    "nvme0n1p2/holders/dm-8": "",
  });
  tree.attributes("block/nvme1n1", { "device/subsysnqn": "nqn.other", "holders/dm-5": "" });
  tree.attributes("block/dm-0", { "dm/uuid": "rds-csi-nqn.2000-02.x:a", "holders/dm-6": "" });
  tree.attributes("block/dm-4", { "dm/uuid": "mpath-x", "dm/name": "mpatha" });
  tree.attributes("block/dm-6", { "dm/uuid": "LVM-x", "dm/name": "guest-root" });
  tree.attributes("block/dm-8", { "dm/uuid": "LVM-y", "dm/name": "guest-swap" });
  const problems = findingsOf(tree).filter(({ level }) => level === "problem");
  assert.deepEqual(
    problems.map(({ text }) => text),
    [
      '"dm-0" is a volume, and this host uses it as "dm-6" (guest-root)',
      '"nvme0n1" is a volume, and this host uses it as "dm-4" (mpatha)',
      '"nvme0n1" is a volume, and this host uses it as "dm-8" (guest-swap)',
    ],
  );
});

test("holdFindings() sees what the host has put on kubelet's loop device of a raw block volume", () => {
  using tree = new SysfsTree();
  const path = "/var/lib/kubelet/plugins/kubernetes.io/csi/volumeDevices/pvc-x/dev/pod-1";
  tree.attributes("block/loop0", { "loop/backing_file": path, "holders/dm-6": "" });
  tree.attributes("block/loop1", { "loop/backing_file": "/srv/disk.img", "holders/dm-7": "" });
  tree.attributes("block/loop2", { size: 0 });
  tree.attributes("block/dm-6", { "dm/uuid": "LVM-x", "dm/name": "guest-root" });
  const problems = findingsOf(tree).filter(({ level }) => level === "problem");
  assert.deepEqual(
    problems.map(({ text }) => text),
    [`"loop0" (${path}) is a volume, and this host uses it as "dm-6" (guest-root)`],
  );
});

test("holdFindings() says why holds cannot be made", () => {
  using tree = new SysfsTree();
  const [first] = findingsOf(tree, { ...good, missing: "Cannot make a hold: no dmsetup" });
  assert.equal(
    first?.text,
    "Holds cannot be made (Cannot make a hold: no dmsetup): mounted volumes do not outlive a device that comes back under another name",
  );
});
