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

test("installHostRules() does nothing on a host without udev", async () => {
  using folder = temporaryFolder();
  assert.equal(await installHostRules(join(folder.path, "udev")), false);
});

/** udev's patterns, as far as they are used: `*` and `?`. */
function globMatches(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("?", ".").replaceAll("*", ".*")}$`).test(text);
}
