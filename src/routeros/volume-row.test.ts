import assert from "node:assert/strict";
import test from "node:test";
import { TiB } from "#lib/bytes.ts";
import { diskRow } from "./disk-row.ts";
import type { JsonRecord } from "./json.ts";
import { poolOf, provisionedBytes } from "./pool-row.ts";
import { standingOf } from "./volume-row.ts";

const place = { mountPoint: "raid10", baseDirectory: "csi", clusterId: "c1" };

/** As RouterOS 7.24.4 serialises a file disk. */
const volume: JsonRecord = {
  slot: "pvc-a",
  type: "file",
  comment: "rds-csi=1 cluster=c1 rev=3 pv=pvc-a",
  size: "1099511627776",
  "file-size": 1099511627776,
  "file-path": "/raid10/csi/c1/pvc-a/disk.img",
  "mount-filesystem": "false",
  "nvme-tcp-export": true,
  "nvme-tcp-server-nqn": "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh",
  "nvme-tcp-server-port": "4420",
  fs: "-",
};

const pool: JsonRecord = {
  slot: "raid10",
  type: "raid",
  fs: "xfs",
  "fs-label": "ocp-storage",
  size: 16003143565312,
  free: "14789895307264",
  "mount-point": "raid10",
};

function standing(changes: JsonRecord) {
  return standingOf(diskRow({ ...volume, ...changes }), place);
}

test("standingOf() reads a volume of ours", () => {
  const { comment } = diskRow(volume);
  const found = standing({});
  assert.ok(found.ours);
  const { tag, ...rest } = found.volume;
  assert.equal(tag.revision, 3);
  assert.deepEqual(rest, {
    slot: "pvc-a",
    sizeBytes: TiB,
    layout: "subvolume",
    comment,
    exported: { enabled: true, nqn: volume["nvme-tcp-server-nqn"], port: 4420 },
  });
});

const foreign = [
  ["no tag", { comment: "" }, "bears no readable tag of this driver", false],
  [
    "an edited tag",
    { comment: "rds-csi=1 cluster=c1 rev=x" },
    "bears no readable tag of this driver",
    false,
  ],
  ["another cluster", { comment: "rds-csi=1 cluster=c2 rev=1" }, 'belongs to cluster "c2"', false],
  ["another place", { "file-path": "/raid10/x.img" }, 'has its image at "raid10/x.img"', true],
] as const;

for (const [what, changes, reason, misplaced] of foreign)
  test(`standingOf() finds an entry with ${what} foreign`, () => {
    assert.deepEqual(standing(changes), { ours: false, reason, misplaced });
  });

test("standingOf() falls back on the configured size while RouterOS cannot open the image", () => {
  for (const size of [0, "", undefined]) {
    const found = standing({ size });
    assert.equal(found.ours && found.volume.sizeBytes, TiB);
  }
});

test("standingOf() reads NQN and port that are hidden while the export is off", () => {
  const { "nvme-tcp-server-nqn": _nqn, "nvme-tcp-server-port": _port, ...hidden } = volume;
  const found = standingOf(diskRow({ ...hidden, "nvme-tcp-export": false }), place);
  assert.deepEqual(found.ours && found.volume.exported, { enabled: false, nqn: "", port: 0 });
});

test("poolOf() finds the disk that is mounted there, and its layout by its file system", () => {
  const rows = [volume, pool].map(diskRow);
  assert.deepEqual(poolOf(rows, "/raid10"), {
    mountPoint: "raid10",
    layout: "flat",
    sizeBytes: 16003143565312,
    freeBytes: 14789895307264,
    fs: "xfs",
    fsLabel: "ocp-storage",
  });
  const btrfs = diskRow({ ...pool, fs: "btrfs" });
  assert.equal(poolOf([btrfs], "raid10")?.layout, "subvolume");
  assert.equal(poolOf([{ ...btrfs, fsLabel: "" }], "raid10")?.layout, "flat");
  assert.equal(poolOf(rows, "raid1"), undefined);
});

test("provisionedBytes() counts every image on the pool, ours or not, and no other", () => {
  const images = [
    volume,
    { slot: "hand-made", type: "file", "file-path": "/raid10/x.img", "file-size": 1024 },
    { slot: "elsewhere", type: "file", "file-path": "/raid1/x.img", "file-size": 4096 },
    { slot: "no-sibling", type: "file", "file-path": "/raid10-b/x.img", "file-size": 4096 },
    pool,
  ];
  assert.equal(provisionedBytes(images.map(diskRow), "raid10"), TiB + 1024);
});
