import assert from "node:assert/strict";
import test from "node:test";
import { systemClock } from "#lib/clock.ts";
import { deviceNumberOf } from "#linux/device-node.ts";
import { createExec } from "#linux/exec.ts";
import { Fabrics } from "#linux/nvme/fabrics.ts";
import { NvmeInitiator } from "#linux/nvme/nvme-initiator.ts";
import { allowsTwoHostIds } from "../rig/kernel.ts";
import { neverGivesUp, sh, World } from "../rig/world.ts";

const hostNqn = "nqn.2014-08.org.nvmexpress:uuid:aaaaaaaa-2222-3333-4444-555555555555";
const [hostId, otherId] = [
  "aaaaaaaa-2222-3333-4444-555555555555",
  "bbbbbbbb-2222-3333-4444-555555555555",
];

/** Connects one volume with the other host id. @returns how to connect another one with this host's. */
function besideAnotherId(world: World) {
  const [foreign, own] = [world.volume("a"), world.volume("b")];
  for (const volume of [foreign, own]) world.export(volume);
  sh(`nvme connect -t tcp -a 127.0.0.1 -s 4420 -n ${foreign.nqn} -q ${hostNqn} -I ${otherId}`);
  const host = { sysfs: world.sysfs, dev: "/dev", deviceNumberOf };
  const initiator = new NvmeInitiator({
    fabrics: new Fabrics(createExec(), host),
    host,
    identity: { hostNqn, hostId },
    clock: systemClock,
  });
  return { foreign, own, connect: () => initiator.connect(own.target, neverGivesUp, world.ctx) };
}

const named = "connect() names the connection that has the same host NQN and another host id";
test(named, { skip: allowsTwoHostIds }, async () => {
  using world = new World();
  const { foreign, own, connect } = besideAnotherId(world);
  await assert.rejects(connect(), {
    kind: "failed-precondition",
    message: new RegExp(
      `^Cannot connect "${own.nqn}": "nvme\\d+" of "${foreign.nqn}" is connected as the same host NQN .* host id, "${otherId}" instead of "${hostId}"`,
    ),
  });
  assert.deepEqual(world.controllers(own), []);
  assert.deepEqual(world.controllers(foreign), ["live"], "nobody was disconnected for it");
  sh(`nvme disconnect -n ${foreign.nqn}`);
  await connect();
  assert.deepEqual(world.controllers(own), ["live"]);
});

const allowed =
  "connect() makes a connection beside one with another host id where the kernel does";
test(allowed, { skip: !allowsTwoHostIds && "this kernel does not" }, async () => {
  using world = new World();
  const { foreign, own, connect } = besideAnotherId(world);
  await connect();
  for (const volume of [foreign, own]) assert.deepEqual(world.controllers(volume), ["live"]);
});
