import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { GiB } from "#lib/bytes.ts";
import { createVolumeRequest } from "#test/fakes/csi-requests.ts";
import { controllerSite, lifeOfAVolume } from "#test/rig/controller-site.ts";

const page = readFileSync(new URL("../docs/snapshots.md", import.meta.url), "utf8");

interface Shown {
  readonly command: string;
  readonly output: string;
}

/** What the page shows of the appliance's console: commands, each with what it prints. */
function shown(): Shown[] {
  const blocks = [...page.matchAll(/```text\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^> /m)
      .slice(1)
      .map((part) => {
        const [command = "", ...output] = part.split("\n");
        return { command, output: output.join("\n") };
      }),
  );
}

/** But for the time, and where a line of 80 characters ends. */
function comparable(output: string): string {
  return output
    .replaceAll(/\s+/g, "")
    .replaceAll(/creation-time=[\d-]{10}[\d:]{8}/g, "creation-time=…");
}

test("docs/snapshots.md shows what the appliance prints, and its commands do what it says", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const client = await controller();
  await lifeOfAVolume.createVolume(client);
  const { snapshot } = await lifeOfAVolume.createSnapshot(client);
  assert.ok(snapshot);
  await client.controller.createVolume(
    createVolumeRequest({
      name: "pvc-5b0a4f6c-8f0e-4f0e-9d5b-0d9b1b7a9c11",
      capacityRange: { requiredBytes: 2 * GiB, limitBytes: 0 },
      parameters: {
        "csi.storage.k8s.io/pvc/namespace": "shop",
        "csi.storage.k8s.io/pvc/name": "data-restored",
      },
      volumeContentSource: {
        snapshot: { snapshotId: snapshot.snapshotId },
        volume: undefined,
      },
    }),
  );
  const outputs: Shown[] = [];
  for (const { command } of shown()) outputs.push({ command, output: await rds.run(command) });
  assert.ok(outputs.length >= 4, "there are commands");
  assert.deepEqual(
    shown().map(({ command, output }) => ({ command, output: comparable(output) })),
    outputs.map(({ command, output }) => ({ command, output: comparable(output) })),
    outputs.map(({ command, output }) => `> ${command}\n${output}`).join("\n"),
  );
  const { entries } = await lifeOfAVolume.listSnapshots(client);
  assert.deepEqual(entries, [], "the last command has removed it");
});
