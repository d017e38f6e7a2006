import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nqnFor } from "#domain/nqn.ts";
import { slotForName } from "#domain/volume-id.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { holdName } from "./hold-name.ts";
import { installHostRules } from "./host-rules.ts";

test("installHostRules() writes rules that match the names this driver makes", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "udev"));
  assert.equal(await installHostRules(join(folder.path, "udev")), true);
  const text = readFileSync(join(folder.path, "udev/rules.d/09-rds-csi.rules"), "utf8");
  const [, uuid = "", nqnPattern = ""] =
    /dm\/uuid}=="([^"]+)".*subsysnqn}=="([^"]+)"/s.exec(text) ?? [];
  const nqn = nqnFor(slotForName("pvc-x"), { counter: 1, nonce: "abcdefgh" });
  assert.ok(globMatches(uuid, holdName(nqn)) && globMatches(nqnPattern, nqn), text);
  assert.ok(globMatches(uuid, "rds-csi-probe-1795733878105-6gpnwyoj-base"), text);
  assert.equal(globMatches(uuid, "mpath-36001405") || globMatches(nqnPattern, "nqn.x:root"), false);
});

test("installHostRules() names the loop devices of kubelet on raw block volumes, and no others", async () => {
  using folder = temporaryFolder();
  await installHostRules(folder.path);
  const text = readFileSync(join(folder.path, "rules.d/09-rds-csi.rules"), "utf8");
  const [, pattern = ""] = /KERNEL=="loop.*backing_file}=="([^"]+)"/.exec(text) ?? [];
  const kubelet = "/var/lib/kubelet/plugins/kubernetes.io/csi/volumeDevices";
  const pod = "5e0a6a4e-5d33-4f0d-a0f5-6a3f2ad0fd25";
  assert.ok(globMatches(pattern, `${kubelet}/pvc-x/dev/${pod}`), text);
  for (const path of [`${kubelet}/staging/pvc-x`, "/var/lib/images/disk.img"])
    assert.equal(globMatches(pattern, path), false);
});

test("installHostRules() does nothing on a host without udev", async () => {
  using folder = temporaryFolder();
  assert.equal(await installHostRules(join(folder.path, "udev")), false);
});

/** udev's patterns, as far as they are used: `*` and `?`. */
function globMatches(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("?", ".").replaceAll("*", ".*")}$`).test(text);
}
