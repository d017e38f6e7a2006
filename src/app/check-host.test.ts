import assert from "node:assert/strict";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { hostFindings } from "./check-host.ts";

const hostNqn = "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555";

async function findingsWith(tree: SysfsTree, files: Readonly<Record<string, string>>) {
  const [etcNvme, state] = [join(tree.root, "etc"), join(tree.root, "state")];
  for (const folder of [etcNvme, state]) mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(tree.root, name), text);
  const places = { productUuid: join(tree.root, "uuid"), machineId: join(tree.root, "machine-id") };
  const findings = await hostFindings({ etcNvme, state }, places, tree.sysfs);
  return findings.map(({ level, text }) => `${level}: ${text.replaceAll(tree.root, "")}`);
}

test("hostFindings() makes no host NQN where there is none", async () => {
  using tree = new SysfsTree();
  assert.deepEqual(await findingsWith(tree, {}), [
    "ok: The host NQN will be made at the first start, in /state",
  ]);
  assert.deepEqual(readdirSync(join(tree.root, "state")), []);
});

test("hostFindings() does not claim that a host NQN is unique", async () => {
  using tree = new SysfsTree();
  assert.deepEqual(await findingsWith(tree, { "state/hostnqn": hostNqn }), [
    `ok: The host NQN is ${hostNqn} (/state/hostnqn); whether another node has it too is not seen here`,
  ]);
});

test("hostFindings() warns of a host NQN that came with an image", async () => {
  using tree = new SysfsTree();
  const machineId = join(tree.root, "machine-id");
  writeFileSync(machineId, "0123456789abcdef0123456789abcdef");
  const bootedAt = Date.now() / 1_000 + 60;
  utimesSync(machineId, bootedAt, bootedAt);
  const [finding = ""] = await findingsWith(tree, { "etc/hostnqn": hostNqn });
  assert.match(finding, /^warning: The host NQN is .*, which is older than this system: /);
});

test("hostFindings() reports a file that holds no NQN, and a host id that is in the way", async () => {
  using tree = new SysfsTree();
  assert.match(
    (await findingsWith(tree, { "etc/hostnqn": "node 1" })).join(),
    /^problem: Cannot use /,
  );
  using other = new SysfsTree();
  other.attributes("class/nvme/nvme0", { hostnqn: hostNqn, hostid: "other", subsysnqn: "nqn.x" });
  const [, conflict] = await findingsWith(other, { "etc/hostnqn": hostNqn });
  assert.match(conflict ?? "", /^problem: The kernel may refuse to connect: "nvme0" of "nqn\.x"/);
});
