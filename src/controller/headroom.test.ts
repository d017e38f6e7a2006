import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Survey } from "#domain/volume.ts";
import { GiB } from "#lib/bytes.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { Claims } from "./claims.ts";
import { availableBytes, claimRoom, requireReserve } from "./headroom.ts";

function survey(freeBytes: number, provisionedBytes: number): Survey {
  const pool = {
    mountPoint: "pool",
    layout: "subvolume",
    sizeBytes: 100 * GiB,
    freeBytes,
  } as const;
  return { volumes: [], pool, provisionedBytes };
}

const limits = { reserve: 0.1, emergency: 0, overprovision: 1 };
const appliance = memoryAppliance({ limits });
const claim = (addedBytes: number) => ({
  act: 'create volume "a"',
  addedBytes,
  sizeBytes: addedBytes,
});

test("availableBytes() keeps the reserve, and takes the smaller of both views", () => {
  assert.equal(availableBytes(survey(100 * GiB, 0), limits), 90 * GiB);
  assert.equal(availableBytes(survey(30 * GiB, 0), limits), 20 * GiB);
  assert.equal(availableBytes(survey(100 * GiB, 80 * GiB), limits), 10 * GiB);
  assert.equal(availableBytes(survey(30 * GiB, 85 * GiB), limits), 5 * GiB);
});

test("availableBytes() counts sparse images that were promised, not what was written of them", () => {
  const twice = { reserve: 0.1, emergency: 0, overprovision: 2 };
  assert.equal(availableBytes(survey(95 * GiB, 150 * GiB), twice), 30 * GiB);
  assert.equal(availableBytes(survey(15 * GiB, 150 * GiB), twice), 5 * GiB);
});

test("availableBytes() is never negative", () => {
  assert.equal(availableBytes(survey(5 * GiB, 0), limits), 0);
  assert.equal(availableBytes(survey(100 * GiB, 500 * GiB), limits), 0);
});

test("claimRoom() lets through exactly what availableBytes() shows", () => {
  const bytes = fc.integer({ min: 0, max: 100 * GiB });
  fc.assert(
    fc.property(bytes, bytes, fc.integer({ min: 1, max: 100 * GiB }), (free, promised, wanted) => {
      const seen = survey(free, promised);
      const ask = () => claimRoom(claim(wanted), { survey: seen, claims: new Claims() }, appliance);
      if (wanted <= availableBytes(seen, limits)) ask();
      else assert.throws(ask, { kind: "resource-exhausted" });
    }),
  );
});

test("claimRoom() tells a volume that never fits from one that does not fit now", () => {
  assert.throws(
    () =>
      claimRoom(
        claim(101 * GiB),
        { survey: survey(100 * GiB, 0), claims: new Claims() },
        appliance,
      ),
    {
      kind: "out-of-range",
      message: 'Cannot create volume "a" on appliance "rds": the whole pool has 100 GiB',
    },
  );
});

test("claimRoom() says which view is exhausted, with its numbers", () => {
  assert.throws(
    () =>
      claimRoom(claim(21 * GiB), { survey: survey(30 * GiB, 0), claims: new Claims() }, appliance),
    {
      kind: "resource-exhausted",
      message:
        'Cannot create volume "a" on appliance "rds": 30 GiB of 100 GiB are free, and 10 GiB of them stay in reserve',
    },
  );
  assert.throws(
    () =>
      claimRoom(
        claim(11 * GiB),
        { survey: survey(100 * GiB, 80 * GiB), claims: new Claims() },
        appliance,
      ),
    {
      kind: "resource-exhausted",
      message:
        'Cannot create volume "a" on appliance "rds": 80 GiB are promised to volumes already, and at most 1 times 90 GiB may be',
    },
  );
});

test("claimRoom() counts what calls under way have claimed, and only until they end", () => {
  const claims = new Claims();
  const seen = survey(100 * GiB, 60 * GiB);
  const ask = (bytes: number) => claimRoom(claim(bytes), { survey: seen, claims }, appliance);
  {
    using _first = ask(20 * GiB);
    assert.throws(() => ask(11 * GiB), {
      kind: "resource-exhausted",
      message: /80 GiB are promised/,
    });
    using _second = ask(10 * GiB);
    assert.throws(() => ask(1), { kind: "resource-exhausted" });
  }
  ask(30 * GiB)[Symbol.dispose]();
});

test("nothing is handed out on a pool whose room the appliance does not tell, and the refusal says so", () => {
  const unknown = survey(0, 0);
  const blind = { ...unknown, pool: { ...unknown.pool, sizeBytes: 0 } };
  const refusal = {
    kind: "unavailable",
    message:
      'Cannot create volume "a" on appliance "rds": the appliance does not tell how much of pool "pool" is free',
  };
  const need = claim(GiB);
  assert.throws(() => claimRoom(need, { survey: blind, claims: new Claims() }, appliance), refusal);
  assert.throws(() => requireReserve(need.act, blind, appliance), refusal);
  assert.equal(availableBytes(blind, limits), 0);
});
