import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testAppliance } from "./testing/test-appliance.ts";

const GiB = 2 ** 30;
const add = "/disk/add type=file slot=a file-path=/pool/a.img file-size=1G nvme-tcp-export=yes";

test("an unexport cuts, keeps, refuses or awaits connected hosts by its switch", async () => {
  const { run, print, appliance } = await testAppliance();
  await print(add);
  const unexport = "/disk/set a nvme-tcp-export=no";
  const { initiators, switches } = appliance;

  switches.set("connected-unexport", "refuse");
  const refused = initiators.connect("a", "one");
  assert.equal((await run(unexport)).error, 'failure: disk "a" is in use');
  assert.equal(refused.connected, true);

  switches.set("connected-unexport", "cut");
  assert.equal((await run(unexport)).error, undefined);
  assert.equal(refused.connected, false);

  await print("/disk/set a nvme-tcp-export=yes");
  switches.set("connected-unexport", "keep");
  const kept = initiators.connect("a", "one");
  await print(unexport);
  assert.equal(kept.connected, true);
  assert.throws(() => initiators.connect("a", "two"), /no such subsystem/);

  await print("/disk/set a nvme-tcp-export=yes");
  switches.set("connected-unexport", "hang");
  const awaited = initiators.connect("a", "three");
  const waiting = run(unexport);
  const early = await Promise.race([waiting.then(() => "ended"), sleep(20, "waits")]);
  assert.equal(early, "waits");
  awaited.disconnect();
  assert.equal((await waiting).error, undefined);
});

test("a removal that hangs on a connected host ends with its session and removes nothing", async () => {
  const { run, print, rows, appliance } = await testAppliance({
    switches: { "connected-remove": "hang" },
  });
  await print(add);
  const attachment = appliance.initiators.connect("a", "one");
  const session = new AbortController();
  const removal = run("/disk/remove a", session.signal);
  session.abort();
  await assert.rejects(removal, { name: "AbortError" });
  assert.equal((await rows("/disk", "slot=a")).length, 1);
  assert.equal(attachment.connected, true);
});

test("a removal of a connected export is refused when switched", async () => {
  const { run, print, appliance } = await testAppliance({
    switches: { "connected-remove": "refuse" },
  });
  await print(add);
  const attachment = appliance.initiators.connect("a", "one");
  assert.equal((await run("/disk/remove a")).error, 'failure: disk "a" is in use');
  attachment.disconnect();
  assert.equal((await run("/disk/remove a")).error, undefined);
});

test("a host connects only when allow-host-name is empty or names it", async () => {
  const { print, appliance } = await testAppliance();
  await print(`${add} nvme-tcp-server-allow-host-name=nqn.host:1`);
  assert.throws(() => appliance.initiators.connect("a", "nqn.host:2"), /is not allowed/);
  assert.equal(appliance.initiators.connect("a", "nqn.host:1").connected, true);
});

test("a grown disk is seen live, after a rescan, or after a new export", async () => {
  const { print, appliance } = await testAppliance();
  await print(add);
  const { initiators, switches } = appliance;
  const attachment = initiators.connect("a", "one");
  await print("/disk/set a file-size=2G");
  assert.equal(attachment.bytes, 2 * GiB);

  switches.set("resize-visibility", "rescan");
  assert.equal(attachment.bytes, GiB);
  attachment.rescan();
  assert.equal(attachment.bytes, 2 * GiB);

  switches.set("resize-visibility", "re-export");
  assert.equal(attachment.bytes, GiB);
  await print("/disk/set a nvme-tcp-export=no");
  await print("/disk/set a nvme-tcp-export=yes");
  assert.equal(initiators.connect("a", "one").bytes, 2 * GiB);
});
