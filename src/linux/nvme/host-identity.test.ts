import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { loadHostIdentity } from "./host-identity.ts";

const uuid = "11111111-2222-3333-4444-555555555555";
const uuidNqn = `nqn.2014-08.org.nvmexpress:uuid:${uuid}`;

function folders(own: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  const etcNvme = join(folder.path, "etc");
  mkdirSync(etcNvme);
  for (const [name, text] of Object.entries(own)) writeFileSync(join(etcNvme, name), text);
  const state = join(folder.path, "state");
  return { etcNvme, state, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("loadHostIdentity() takes the host's own NQN and id", async () => {
  using it = folders({ hostnqn: `${uuidNqn}\n`, hostid: "99999999-2222-3333-4444-555555555555\n" });
  assert.deepEqual(await loadHostIdentity(it), {
    hostNqn: uuidNqn,
    hostId: "99999999-2222-3333-4444-555555555555",
  });
});

test("loadHostIdentity() takes a missing id from the NQN", async () => {
  using it = folders({ hostnqn: uuidNqn, hostid: "\n" });
  assert.equal((await loadHostIdentity(it)).hostId, uuid);
});

test("loadHostIdentity() gives an NQN without UUID always the same id", async () => {
  using it = folders({ hostnqn: "nqn.2024-01.org.example:node-1" });
  const { hostId } = await loadHostIdentity(it);
  assert.match(hostId, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(await loadHostIdentity(it), {
    hostNqn: "nqn.2024-01.org.example:node-1",
    hostId,
  });
});

test("loadHostIdentity() makes an identity once and keeps it", async () => {
  using it = folders();
  const made = await loadHostIdentity(it);
  assert.equal(made.hostNqn, `nqn.2014-08.org.nvmexpress:uuid:${made.hostId}`);
  assert.deepEqual(await loadHostIdentity(it), made);
  const kept = join(it.state, "hostnqn");
  assert.equal(readFileSync(kept, "utf8"), `${made.hostNqn}\n`);
  assert.equal(statSync(kept).mode & 0o777, 0o600);
});

test("loadHostIdentity() refuses a file that holds no NQN", async () => {
  using it = folders({ hostnqn: "node-1 --hostid=x" });
  await assert.rejects(loadHostIdentity(it), {
    kind: "failed-precondition",
    message: `Cannot use "${it.etcNvme}/hostnqn": it does not hold an NQN`,
  });
});
