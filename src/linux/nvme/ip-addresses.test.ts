import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { IpAddresses } from "./ip-addresses.ts";

const ctx = testContext();

test("of() asks nobody about an address", async () => {
  const addresses = new IpAddresses(async () => assert.fail("the resolver was asked"));
  for (const address of ["10.0.0.1", "fd00::1"])
    assert.equal(await addresses.of(address, ctx), address);
});

test("of() asks once for all who wait, and anew for those who come later", async () => {
  const answers: ((address: string) => void)[] = [];
  const addresses = new IpAddresses(() => new Promise((resolve) => answers.push(resolve)));
  const waiting = Promise.all(Array.from({ length: 300 }, () => addresses.of("rds.lan", ctx)));
  assert.equal(answers.length, 1);
  answers[0]?.("10.0.0.1");
  assert.deepEqual(new Set(await waiting), new Set(["10.0.0.1"]));
  const later = addresses.of("rds.lan", ctx);
  assert.equal(answers.length, 2);
  answers[1]?.("10.0.0.2");
  assert.equal(await later, "10.0.0.2");
});

test("of() gives a silent resolver five seconds, and asks it nothing more meanwhile", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const addresses = new IpAddresses(() => {
    asked++;
    return new Promise(() => {});
  });
  for (let call = 0; call < 3; call++) {
    const refused = assert.rejects(addresses.of("rds.lan", ctx), {
      reason: 'gave no answer for "rds.lan"',
      timedOut: true,
    });
    t.mock.timers.tick(5_000);
    await refused;
  }
  assert.equal(asked, 1);
});

test("of() does not wait longer than its call", async () => {
  const addresses = new IpAddresses(() => new Promise(() => {}));
  await assert.rejects(addresses.of("rds.lan", { ...ctx, signal: AbortSignal.abort() }), {
    aborted: true,
  });
});

test("of() asks again after a failure, and says what the resolver said", async () => {
  let asked = 0;
  const addresses = new IpAddresses(async () => {
    asked++;
    throw Object.assign(new Error("getaddrinfo"), { code: "EAI_AGAIN" });
  });
  for (let call = 0; call < 2; call++)
    await assert.rejects(addresses.of("rds.lan", ctx), {
      reason: 'does not find "rds.lan" (EAI_AGAIN)',
    });
  assert.equal(asked, 2);
});
