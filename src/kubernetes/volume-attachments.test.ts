import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import { testContext } from "#test/fakes/context.ts";
import { VolumeAttachments } from "./volume-attachments.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const other = "nqn.2000-02.com.mikrotik:pvc-a.2-abcdefgh" as Nqn;
/** printf 'pvc-ards.csi.srvlab.ioworker-1' | sha256sum */
const name = "csi-a7519b76d6340ec288fd88bf5c6aa2b3d69d0a528a359b3b096b24e2bf306c65";
const node = "/apis/storage.k8s.io/v1/csinodes/worker-1";

/** An API with these objects; one that is an error is thrown. */
function rig(objects: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const api = {
    get: async (path: string) => {
      asked.push(path);
      const key = Object.keys(objects).find((start) => path.startsWith(start));
      const found = key === undefined ? undefined : objects[key];
      if (found instanceof Error) throw found;
      return found;
    },
  };
  const attachments = new VolumeAttachments({
    api,
    driverName: "rds.csi.srvlab.io",
    nodeName: "worker-1",
  });
  return { asked, check: () => attachments.check("pvc-a", nqn, testContext()) };
}

const attachment = "/apis/storage.k8s.io/v1/volumeattachments/csi-";
const attached = (told: Nqn | undefined, metadata = {}) => ({
  metadata,
  status: { attached: true, ...(told && { attachmentMetadata: { nqn: told } }) },
});

const cases: readonly (readonly [string, unknown, string])[] = [
  ["it bears the NQN", attached(nqn), "attached"],
  ["it bears another NQN", attached(other), "ended"],
  ["it is gone", undefined, "ended"],
  [
    "it is being deleted",
    attached(other, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    "unknown",
  ],
  ["it is not attached yet", { status: { attached: false } }, "unknown"],
  ["it says nothing", {}, "unknown"],
  ["it has no metadata", attached(undefined), "unknown"],
  ["the API cannot be reached", new DriverError("unavailable", "no answer"), "unknown"],
  ["reading it is forbidden", new DriverError("permission-denied", "403"), "unknown"],
];

for (const [what, object, expected] of cases)
  test(`check() answers ${expected} when ${what}`, async () => {
    const { check } = rig({ [node]: {}, [attachment]: object });
    assert.equal(await check(), expected);
  });

test("check() answers unknown for a node that Kubernetes does not know by its name", async () => {
  const { check, asked } = rig({});
  assert.equal(await check(), "unknown");
  assert.deepEqual(asked, [node]);
});

test("check() asks for the name that Kubernetes gives", async () => {
  const { check, asked } = rig({ [node]: {}, [attachment]: attached(nqn) });
  await check();
  await check();
  assert.equal(asked.filter((path) => path === node).length, 1);
  assert.ok(asked.at(-1)?.endsWith(name), asked.at(-1));
});
