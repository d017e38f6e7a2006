import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { hostIdConflict, hostOrigin } from "./host-origin.ts";

const uuid = "11111111-2222-3333-4444-555555555555";
const hostNqn = `nqn.2014-08.org.nvmexpress:uuid:${uuid}`;
const booted = "0123456789abcdef0123456789abcdef\n";

/** A host with these files; the host NQN was written in second 100, the machine-id in `machineIdAt`. */
async function originWith(files: Readonly<Record<string, string>>, machineIdAt = 50) {
  using folder = temporaryFolder();
  const pathOf = (name: string) => join(folder.path, name);
  for (const [name, text] of Object.entries({ hostnqn: hostNqn, ...files }))
    writeFileSync(pathOf(name), text);
  utimesSync(pathOf("hostnqn"), 100, 100);
  if ("machine-id" in files) utimesSync(pathOf("machine-id"), machineIdAt, machineIdAt);
  const places = { productUuid: pathOf("product_uuid"), machineId: pathOf("machine-id") };
  return await hostOrigin({ hostNqn, path: pathOf("hostnqn") }, places);
}

const cases = [
  ["the machine's own UUID", { product_uuid: `${uuid.toUpperCase()}\n` }, 50, "hardware"],
  ["its own UUID in an old file", { product_uuid: uuid, "machine-id": booted }, 200, "hardware"],
  ["a file that is older than the system", { "machine-id": booted }, 200, "image"],
  ["a file made after the first boot", { "machine-id": booted }, 50, "unknown"],
  ["another machine's UUID", { product_uuid: uuid.replace("1", "2") }, 50, "unknown"],
  ["an empty machine-id, as containers have", { "machine-id": "" }, 200, "unknown"],
  ["nothing to compare with", {}, 50, "unknown"],
] as const;

for (const [what, files, machineIdAt, origin] of cases)
  test(`hostOrigin() of ${what} is ${origin}`, async () => {
    assert.equal(await originWith(files, machineIdAt), origin);
  });

test("hostIdConflict() names the connection that has the same host NQN and another host id", () => {
  using tree = new SysfsTree();
  const identity = { hostNqn, hostId: uuid };
  const own = {
    hostnqn: hostNqn,
    hostid: uuid.toUpperCase(),
    subsysnqn: "nqn.2024-01.org.example:a",
  };
  tree.attributes("class/nvme/nvme0", own);
  tree.attributes("class/nvme/nvme1", { ...own, hostnqn: `${hostNqn}x`, hostid: "other" });
  tree.attributes("class/nvme/nvme2", { model: "a local disk" });
  assert.equal(hostIdConflict(tree.sysfs, identity), undefined);
  tree.attributes("class/nvme/nvme3", { ...own, hostid: "99999999-2222-3333-4444-555555555555" });
  assert.match(
    hostIdConflict(tree.sysfs, identity) ?? "",
    /^"nvme3" of "nqn\.2024-01\.org\.example:a" /,
  );
});
