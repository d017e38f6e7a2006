import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { FileKubeletVolumes } from "./kubelet-volumes.ts";

const driver = "rds.csi.srvlab.io";

function rig() {
  const folder = temporaryFolder();
  const csi = join(folder.path, "plugins/kubernetes.io/csi");
  const log = new RecordingLog();
  const note = (place: string, text: string) => {
    mkdirSync(join(csi, place), { recursive: true });
    writeFileSync(join(csi, place, "vol_data.json"), text);
  };
  const volumes = new FileKubeletVolumes(folder.path, driver);
  const list = () => volumes.list(testContext({ log }));
  return { csi, note, list, log, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** As kubelet 1.29 writes it. */
function dataOf(volumeHandle: string, driverName = driver): string {
  return `${JSON.stringify({ driverName, volumeHandle })}\n`;
}

test("list() of a node that never staged a volume is empty", async () => {
  using it = rig();
  assert.deepEqual(await it.list(), []);
});

test("list() finds the volumes of this driver in both layouts", async () => {
  using it = rig();
  const hash = createHash("sha256").update("pvc-1").digest("hex");
  it.note(`${driver}/${hash}`, dataOf("pvc-1"));
  it.note("pv/pv-of-before", dataOf("pvc-2"));
  it.note("pv/pv-of-others", dataOf("vol-3", "ebs.csi.aws.com"));
  it.note("ebs.csi.aws.com/0123", dataOf("vol-4", "ebs.csi.aws.com"));
  assert.deepEqual(await it.list(), [
    { volumeId: "pvc-1", stagingPath: join(it.csi, driver, hash, "globalmount") },
    { volumeId: "pvc-2", stagingPath: join(it.csi, "pv/pv-of-before/globalmount") },
  ]);
  assert.deepEqual(it.log.records, []);
});

test("list() passes over what cannot be read, and says so", async () => {
  using it = rig();
  it.note(`${driver}/a`, "{");
  it.note(`${driver}/b`, '{"driverName":7}');
  mkdirSync(join(it.csi, driver, "c"));
  it.note(`${driver}/d`, dataOf("pvc-1"));
  assert.deepEqual(
    (await it.list()).map(({ volumeId }) => volumeId),
    ["pvc-1"],
  );
  const messages = it.log.records.map(({ message }) => message);
  assert.deepEqual(messages, Array(2).fill("Passing over a note of kubelet's"));
});
