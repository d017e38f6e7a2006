import { join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import { systemClock as clock } from "#lib/clock.ts";
import { silentLog } from "#lib/log.ts";
import { poll } from "#linux/poll.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { type NvmeView, viewOf } from "./nvme-view.ts";
import type { Play } from "./steps.ts";
import type { DemoVolume, Paths } from "./volume.ts";
import { Writer } from "./writer.ts";

export interface PublishedVolume {
  readonly volume: DemoVolume;
  readonly paths: Paths;
  readonly nqn: Nqn;
}

/** Where the pod writes its records. */
export const recordsFile = "records";

const outageMs = 3_000;
const limitMs = 60_000;
const lookEveryMs = 500;

/**
 * The appliance goes off under a writing pod, and comes back with its namespaces under new identities.
 * @returns how many records the pod had flushed at the end, all without an error.
 * @throws {DriverError} `internal` when the pod saw anything but a pause.
 */
export async function loseAndRegain(play: Play, published: PublishedVolume): Promise<number> {
  const { paths, nqn } = published;
  const { show, signal, undo } = play;
  const look = () => viewOf(nqn, sysfs);
  signal.throwIfAborted();
  show.step("Let the pod write records, each flushed, and switch the appliance off under it");
  const writer = new Writer(join(paths.target, recordsFile));
  undo.defer(async () => void (await writer.stop()));
  await untilWritten(writer, play);
  const before = look();
  show.kernel(before.text);
  const switchOn = await switchOff(play, look);
  show.kernel(look().text);
  show.note(`the pod waits after ${writer.written.flushed} records, and has met no error`);
  await tellCondition(play, published);

  show.step("Switch it on again: it gives its namespaces new identities");
  await switchOn();
  const backAt = clock.elapsed();
  await untilWritten(writer, play);
  const pauseMs = clock.elapsed() - backAt;
  const { flushed, error } = await writer.stop();
  const after = look();
  show.kernel(after.text);
  requireMoved(before, after, error);
  await untilSettled(play, published);
  show.note(
    `the pod went on ${(pauseMs / 1_000).toFixed(1)} s after the appliance was back: ${flushed} records, no error, no restart`,
  );
  return flushed;
}

const sysfs = new Sysfs("/sys");

/** @returns what switches it on again, which also happens when the demo ends early. */
async function switchOff({ stage, show, signal, undo }: Play, look: () => NvmeView) {
  const { simulator } = stage;
  let isOff = true;
  const switchOn = async () => {
    if (isOff) await simulator.powerOn();
    isOff = false;
  };
  undo.defer(switchOn);
  await simulator.powerOff();
  show.appliance("powered off");
  await clock.sleep(outageMs, signal).catch(() => {});
  await poll(() => !look().isLive || undefined, limits, { signal, log: silentLog });
  signal.throwIfAborted();
  return switchOn;
}

const limits = { clock, everyMs: 20, limitMs };

async function untilWritten(writer: Writer, { signal }: Play, records = 20): Promise<void> {
  const goal = writer.written.flushed + records;
  const isDone = () =>
    writer.written.error !== undefined || writer.written.flushed >= goal || undefined;
  const inTime = await poll(isDone, limits, { signal, log: silentLog });
  signal.throwIfAborted();
  if (inTime === undefined)
    throw new DriverError("internal", `Cannot go on: the pod wrote nothing in ${limitMs / 1000} s`);
}

function requireMoved(before: NvmeView, after: NvmeView, error: unknown): void {
  const act = "Cannot show a reconnection";
  if (error !== undefined)
    throw new DriverError("internal", `${act}: the pod met ${String(error)}`, { cause: error });
  if (after.device === undefined || after.device === before.device)
    throw new DriverError("internal", `${act}: the hold lies on ${after.device}`);
}

/** The node looks at the volume for a moment longer than the pod waits, and refuses calls about it meanwhile. */
async function untilSettled(
  { stage, signal }: Play,
  { volume, paths }: PublishedVolume,
): Promise<void> {
  const endsAt = clock.elapsed() + limitMs;
  while (clock.elapsed() < endsAt) {
    signal.throwIfAborted();
    const condition = await volume.condition(stage.nodes["node-a"], paths);
    if (!condition.endsWith("wait")) return;
    await clock.sleep(lookEveryMs, signal);
  }
}

/** What kubelet is told of the volume's health meanwhile, without touching the mount, which would hang. */
async function tellCondition(
  { stage, show }: Play,
  { volume, paths }: PublishedVolume,
): Promise<void> {
  const condition = await volume.condition(stage.nodes["node-a"], paths);
  show.call(`NodeGetVolumeStats -> "${condition}"`);
}
