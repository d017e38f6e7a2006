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

const skip = allowsTwoHostIds;
test("connect() names the connection that has the same host NQN and another host id", {
  skip,
}, async () => {
  using world = new World();
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
  await assert.rejects(initiator.connect(own.target, neverGivesUp, world.ctx), {
    kind: "failed-precondition",
    message: new RegExp(
      `^Cannot connect "${own.nqn}": "nvme\\d+" of "${foreign.nqn}" is connected as the same host NQN .* host id, "${otherId}" instead of "${hostId}"`,
    ),
  });
  assert.deepEqual(world.controllers(own), []);
  assert.deepEqual(world.controllers(foreign), ["live"], "nobody was disconnected for it");
  sh(`nvme disconnect -n ${foreign.nqn}`);
  await initiator.connect(own.target, neverGivesUp, world.ctx);
  assert.deepEqual(world.controllers(own), ["live"]);
});
