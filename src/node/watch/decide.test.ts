import assert from "node:assert/strict";
import test from "node:test";
import type { BlockDevice } from "#domain/block-device.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Connection } from "#domain/ports/connections.ts";
import type { HoldStatus } from "#domain/ports/device-mapper.ts";
import type { ReconnectPolicy } from "#domain/reconnect.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { GiB } from "#lib/bytes.ts";
import { decide } from "./decide.ts";
import { nothingYet, type Past, type Sight } from "./sight.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const device = (majorMinor: string): BlockDevice => ({
  nqn,
  path: "/dev/nvme0n1",
  majorMinor,
  sizeBytes: GiB,
  blockBytes: 512,
});
const policy: ReconnectPolicy = {
  mode: "transparent",
  ioHoldSeconds: undefined,
  onApplianceRestart: "continue",
};
const live: Connection = { state: "live", device: device("259:1") };
const renumbered: Connection = { state: "live", device: device("259:2") };
const orphan: Connection = { state: "live", device: undefined };
const connecting: Connection = { state: "connecting", device: undefined };
const none: Connection = { state: "none", device: undefined };
const good: HoldStatus = {
  device: "259:1",
  paths: ["active", "active"],
  queueing: true,
};
const spent: HoldStatus = { ...good, paths: ["failed", "active"] };
const dead: HoldStatus = { ...good, paths: ["failed", "failed"] };
const notQueueing: HoldStatus = { ...good, queueing: false };

function volume(use: "mount" | "block", reconnect: Partial<ReconnectPolicy>): StagedVolume {
  return {
    volumeId: "pvc-a",
    target: { nqn, addresses: ["192.0.2.1"], port: 4420 },
    connect: {
      ctrlLossTmoSeconds: -1,
      reconnectDelaySeconds: 5,
      keepAliveTmoSeconds: undefined,
      nrIoQueues: undefined,
    },
    use: {
      accessMode: "single-node-writer",
      access:
        use === "block" ? { type: "block" } : { type: "mount", fsType: "ext4", mountFlags: [] },
    },
    stagingPath: "/staging",
    mkfsOptions: [],
    reconnect: { ...policy, ...reconnect },
    phase: "staged",
    fsUuid: "uuid-1",
    blockBytes: 512,
  };
}

interface Case {
  readonly connection: Connection;
  readonly status?: HoldStatus;
  readonly isSuspended?: boolean;
  readonly lostMs?: number;
  readonly unanswered?: Sight["unanswered"] & {};
  readonly past?: Partial<Past>;
  readonly reconnect?: Partial<ReconnectPolicy>;
  readonly use?: "mount" | "block";
  readonly mounted?: string;
  readonly stale?: Sight["stale"];
  readonly strays?: Sight["strays"];
  readonly isRemounting?: boolean;
}

function held({ connection, status, isSuspended = false, ...rest }: Case): Sight {
  const hold = { nqn, path: "/dev/dm-0", majorMinor: "253:0", sizeBytes: GiB };
  return { ...bare({ connection, ...rest }), hold: { ...hold, suspended: isSuspended, status } };
}

function bare({ connection, lostMs = 0, unanswered, past, reconnect, use, ...shown }: Case): Sight {
  const { mounted, stale = [], strays = [], isRemounting = false } = shown;
  return {
    volume: {
      ...volume(use ?? "mount", reconnect ?? {}),
      ...(isRemounting && { remounting: true }),
    },
    connection,
    hold: undefined,
    mounted,
    stale,
    strays,
    unanswered,
    lostMs,
    past: { ...nothingYet, ...past },
  };
}

const swap = { do: "prove-and-swap", device: renumbered.device };
const hour = 3_600_000;
const unanswered = { reason: "no answer", silentMs: 9_000 };
const refused = { majorMinor: "259:2", reason: "it is smaller" };
const withHold: readonly (readonly [string, Case, object])[] = [
  ["all is well", { connection: live, status: good }, { do: "nothing" }],
  ["a short outage is the kernel's", { connection: connecting, lostMs: 500 }, { do: "wait" }],
  ["a long one too", { connection: connecting, lostMs: hour }, { do: "wait" }],
  ["a spent path", { connection: live, status: spent }, { do: "reinstate" }],
  [
    "both paths failed, and the target is back",
    { connection: live, status: dead },
    { do: "reinstate" },
  ],
  [
    "paths that fail again and again while the connection is live",
    { connection: live, status: dead, past: { reinstated: 1 } },
    { do: "reset", reason: "its paths have failed again" },
  ],
  [
    "one path that fails again and again beside one that works, as when one of two addresses comes and goes",
    { connection: live, status: spent, past: { reinstated: 3 } },
    { do: "reinstate" },
  ],
  [
    "the same of a connection that was made anew, which may be mere chance",
    { connection: live, status: dead, past: { reinstated: 2, isNewlyMade: true } },
    { do: "reinstate" },
  ],
  [
    "the same of a connection that was made anew, again and again",
    { connection: live, status: dead, past: { reinstated: 3, isNewlyMade: true } },
    { do: "pass-errors" },
  ],
  [
    "a hold left in the middle of passing errors on",
    { connection: live, status: notQueueing },
    { do: "queue-again" },
  ],
  [
    "the same in an outage that begins meanwhile",
    { connection: connecting, status: notQueueing },
    { do: "wait" },
  ],
  ["a renumbered device", { connection: renumbered, status: dead }, swap],
  [
    "a renumbered device beside a controller that is dead",
    { connection: { ...renumbered, laggard: true }, status: dead },
    { do: "reconnect" },
  ],
  [
    "its own device beside a controller that is dead",
    { connection: { ...live, laggard: true }, status: good },
    { do: "nothing" },
  ],
  ["an orphan", { connection: orphan, status: dead }, { do: "rescan" }],
  [
    "an orphan that rescans do not help",
    { connection: orphan, status: dead, past: { rescanned: 3 } },
    { do: "reconnect" },
  ],
  [
    "an orphan again after that is given more time",
    { connection: orphan, status: dead, past: { rescanned: 3, reconnected: 1 } },
    { do: "rescan" },
  ],
  [
    "an orphan for hours is connected anew twice a minute at most",
    { connection: orphan, status: dead, past: { rescanned: 29, reconnected: 500 } },
    { do: "rescan" },
  ],
  ["a controller that the kernel gave up", { connection: none, status: dead }, { do: "connect" }],
  [
    "an interrupted change, and a parked hold whose device is back",
    { connection: live, status: notQueueing, isSuspended: true },
    { do: "resume" },
  ],
  [
    "a parked hold in an outage",
    { connection: none, status: notQueueing, isSuspended: true },
    { do: "connect" },
  ],
  [
    "a parked hold whose target is being connected",
    { connection: connecting, isSuspended: true },
    { do: "wait" },
  ],
  [
    "a parked hold whose volume is back as another device",
    { connection: renumbered, status: notQueueing, isSuspended: true },
    swap,
  ],
  [
    "a parked hold whose time is over",
    { connection: none, status: notQueueing, isSuspended: true, past: { attachmentEnded: true } },
    { do: "end-hold", reason: "its attachment to this node is gone, or is another one by now" },
  ],
  [
    "a device that was refused",
    { connection: renumbered, status: dead, past: { refused } },
    { do: "report", state: "refused", reason: "it is smaller" },
  ],
  [
    "another device than the refused one",
    { connection: { state: "live", device: device("259:3") }, status: dead, past: { refused } },
    { do: "prove-and-swap", device: device("259:3") },
  ],
  [
    "just before ioHoldSeconds",
    { connection: connecting, lostMs: 29_999, reconnect: { ioHoldSeconds: 30 } },
    { do: "wait" },
  ],
  [
    "ioHoldSeconds have passed",
    { connection: connecting, lostMs: 30_000, reconnect: { ioHoldSeconds: 30 } },
    { do: "end-hold", reason: "ioHoldSeconds (30) have passed" },
  ],
  [
    "ioHoldSeconds have passed, and the volume is back",
    { connection: live, status: good, lostMs: 31_000, reconnect: { ioHoldSeconds: 30 } },
    { do: "nothing" },
  ],
  [
    "the attachment is gone",
    { connection: connecting, past: { attachmentEnded: true } },
    { do: "end-hold", reason: "its attachment to this node is gone, or is another one by now" },
  ],
  [
    "another identity, to go on with",
    { connection: renumbered, status: dead, past: { newIdentity: true } },
    swap,
  ],
  [
    "another identity, to fail at",
    {
      connection: renumbered,
      status: dead,
      past: { newIdentity: true },
      reconnect: { onApplianceRestart: "fail" },
    },
    {
      do: "end-hold",
      reason: "the appliance may have crashed, and onApplianceRestart is fail",
    },
  ],
  [
    "a hold was ended, and disconnecting was not",
    { connection: connecting, past: { ended: "x" } },
    { do: "end-hold", reason: "x" },
  ],
  [
    "a hold was ended",
    { connection: none, status: { ...dead, queueing: false }, past: { ended: "x" } },
    { do: "report", state: "failed", reason: "x" },
  ],
  [
    "a hold that was ended before a restart of the plugin is not connected again",
    { connection: none, status: { ...dead, queueing: false } },
    { do: "report", state: "failed", reason: "its hold was ended before" },
  ],
  [
    "a connection that only says that it is live",
    { connection: live, status: dead, unanswered },
    { do: "reset", reason: unanswered.reason },
  ],
  [
    "the same when its hold looks well, or is parked",
    { connection: live, status: good, isSuspended: true, unanswered },
    { do: "reset", reason: unanswered.reason },
  ],
  [
    "the same with another device",
    { connection: renumbered, status: dead, unanswered },
    { do: "reset", reason: unanswered.reason },
  ],
  [
    "the same just after it was made anew",
    { connection: live, status: good, unanswered, past: { resets: 1, mayReset: false } },
    { do: "wait" },
  ],
  [
    "the same when its attachment is gone",
    { connection: live, status: dead, unanswered, past: { attachmentEnded: true } },
    { do: "end-hold", reason: "its attachment to this node is gone, or is another one by now" },
  ],
  [
    "a queue that was failed for a moment only",
    { connection: live, status: notQueueing },
    { do: "queue-again" },
  ],
];

for (const [what, sight, expected] of withHold)
  test(`decide() with a hold: ${what}`, () => {
    assert.deepEqual(decide(held(sight)), expected);
  });

const pod = { target: "/pod", options: ["nosuid"] };
const withoutHold: readonly (readonly [string, Case, object])[] = [
  ["all is well", { connection: live, mounted: "259:1" }, { do: "nothing" }],
  [
    "a stale mount",
    { connection: renumbered, mounted: "259:1" },
    { do: "remount", device: renumbered.device },
  ],
  ["an outage", { connection: connecting, mounted: "259:1" }, { do: "wait" }],
  [
    "a connection that only says that it is live",
    { connection: live, mounted: "259:1", unanswered },
    { do: "reset", reason: unanswered.reason },
  ],
  ["the kernel gave up", { connection: none, mounted: "259:1" }, { do: "connect" }],
  ["an orphan", { connection: orphan, mounted: "259:1" }, { do: "rescan" }],
  ["not mounted since a reboot", { connection: none }, { do: "nothing" }],
  [
    "not mounted since a reboot, and staging was cut short once it had connected",
    { connection: renumbered, lostMs: 5 },
    { do: "nothing" },
  ],
  [
    "a staging path that is healed, and a pod that is not",
    { connection: renumbered, mounted: "259:2", stale: [pod] },
    { do: "remount", device: renumbered.device },
  ],
  [
    "the plugin died between the staging path's unmount and its mount",
    { connection: renumbered, stale: [pod] },
    { do: "remount", device: renumbered.device },
  ],
  [
    "the same without any pod",
    { connection: renumbered, isRemounting: true },
    { do: "remount", device: renumbered.device },
  ],
  [
    "the same, and the device is not there yet",
    { connection: none, stale: [pod] },
    { do: "connect" },
  ],
  [
    "raw block, and a pod has the node of the device before",
    { connection: renumbered, use: "block", stale: [pod] },
    { do: "remount", device: renumbered.device },
  ],
  [
    "raw block, and a pod's node leads to another device by now",
    { connection: none, use: "block", strays: [pod], past: { attachmentEnded: true } },
    { do: "withdraw" },
  ],
  ["raw block has nothing mounted", { connection: renumbered, use: "block" }, { do: "nothing" }],
  ["raw block, and the kernel gave up", { connection: none, use: "block" }, { do: "connect" }],
  [
    "not the volume",
    { connection: renumbered, mounted: "259:1", past: { refused } },
    { do: "report", state: "stale", reason: "it is smaller" },
  ],
  [
    "the attachment is gone",
    { connection: none, mounted: "259:1", past: { attachmentEnded: true } },
    { do: "report", state: "failed", reason: "its attachment to this node has ended" },
  ],
];

for (const [what, sight, expected] of withoutHold)
  test(`decide() without a hold: ${what}`, () => {
    assert.deepEqual(decide(bare(sight)), expected);
  });
