import { type FsType, fsTypes } from "#domain/access-mode.ts";
import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import { isNqn, type Nqn } from "#domain/nqn.ts";
import type {
  ConnectionOrigin,
  ConnectionTraces,
  KubeletVolume,
  KubeletVolumes,
} from "#domain/ports/inheritance.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { type Context, withTimeout } from "#lib/context.ts";
import { isMountOf, isReadOnly, isSameFilesystem, topmostAt } from "../mount-table.ts";
import type { WatchHost } from "./host.ts";

export interface InheritingHost
  extends Pick<WatchHost, "records" | "mounts" | "connections" | "filesystems"> {
  readonly kubelet: KubeletVolumes;
  readonly traces: ConnectionTraces;
}

/** The plugin serves calls after that, whatever is left to do. */
const inheritLimitMs = 30_000;

/**
 * Makes the records of volumes that the driver before this one has staged; that one kept none. Kubelet's note, the
 * mount at the staging path and the kernel's connection must agree on the volume and its NQN: whatever they do not
 * agree on is left alone. Such a volume has no hold. One line tells of each decision. Comes before anything that goes
 * by records, and never throws.
 */
export async function inherit(host: InheritingHost, ctx: Context): Promise<void> {
  using bounded = withTimeout(ctx, inheritLimitMs);
  try {
    const volumes = await host.kubelet.list(bounded);
    if (volumes.length === 0) return;
    const known = await lookAround(host, bounded);
    for (const volume of volumes) await settle(volume, { ...host, ...known }, bounded);
  } catch (error) {
    ctx.log.error(
      { error: String(error) },
      "Cannot look for volumes that an earlier driver has staged",
    );
  }
}

/** As it is before the first record is made; nobody else changes it, for no call is served yet. */
interface Surroundings {
  readonly mountTable: readonly Mount[];
  /** Which volume an NQN belongs to here. */
  readonly owners: Map<Nqn, string>;
}

async function lookAround(
  { mounts, records }: InheritingHost,
  ctx: Context,
): Promise<Surroundings> {
  const { volumes } = await records.list(ctx);
  const owners = volumes.map(({ target, volumeId }) => [target.nqn, volumeId] as const);
  return { mountTable: await mounts.list(ctx), owners: new Map(owners) };
}

type Host = InheritingHost & Surroundings;

async function settle(volume: KubeletVolume, host: Host, ctx: Context): Promise<void> {
  try {
    if ((await host.records.find(volume.volumeId, ctx)) !== undefined) return;
    const record = await inheritedRecord(volume, host, ctx);
    await host.records.save(record, ctx);
    const { target, connect } = record;
    host.owners.set(target.nqn, volume.volumeId);
    ctx.log.info(
      { ...volume, ...target, ...connect },
      "Made the record of a volume that an earlier driver has staged",
    );
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    ctx.log.info(
      { ...volume, reason: error.message },
      "Left a volume alone that kubelet knows and no record names",
    );
  }
}

interface Witnesses {
  readonly mount: Mount;
  readonly origin: ConnectionOrigin;
}

async function inheritedRecord(
  volume: KubeletVolume,
  host: Host,
  ctx: Context,
): Promise<StagedVolume> {
  const { mount, origin } = hear(volume, host);
  const { device } = host.connections.observe(origin.target.nqn);
  const fsType = fsTypes.find((known) => known === mount.fsType);
  if (fsType === undefined) throw refusal(volume, `its file system is "${mount.fsType}"`);
  return {
    ...volume,
    ...origin,
    use: {
      accessMode: isReadOnly(mount) ? "single-node-reader-only" : "single-node-writer",
      access: { type: "mount", fsType, mountFlags: [] },
    },
    mkfsOptions: [],
    reconnect: { mode: "remount", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
    phase: "staged",
    ...publishedOf(mount, host),
    ...(device !== undefined &&
      isMountOf(device, mount) &&
      (await marks(device, fsType, host, ctx))),
  };
}

/** `pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount`. Source: Kubernetes, pkg/volume/csi/csi_mounter.go, `getTargetPath`. */
const inPod = /\/pods\/[^/]+\/volumes\/.*\/mount$/;

/** Where pods have what is mounted at the staging path. */
function publishedOf(staged: Mount, { mountTable }: Host): Pick<StagedVolume, "published"> {
  const published = mountTable
    .filter((mount) => inPod.test(mount.target) && isSameFilesystem(mount, staged))
    .map(({ target, options }) => ({
      target,
      options: options.filter((option) => /^(ro|nosuid|nodev|noexec)$/.test(option)),
    }));
  return published.length > 0 ? { published } : {};
}

/** @throws {DriverError} `failed-precondition` with what does not fit. */
function hear(volume: KubeletVolume, { traces, mountTable, owners }: Host): Witnesses {
  const nqn = predecessorNqn(volume);
  const other = owners.get(nqn);
  if (other !== undefined) throw refusal(volume, `"${nqn}" belongs to volume "${other}" here`);
  const mount = topmostAt(mountTable, volume.stagingPath);
  if (mount === undefined) throw refusal(volume, "nothing is mounted at its staging path");
  const owner = traces.ownerOf(mount);
  if (owner !== nqn)
    throw refusal(
      volume,
      `"${mount.source}" (${mount.majorMinor}) is mounted at its staging path, which is ${owner === undefined ? "no disk over NVMe" : `"${owner}"`}, not "${nqn}"`,
    );
  const origin = traces.originOf(nqn);
  if (origin === undefined) throw refusal(volume, `the kernel has no connection to "${nqn}" left`);
  return { mount, origin };
}

/** The driver before this one named each volume's subsystem by its handle, for ever. */
function predecessorNqn(volume: KubeletVolume): Nqn {
  const nqn = `nqn.2000-02.com.mikrotik:${volume.volumeId}`;
  if (isNqn(nqn)) return nqn;
  throw refusal(volume, `"${nqn}" is no NQN`);
}

/** What tells the volume from another one, when it comes back. Of what cannot be read now, nothing is known. */
async function marks(
  { path, blockBytes, identity }: BlockDevice,
  fsType: FsType,
  { filesystems }: InheritingHost,
  ctx: Context,
): Promise<Partial<StagedVolume>> {
  const content = await filesystems.inspect(path, ctx).catch(() => undefined);
  const isKnown = content?.kind === "filesystem" && content.fsType === fsType;
  return {
    blockBytes,
    ...(identity !== undefined && { identity }),
    ...(isKnown && content.uuid !== undefined && { fsUuid: content.uuid }),
  };
}

function refusal({ volumeId }: KubeletVolume, reason: string): DriverError {
  return new DriverError(
    "failed-precondition",
    `Cannot make the record of volume "${volumeId}": ${reason}`,
  );
}
