import * as v from "valibot";
import { accessModes, fsTypes } from "#domain/access-mode.ts";
import { isNqn } from "#domain/nqn.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";

const wholeNumber = v.pipe(v.number(), v.integer());
const accessMode = v.picklist(Object.keys(accessModes) as (keyof typeof accessModes)[]);

const access = v.variant("type", [
  v.object({ type: v.literal("block") }),
  v.object({
    type: v.literal("mount"),
    fsType: v.picklist(fsTypes),
    mountFlags: v.array(v.string()),
  }),
]);

/** A record of a driver that knew no holds: the volume was staged without one. */
const withoutHold = { mode: "remount", onApplianceRestart: "continue" } as const;

const reconnect = v.object({
  mode: v.picklist(["transparent", "remount"]),
  ioHoldSeconds: v.optional(wholeNumber),
  onApplianceRestart: v.picklist(["continue", "fail"]),
});

const publishedPath = v.object({
  target: v.string(),
  options: v.array(v.string()),
  deadSince: v.exactOptional(v.string()),
});

/**
 * A staged volume as a file. `version` is that of the file's form: one written by a later driver is refused
 * rather than half understood. Keys that are not known are dropped.
 */
export const stageRecordSchema = v.object({
  version: v.literal(1),
  volumeId: v.string(),
  target: v.object({
    nqn: v.custom<StagedVolume["target"]["nqn"]>((text) => typeof text === "string" && isNqn(text)),
    addresses: v.array(v.string()),
    port: wholeNumber,
  }),
  connect: v.object({
    ctrlLossTmoSeconds: wholeNumber,
    reconnectDelaySeconds: wholeNumber,
    keepAliveTmoSeconds: v.optional(wholeNumber),
    nrIoQueues: v.optional(wholeNumber),
  }),
  use: v.object({ accessMode, access }),
  stagingPath: v.string(),
  mkfsOptions: v.array(v.string()),
  reconnect: v.optional(reconnect, withoutHold),
  phase: v.picklist(["connecting", "formatting", "staged"]),
  source: v.exactOptional(v.string()),
  fsUuid: v.exactOptional(v.string()),
  blockBytes: v.exactOptional(wholeNumber),
  identity: v.exactOptional(v.string()),
  doubtfulSince: v.exactOptional(v.string()),
  remounting: v.exactOptional(v.literal(true)),
  published: v.exactOptional(v.array(publishedPath)),
});

export type StageRecord = v.InferOutput<typeof stageRecordSchema>;

/** JSON has no `undefined`: what is not set is not in the file. */
export function volumeFrom({ version: _version, ...record }: StageRecord): StagedVolume {
  const { keepAliveTmoSeconds, nrIoQueues } = record.connect;
  const { ioHoldSeconds } = record.reconnect;
  return {
    ...record,
    connect: { ...record.connect, keepAliveTmoSeconds, nrIoQueues },
    reconnect: { ...record.reconnect, ioHoldSeconds },
  };
}

export function textOf(volume: StagedVolume): string {
  return `${JSON.stringify({ version: 1, ...volume }, undefined, 2)}\n`;
}
