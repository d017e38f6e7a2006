import assert from "node:assert/strict";
import type { ControllerClient, Snapshot } from "#csi/gen/csi.ts";
import type { ClusterVolume } from "./cluster-volume.ts";
import { rpc } from "./rpc.ts";

/** The snapshot calls of a controller, as the external-snapshotter makes them. */
export class Snapshots {
  readonly #client: ControllerClient;

  constructor(client: ControllerClient) {
    this.#client = client;
  }

  async take({ id }: ClusterVolume, name: string): Promise<Snapshot> {
    const request = { sourceVolumeId: id, name, secrets: {}, parameters: {} };
    const { snapshot } = await rpc(this.#client, this.#client.createSnapshot, request);
    assert.ok(snapshot?.readyToUse, `snapshot ${name} is ready`);
    return snapshot;
  }

  async delete({ snapshotId }: Snapshot): Promise<void> {
    await rpc(this.#client, this.#client.deleteSnapshot, { snapshotId, secrets: {} });
  }

  /** All there are, a page after the other. */
  async list(): Promise<Snapshot[]> {
    const found: Snapshot[] = [];
    let startingToken = "";
    do {
      const request = {
        maxEntries: 64,
        startingToken,
        sourceVolumeId: "",
        snapshotId: "",
        secrets: {},
      };
      const page = await rpc(this.#client, this.#client.listSnapshots, request);
      found.push(...page.entries.flatMap(({ snapshot }) => snapshot ?? []));
      startingToken = page.nextToken;
    } while (startingToken !== "");
    return found;
  }
}
