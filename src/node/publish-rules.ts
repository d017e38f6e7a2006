import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import { mountsOf } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import { isReadOnly, isSameFilesystem } from "./mount-table.ts";
import type { PublishRequest } from "./publish.ts";
import { requireDisk } from "./volume-disk.ts";

interface Attempt {
  readonly request: PublishRequest;
  /** Of the volume's device, as it is now. */
  readonly mounts: readonly Mount[];
  readonly readOnly: boolean;
}

/** A node runs some hundred pods; more mounts of one device are a storm, which ends in a dead node. */
const mostMounts = 1_000;

/** @throws {DriverError} `already-exists` unless what is at the target path is what this call would put there. */
export function requireSame(existing: Mount, { request, mounts, readOnly }: Attempt): void {
  const { targetPath, stagingPath, volumeId } = request;
  const own = mounts.find((mount) => mount.target === targetPath && isSameMount(mount, existing));
  const staged = mounts.findLast(({ target }) => target === stagingPath);
  const isWhole = staged === undefined || staged.root === existing.root;
  if (own !== undefined && isWhole && isReadOnly(existing) === readOnly) return;
  const found =
    own !== undefined && isWhole
      ? `it is published ${isReadOnly(existing) ? "read-only" : "writable"} at "${targetPath}"`
      : `"${existing.root}" of "${existing.source}" (${existing.majorMinor}) is mounted at "${targetPath}"`;
  throw new DriverError("already-exists", `Cannot publish volume "${volumeId}": ${found}`);
}

function isSameMount(one: Mount, other: Mount): boolean {
  return isSameFilesystem(one, other) && one.root === other.root;
}

/**
 * Whether a volume may get one more target path.
 * Source: CSI spec, NodePublishVolume, for drivers that know the single-node writer modes.
 */
export function refuseSecond({ request, mounts, readOnly }: Attempt): void {
  const [first] = mounts;
  if (first === undefined) return;
  const { access, accessMode } = request.use;
  const refusal = (kind: "failed-precondition" | "resource-exhausted", state: string) =>
    new DriverError(kind, `Cannot publish volume "${request.volumeId}": ${state}`);
  if (accessMode === "single-node-single-writer")
    throw refusal(
      "failed-precondition",
      `it has a single writer, and is published at "${first.target}"`,
    );
  if (access.type === "block" && isReadOnly(first) !== readOnly)
    throw refusal(
      "failed-precondition",
      `a raw block device is read-only for all or for none, and it is published ${readOnly ? "writable" : "read-only"} at "${first.target}"`,
    );
  if (mounts.length >= mostMounts)
    throw refusal("resource-exhausted", `it is mounted ${mounts.length} times on this node`);
}

/** Names may have moved between the look-up and the bind mount: what counts is what the pod would get. */
export async function verifyPublished(
  targetPath: string,
  nqn: Nqn,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const device = await requireDisk(nqn, host, ctx);
  const mounts = await mountsOf(device, host, ctx);
  if (mounts.some(({ target }) => target === targetPath)) return;
  throw new DriverError(
    "unavailable",
    `Cannot publish "${device.path}" (${device.majorMinor}): "${targetPath}" shows another device after the mount`,
  );
}
