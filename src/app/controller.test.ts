import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ServiceError, status } from "@grpc/grpc-js";
import { GiB, TiB } from "#lib/bytes.ts";
import type { Policy } from "#sim/appliance/policies.ts";
import type { SimulatorOptions } from "#sim/options.ts";
import type { FaultAction, FaultMoment } from "#sim/ssh/faults.ts";
import { controllerSite, lifeOfAVolume, order, volumeId } from "#test/rig/controller-site.ts";
import type { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const { createVolume, deleteVolume, controllerPublishVolume } = lifeOfAVolume;

const user = (...policies: readonly Policy[]): SimulatorOptions => ({
  users: [{ name: "csi", policies, publicKeys: [] }],
});
const otherKey = `SHA256:${"A".repeat(43)}`;
const denied =
  /^Cannot use appliance "rds1": RouterOS says "not enough permissions \(9\)"; the user's group lacks the policy "\w+"$/;

interface Unfit {
  readonly what: string;
  readonly options?: SimulatorOptions;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly code: status;
  readonly details: RegExp;
}

const unfit: readonly Unfit[] = [
  {
    what: "another host key",
    settings: { hostKey: otherKey },
    code: status.FAILED_PRECONDITION,
    details: new RegExp(
      `^Cannot connect to .* port \\d+: its host key is "SHA256:.{43}", expected "${otherKey}"`,
    ),
  },
  {
    what: "a user that it does not know",
    settings: { user: "nobody" },
    code: status.PERMISSION_DENIED,
    details: /^Cannot connect to .*: RouterOS does not accept the key of user "nobody"/,
  },
  {
    what: "no policy read",
    options: user("ssh", "write", "test"),
    code: status.PERMISSION_DENIED,
    details: denied,
  },
  {
    what: "no policy write",
    options: user("ssh", "read", "test"),
    code: status.PERMISSION_DENIED,
    details: denied,
  },
  {
    what: "no policy test",
    options: user("ssh", "read", "write"),
    code: status.PERMISSION_DENIED,
    details: denied,
  },
  {
    what: "an old RouterOS",
    options: { version: "7.20.8 (long-term)" },
    code: status.FAILED_PRECONDITION,
    details:
      /^Cannot use appliance "rds1": it runs RouterOS "7.20.8 \(long-term\)", and .* need 7.21 or later$/,
  },
  {
    what: "no storage package",
    options: { storagePackage: false },
    code: status.FAILED_PRECONDITION,
    details: /^Cannot use appliance "rds1": the RouterOS package "storage" .* is not installed$/,
  },
  {
    what: "another pool",
    options: { pools: [{ mountPoint: "raid10", size: TiB }] },
    code: status.UNAVAILABLE,
    details: /^Cannot use pool "storage-pool" on appliance "rds1": no disk is mounted there$/,
  },
];

for (const { what, options, settings, code, details } of unfit)
  test(`startController() serves, and every call says why, with an appliance that has ${what}`, async (t) => {
    const { controller } = await controllerSite(t, options);
    const client = await controller(settings);
    for (const [rpc, call] of Object.entries(lifeOfAVolume))
      await assert.rejects(call(client), (error: ServiceError) => {
        assert.equal(error.code, code, rpc);
        assert.match(error.details, details, rpc);
        return true;
      });
  });

test("startController() answers RESOURCE_EXHAUSTED for a pool with only its reserve left, and everything else goes on", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const client = await controller();
  await createVolume(client);
  rds.occupy(TiB - 50 * GiB);
  const refused = [
    () => client.controller.createVolume({ ...order, name: "another" }),
    () => lifeOfAVolume.controllerExpandVolume(client),
  ];
  for (const call of refused)
    await assert.rejects(call(), {
      code: status.RESOURCE_EXHAUSTED,
      details: /^Cannot (create|expand) volume .* of 1 TiB are free, and .* stay in reserve$/,
    });
  await controllerPublishVolume(client);
  await lifeOfAVolume.controllerUnpublishVolume(client);
  await deleteVolume(client);
  await assertNothing(rds);
});

test("startController() takes exports of a pool that runs full off, and puts them back with room", {
  timeout: 60_000,
}, async (t) => {
  const { rds, controller } = await controllerSite(t);
  const client = await controller();
  await createVolume(client);
  const becomes = async (exported: boolean) => {
    for (;;) {
      const [disk] = await rds.rows("/disk/print detail as-value where type=file");
      const isHalted = String(disk?.["comment"]).includes("halted=1");
      if (disk?.["nvme-tcp-export"] === exported && isHalted === !exported) return;
      await delay(50, undefined, { signal: t.signal });
    }
  };
  const before = await controllerPublishVolume(client);
  rds.occupy(TiB - GiB);
  // A guard that has just started looks at once; this one may sleep for half a minute.
  const other = await controller();
  await becomes(false);
  await assert.rejects(controllerPublishVolume(client), { code: status.UNAVAILABLE });
  await assert.rejects(controllerPublishVolume(other), {
    code: status.UNAVAILABLE,
    details: /has run full, and its exports are off until 4% of it is free; delete snapshots or/,
  });
  const { status: told } = await lifeOfAVolume.controllerGetVolume(client);
  assert.equal(told?.volumeCondition?.abnormal, true);
  rds.occupy(0);
  await controller();
  await becomes(true);
  assert.deepEqual(await controllerPublishVolume(client), before);
  await lifeOfAVolume.controllerUnpublishVolume(client);
  await deleteVolume(client);
  await assertNothing(rds);
});

const corruptions: readonly (readonly [FaultAction, FaultMoment])[] = [
  ["garbage", "before"],
  ["garbage", "after"],
  ["truncate", "after"],
  ["cut", "before"],
  ["cut", "during"],
  ["cut", "after"],
];
const lines = { read: /\/disk\/print/, change: /\/disk\/(add|set|remove)|subvolume\/(add|remove)/ };

for (const [kind, match] of Object.entries(lines))
  for (const [action, at] of corruptions)
    test(`startController() tells no lie and loses nothing after a ${action} ${at} a ${kind}`, async (t) => {
      const { rds, controller } = await controllerSite(t);
      const { faults } = rds.simulator;
      const client = await controller();
      await client.controller.listVolumes({ maxEntries: 0, startingToken: "" });
      let struck = 0;
      for (const [rpc, call] of Object.entries(lifeOfAVolume)) {
        const fault = faults.add({ match, at, action });
        const failure = await call(client).catch((error: ServiceError) => error);
        struck += fault.struck;
        faults.clear();
        if (failure instanceof Error) {
          assert.equal(failure.code, status.UNAVAILABLE, `${rpc}: ${failure.message}`);
          assert.match(failure.details, /^Cannot [^\n]{1,300}[^.\n]$/);
        }
        await call(client);
      }
      assert.ok(struck >= 4, `struck ${struck} times`);
      await assertNothing(rds);
    });

async function assertNothing(rds: SimulatedAppliance): Promise<void> {
  assert.deepEqual(await rds.rows("/disk/print as-value where type=file"), []);
  assert.deepEqual(await rds.rows(`/file/print as-value where name~"${volumeId}"`), []);
  assert.deepEqual(await rds.rows('/disk/btrfs/subvolume/print as-value where name~"^snap-"'), []);
}

test("two controllers that create one volume at once make one, and both are told of it", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const clients = [await controller(), await controller()];
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(clients.map((client) => createVolume(client)));
    assert.deepEqual(answers[0], answers[1]);
    assert.equal((await rds.rows("/disk/print as-value where type=file")).length, 1);
    await deleteVolume(clients[round % 2] ?? assert.fail());
    await assertNothing(rds);
  }
});

test("two controllers that create one volume in two sizes make one, and tell the other it exists", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const [one, two] = [await controller(), await controller()];
  const limitBytes = GiB;
  const answers = await Promise.allSettled([
    one.controller.createVolume({ ...order, capacityRange: { requiredBytes: GiB, limitBytes } }),
    two.controller.createVolume({
      ...order,
      capacityRange: { requiredBytes: 2 * GiB, limitBytes: 0 },
    }),
  ]);
  const failed = answers.filter((answer) => answer.status === "rejected");
  assert.deepEqual(
    failed.map(({ reason }) => reason.code),
    [status.ALREADY_EXISTS],
  );
  assert.match(failed[0]?.reason.details, /^Cannot create volume .* exists with \d+ bytes, asked/);
  assert.equal((await rds.rows("/disk/print as-value where type=file")).length, 1);
});

test("a volume that one controller creates while another deletes it is there in whole, or gone", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const [one, two] = [await controller(), await controller()];
  const allowed = [status.ABORTED, status.UNAVAILABLE, status.FAILED_PRECONDITION];
  for (let round = 0; round < 12; round += 1) {
    if (round % 2 === 0) await createVolume(one);
    const answers = await Promise.allSettled([createVolume(one), deleteVolume(two)]);
    for (const answer of answers)
      if (answer.status === "rejected")
        assert.ok(allowed.includes(answer.reason.code), answer.reason.message);
    const [entry] = await rds.rows("/disk/print as-value where type=file");
    const files = await rds.rows(`/file/print as-value where name~"${volumeId}/disk.img"`);
    assert.equal(files.length, entry === undefined ? 0 : 1, `round ${round}`);
    await createVolume(one);
    await deleteVolume(two);
    await assertNothing(rds);
  }
});
