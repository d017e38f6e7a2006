import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { type AccessMode, accessModes, fsTypes } from "#domain/access-mode.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { testContext } from "#test/fakes/context.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { FileStageRecords } from "./stage-records.ts";

const ctx = testContext();

const staged: StagedVolume = {
  volumeId: "rds1/pvc-a",
  target: {
    nqn: "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn,
    addresses: ["10.0.0.1", "fd00::1"],
    port: 4420,
  },
  connect: {
    ctrlLossTmoSeconds: -1,
    reconnectDelaySeconds: 2,
    keepAliveTmoSeconds: undefined,
    nrIoQueues: 4,
  },
  use: {
    accessMode: "single-node-writer",
    access: { type: "mount", fsType: "ext4", mountFlags: ["noatime"] },
  },
  stagingPath: "/var/lib/kubelet/plugins/kubernetes.io/csi/rds/globalmount",
  mkfsOptions: ["-b", "4096"],
  reconnect: { mode: "transparent", ioHoldSeconds: 600, onApplianceRestart: "fail" },
  phase: "staged",
  source: "rds1/pvc-b",
  fsUuid: "4fa4f2e0-709f-4ebb-97fb-fe31660f1911",
  blockBytes: 4_096,
  identity: "uuid.0f0f0f0f-709f-4ebb-97fb-fe31660f1911",
  doubtfulSince: "2026-03-01T12:00:00.000Z",
};

function rig() {
  const folder = temporaryFolder();
  const volumes = join(folder.path, "volumes");
  const records = new FileStageRecords(volumes);
  return { folder: volumes, records, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test("find() and list() of a node that never staged anything are empty", async () => {
  using it = rig();
  assert.equal(await it.records.find("rds1/pvc-a", ctx), undefined);
  assert.deepEqual(await it.records.list(ctx), { volumes: [], damaged: [] });
  await it.records.remove("rds1/pvc-a", ctx);
});

test("find() returns what save() kept, also to a plugin that was restarted", async () => {
  using it = rig();
  await it.records.save(staged, ctx);
  assert.deepEqual(await new FileStageRecords(it.folder).find("rds1/pvc-a", ctx), staged);
  assert.equal(await it.records.find("pvc-a", ctx), undefined);
});

test("save() writes one private, readable file per volume", async () => {
  using it = rig();
  await it.records.save(staged, ctx);
  await it.records.save({ ...staged, phase: "formatting" }, ctx);
  assert.deepEqual(readdirSync(it.folder), ["rds1%2Fpvc-a.json"]);
  const path = join(it.folder, "rds1%2Fpvc-a.json");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, "utf8"), /^ {2}"phase": "formatting",$/m);
});

test("list() returns every volume; remove() takes one away, twice", async () => {
  using it = rig();
  const second: StagedVolume = { ...staged, volumeId: "pvc-b" };
  await it.records.save(staged, ctx);
  await it.records.save(second, ctx);
  writeFileSync(join(it.folder, ".pvc-c.json.1234.tmp"), "half a rec");
  assert.deepEqual((await it.records.list(ctx)).volumes, [second, staged]);
  await it.records.remove("pvc-b", ctx);
  await it.records.remove("pvc-b", ctx);
  assert.deepEqual(await it.records.list(ctx), { volumes: [staged], damaged: [] });
});

const text = JSON.stringify({ version: 1, ...staged });
const damages: readonly (readonly [string, string, RegExp])[] = [
  ["nothing", "", /it is not JSON$/],
  ["half a file", text.slice(0, 100), /it is not JSON$/],
  ["another type", "7", /Expected Object but received 7 at the top$/],
  ["a later version", text.replace('"version":1', '"version":2'), / at version$/],
  ["no NQN", text.replace("nqn.2000-02", "../../nqn"), / at target\.nqn$/],
  ["an unknown phase", text.replace('"staged"', '"done"'), / at phase$/],
  ["a missing port", text.replace(',"port":4420', ""), / at target\.port$/],
];

for (const [what, content, message] of damages)
  test(`find() fails and list() names the file, beside the other volumes, when it holds ${what}`, async () => {
    using it = rig();
    const other: StagedVolume = { ...staged, volumeId: "pvc-b" };
    for (const volume of [staged, other]) await it.records.save(volume, ctx);
    const path = join(it.folder, "rds1%2Fpvc-a.json");
    writeFileSync(path, content);
    const expected = { kind: "internal", message };
    await assert.rejects(it.records.find("rds1/pvc-a", ctx), expected);
    const { volumes, damaged } = await it.records.list(ctx);
    assert.deepEqual(volumes, [other]);
    assert.deepEqual(
      damaged.map((record) => record.path),
      [path],
    );
    assert.match(damaged[0]?.reason ?? "", message);
    assert.ok(damaged[0]?.reason.includes(`"${path}"`));
  });

test("find() takes a volume that a driver without holds has staged for one without a hold", async () => {
  using it = rig();
  await it.records.save(staged, ctx);
  const { reconnect: _reconnect, blockBytes: _blockBytes, ...before } = staged;
  const path = join(it.folder, "rds1%2Fpvc-a.json");
  writeFileSync(path, JSON.stringify({ version: 1, ...before }));
  assert.deepEqual(await it.records.find("rds1/pvc-a", ctx), {
    ...before,
    reconnect: { mode: "remount", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
  });
});

test("list() names a record that is no file", async () => {
  using it = rig();
  const path = join(it.folder, "pvc-b.json");
  mkdirSync(path, { recursive: true });
  const { damaged } = await it.records.list(ctx);
  assert.match(damaged[0]?.reason ?? "", /^Cannot read ".*pvc-b\.json": .*EISDIR/);
});

test("find() refuses a record that was copied over from another volume", async () => {
  using it = rig();
  await it.records.save(staged, ctx);
  writeFileSync(join(it.folder, "pvc-b.json"), text);
  const path = join(it.folder, "pvc-b.json");
  const reason = `Cannot use "${path}": it is about "rds1/pvc-a"`;
  await assert.rejects(it.records.find("pvc-b", ctx), { kind: "internal", message: reason });
  assert.deepEqual(await it.records.list(ctx), { volumes: [staged], damaged: [{ path, reason }] });
});

const whole = fc.integer({ min: -1, max: 86_400 });
const optionalWhole = fc.option(whole, { nil: undefined });
const anyRecord: fc.Arbitrary<StagedVolume> = fc.record(
  {
    volumeId: fc.stringMatching(/^([a-z0-9]{1,8}\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/),
    target: fc.record(
      {
        nqn: fc.stringMatching(/^nqn\.2000-02\.[A-Za-z0-9.:_-]{1,40}$/).map((name) => name as Nqn),
        addresses: fc.array(fc.ipV4(), { maxLength: 3 }),
        port: fc.integer({ min: 1, max: 65_535 }),
      },
      { noNullPrototype: true },
    ),
    connect: fc.record(
      {
        ctrlLossTmoSeconds: whole,
        reconnectDelaySeconds: whole,
        keepAliveTmoSeconds: optionalWhole,
        nrIoQueues: optionalWhole,
      },
      { noNullPrototype: true },
    ),
    use: fc.record(
      {
        accessMode: fc.constantFrom(...(Object.keys(accessModes) as AccessMode[])),
        access: fc.oneof(
          fc.constant({ type: "block" as const }),
          fc.record(
            {
              type: fc.constant("mount" as const),
              fsType: fc.constantFrom(...fsTypes),
              mountFlags: fc.array(fc.string()),
            },
            { noNullPrototype: true },
          ),
        ),
      },
      { noNullPrototype: true },
    ),
    stagingPath: fc.string(),
    mkfsOptions: fc.array(fc.string()),
    reconnect: fc.record(
      {
        mode: fc.constantFrom("transparent" as const, "remount" as const),
        ioHoldSeconds: optionalWhole,
        onApplianceRestart: fc.constantFrom("continue" as const, "fail" as const),
      },
      { noNullPrototype: true },
    ),
    phase: fc.constantFrom("connecting" as const, "formatting" as const, "staged" as const),
  },
  { noNullPrototype: true },
);

test("find() reads back whatever save() is given", async () => {
  using it = rig();
  await fc.assert(
    fc.asyncProperty(anyRecord, async (record) => {
      await it.records.save(record, ctx);
      assert.deepEqual(await it.records.find(record.volumeId, ctx), record);
    }),
    { numRuns: 40 },
  );
});
