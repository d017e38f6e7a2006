import type { Connection } from "#domain/ports/connections.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { isMountOf, topmostAt } from "../mount-table.ts";
import { ask, isNewlyMade, mayReset } from "./ask.ts";
import type { WatchHost } from "./host.ts";
import { hasNewIdentity } from "./identity.ts";
import type { HeldSight, Sight } from "./sight.ts";
import { stalePaths, strayPaths } from "./stale-paths.ts";
import type { Watched } from "./watched.ts";

/** A short outage is nobody else's business. */
const askAttachmentAfterMs = 10_000;
const askAgainAfterMs = 60_000;
/** What came back wrong may be put right by an administrator. */
const refusalLastsMs = 30_000;

/** Looks at one volume closely. */
export async function look(
  volume: StagedVolume,
  watched: Watched,
  host: WatchHost,
  ctx: Context,
): Promise<Sight> {
  const now = host.clock.elapsed();
  const connection = host.connections.observe(volume.target.nqn);
  const hold = await lookAtHold(volume, connection.state === "connecting", host, ctx);
  const shown = hold === undefined ? await lookAtMounts(volume, connection, host, ctx) : notAsked;
  const lostMs = watched.lostSince === undefined ? 0 : now - watched.lostSince;
  await askAttachment(volume, watched, lostMs, { host, ctx });
  const isOther = connection.device?.majorMinor !== watched.past.refused?.majorMinor;
  if (isOther || now - watched.refusedAt > refusalLastsMs)
    watched.past = { ...watched.past, refused: undefined };
  const unanswered = await ask({ connection, hold }, watched, host, ctx);
  const past = {
    ...watched.past,
    reinstated: watched.countReinstated(now, connection.state === "live"),
    attachmentEnded: watched.attachment === "ended",
    newIdentity: hasNewIdentity(volume, connection),
    mayReset: mayReset(watched, host.clock.elapsed()),
    isNewlyMade: isNewlyMade(watched, now),
  };
  return { volume, connection, hold, ...shown, unanswered, lostMs, past };
}

async function lookAtHold(
  { target: { nqn } }: StagedVolume,
  isConnecting: boolean,
  { holds }: WatchHost,
  ctx: Context,
): Promise<HeldSight | undefined> {
  const hold = await holds?.find(nqn, ctx);
  if (hold === undefined || holds === undefined) return undefined;
  const isUnknown = isConnecting && hold.suspended;
  return { ...hold, status: isUnknown ? undefined : await holds.status(nqn, ctx) };
}

type Shown = Pick<Sight, "mounted" | "stale" | "strays">;

const notAsked: Shown = { mounted: undefined, stale: [], strays: [] };

/** While the kernel is connecting nothing would follow from what pods see. */
async function lookAtMounts(
  volume: StagedVolume,
  { state, device }: Connection,
  host: WatchHost,
  ctx: Context,
): Promise<Shown> {
  const mounted = await mountedDevice(volume, host, ctx);
  if (state === "connecting") return { ...notAsked, mounted };
  const isBlock = volume.use.access.type === "block";
  const strays = isBlock && state === "none" ? await strayPaths(volume, host, ctx) : [];
  return { mounted, strays, stale: await stalePaths({ volume, device, dead: [] }, host, ctx) };
}

async function mountedDevice(
  { target: { nqn }, stagingPath }: StagedVolume,
  { connections, mounts }: WatchHost,
  ctx: Context,
): Promise<string | undefined> {
  const mount = topmostAt(await mounts.list(ctx), stagingPath);
  const { device } = connections.observe(nqn);
  if (mount === undefined || device === undefined) return mount?.majorMinor;
  return isMountOf(device, mount) ? device.majorMinor : mount.majorMinor;
}

/** Until it has ended: a node is cut off first, and its attachment is taken away minutes later. */
async function askAttachment(
  { volumeId, target }: StagedVolume,
  watched: Watched,
  lostMs: number,
  { host, ctx }: { readonly host: WatchHost; readonly ctx: Context },
): Promise<void> {
  const now = host.clock.elapsed();
  if (lostMs < askAttachmentAfterMs || watched.attachment === "ended") return;
  if (now < watched.askAttachmentAt) return;
  watched.attachment = await host.attachments.check(volumeId, target.nqn, ctx);
  watched.askAttachmentAt = now + askAgainAfterMs;
}
