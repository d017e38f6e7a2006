import assert from "node:assert/strict";
import test from "node:test";
import { MiB } from "#lib/bytes.ts";
import { NodeWorld } from "#test/fakes/node/node-world.ts";
import { holdsContract } from "./holds.contract.ts";

/** Real device-mapper: test/machine/scenarios/hold-contract.machine.ts. */
holdsContract((title, check) =>
  test(`fake device-mapper: ${title}`, async () => {
    const world = new NodeWorld({ canHold: true });
    const { holds, devices, ctx } = world;
    const [device, other] = ["pvc-a", "pvc-b"].map((id) => {
      const { nqn } = world.attach(id, 64 * MiB);
      world.kernel.connect(nqn);
      return world.kernel.find(nqn);
    });
    assert.ok(device && other);
    await check({ holds, device, other, holders: (number) => devices.holders(number, ctx) });
  }),
);
