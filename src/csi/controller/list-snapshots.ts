import { listSnapshots } from "#controller/list-snapshots.ts";
import type { Appliances } from "#domain/ports/appliances.ts";
import { parseSnapshotId } from "#domain/snapshot-id.ts";
import type { ListSnapshotsRequest, ListSnapshotsResponse } from "../gen/csi.ts";
import type { Handler } from "../handler.ts";
import { nextTokenOf, pageFrom } from "./page-token.ts";
import { wireSnapshot } from "./wire-snapshot.ts";

export function listSnapshotsHandler(
  appliances: Appliances,
): Handler<ListSnapshotsRequest, ListSnapshotsResponse> {
  return async (request, ctx) => {
    const page = pageFrom(request, { things: "snapshots", isId });
    const { snapshotId, sourceVolumeId } = request;
    const listed = await listSnapshots(appliances, { snapshotId, sourceVolumeId, page }, ctx);
    const entries = listed.entries.map((one) => ({ snapshot: wireSnapshot(one) }));
    return { entries, nextToken: nextTokenOf(listed) };
  };
}

function isId(text: string): boolean {
  return parseSnapshotId(text) !== undefined;
}
