import assert from "node:assert/strict";
import { test } from "node:test";
import { publishRequest } from "#test/fakes/csi-requests.ts";
import { controllerSite, lifeOfAVolume } from "#test/rig/controller-site.ts";

const count = 330;

test("all volumes that a node can have are attached at once: calls wait for their turn, and none fails (pitfall 27)", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const client = await controller();
  // Makes the folders.
  await lifeOfAVolume.createVolume(client);
  const add =
    '/disk/add type=file slot=$s file-path=("/storage-pool/csi/c1/" . $s . "/disk.img") file-size=1048576 mount-filesystem=no comment="rds-csi=1 cluster=c1 rev=1"';
  await rds.run(
    `:for i from=1 to=${count} do={ :local s ("pvc-storm-" . $i); /disk/btrfs/subvolume/add fs="storage-pool-fs" name=("csi/c1/" . $s); ${add} }`,
  );
  const attached = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      client.controller.controllerPublishVolume(
        publishRequest({ volumeId: `pvc-storm-${index + 1}` }),
      ),
    ),
  );
  const nqns = new Set(attached.map(({ publishContext }) => publishContext["nqn"]));
  assert.equal(nqns.size, count);
});
