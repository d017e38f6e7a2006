import assert from "node:assert/strict";
import { test } from "node:test";
import { Console } from "#sim/console/console.ts";
import { ToyMenu, ToyTree } from "#sim/console/testing/toy-tree.ts";
import type { Value } from "#sim/console/value.ts";
import { asValue } from "./as-value.ts";
import { printDetail } from "./detail.ts";
import type { Listing } from "./listing.ts";
import { printTable } from "./table.ts";

const off = { "iscsi-export": false, "nfs-sharing": false, "smb-sharing": false } as const;
const common = {
  ...{ "slot-default": "", parent: "", "mount-read-only": false, compress: false },
  ...{ "sector-size": 512, "raid-master": "none", "nvme-tcp-export": false, ...off },
  ...{ "media-sharing": false, "media-interface": "none", swap: false, "block-device": true },
} as const;

const volume = {
  ...{ ...common, type: "file", slot: "vm-storage-001", fs: "-" },
  ...{ model: "/raid10/vm-storage-001.img", size: 1_099_511_627_776, "mount-filesystem": false },
  ...{ "nvme-tcp-export": true, "nvme-tcp-server-port": 4420 },
  "nvme-tcp-server-nqn": "nqn.2026-09.com.mikrotik:rds2216.vm-storage-001",
  "nvme-tcp-server-allow-host-name": "",
  "file-path": "/raid10/vm-storage-001.img",
  "file-size": 1_099_511_627_776,
  "file-offset": 0,
};

const array = {
  ...{ ...common, type: "raid", slot: "raid10", "fs-label": "ocp-storage", fs: "xfs" },
  ...{ "fs-uuid": "40437dbc-2318-45dc-817b-b3bb95cf48ab", model: "RAID0 striped" },
  ...{ size: 16_003_143_565_312, free: 14_789_895_307_264, use: 8, "mount-point": "raid10" },
  ...{ "total-inodes": 1_562_806_656, "free-inodes": 1_562_806_652, "mount-filesystem": true },
  ...{ "raid-type": 0, "raid-device-count": 4, "raid-max-component-size": "none" },
  ...{ "raid-chunk-size": "256K", state: "clean", mounted: true },
  "raid-uuid": "eadca0af-ecff031c-239758ad-951a47de",
};

const member = {
  ...{ ...common, type: "raid", slot: "raid10-m0", fs: "-", model: "RAID1 mirrored" },
  ...{ size: 4_000_786_153_472, "mount-filesystem": false, "raid-type": 1 },
  ...{ "raid-device-count": 2, "raid-max-component-size": "none", "raid-master": "raid10" },
  ...{ "raid-role": 0, "raid-member-failed": false, "raid-member-state": "0:in_sync" },
  ...{ state: "clean", "raid-uuid": "5715669c-43873157-0ebaaa3a-7104d138", "raid-member": true },
};

/** RDS2216, RouterOS 7.24.4, on a console 240 columns wide. */
const exported = [
  "Flags: B - BLOCK-DEVICE; t - NVME-TCP-EXPORT",
  '31 Bt type=file slot="vm-storage-001" slot-default="" parent="" fs=- model="/raid10/vm-storage-001.img" size=1 099 511 627 776 mount-filesystem=no mount-read-only=no compress=no sector-size=512 raid-master=none nvme-tcp-export=yes',
  '      nvme-tcp-server-port=4420 nvme-tcp-server-nqn="nqn.2026-09.com.mikrotik:rds2216.vm-storage-001" nvme-tcp-server-allow-host-name="" iscsi-export=no nfs-sharing=no smb-sharing=no media-sharing=no media-interface=none swap=no',
  "      file-path=/raid10/vm-storage-001.img file-size=1024.0GiB file-offset=0",
];

/** The same box and console. */
const arrays = [
  "Flags: B - BLOCK-DEVICE; M - MOUNTED; r - RAID-MEMBER",
  '26 BM  type=raid slot="raid10" slot-default="" parent="" fs-label="ocp-storage" fs-uuid="40437dbc-2318-45dc-817b-b3bb95cf48ab" fs=xfs model="RAID0 striped" size=16 003 143 565 312 free=14 789 895 307 264 total-inodes=1 562 806 656',
  '       free-inodes=1 562 806 652 use=8% mount-point="raid10" mount-filesystem=yes mount-read-only=no compress=no sector-size=512 raid-type=0 raid-device-count=4 raid-max-component-size=none raid-chunk-size=256K raid-master=none',
  '       state="clean" raid-uuid="eadca0af-ecff031c-239758ad-951a47de" nvme-tcp-export=no iscsi-export=no nfs-sharing=no smb-sharing=no media-sharing=no media-interface=none swap=no',
  "",
  '27 B r type=raid slot="raid10-m0" slot-default="" parent="" fs=- model="RAID1 mirrored" size=4 000 786 153 472 mount-filesystem=no mount-read-only=no compress=no sector-size=512 raid-type=1 raid-device-count=2 raid-max-component-size=none',
  '       raid-master=raid10 raid-role=0 raid-member-failed=no raid-member-state="0:in_sync" state="clean" raid-uuid="5715669c-43873157-0ebaaa3a-7104d138" nvme-tcp-export=no iscsi-export=no nfs-sharing=no smb-sharing=no media-sharing=no',
  "       media-interface=none swap=no",
];

type Values = Readonly<Record<string, Value>>;

function listing(rows: readonly (readonly [number, Values])[], width: number): Listing {
  const { disks } = new ToyTree();
  const items = rows.map(([number, values]) => ({
    row: { id: `*${number}`, values: new Map(Object.entries(values)) },
    number,
  }));
  return { menu: disks, items, total: 32, width, names: undefined, showIds: false };
}

/** The sources cut trailing blanks. */
function trimmed(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.trimEnd());
}

test("printDetail() prints an exported volume as the RDS does", () => {
  assert.deepEqual(trimmed(printDetail(listing([[31, volume]], 240))), exported);
});

test("printDetail() prints arrays and their members as the RDS does", () => {
  const lines = printDetail(
    listing(
      [
        [26, array],
        [27, member],
      ],
      240,
    ),
  );
  assert.deepEqual(trimmed(lines), arrays);
  assert.equal(lines[4], " ");
});

test("printDetail() keeps to 80 columns and cuts what no line can hold", () => {
  const path = `/storage-pool/metal-csi/${"pvc-0f923194-922a-5dd8-b376-c2c6ccb56dd8".repeat(2)}.img`;
  const lines = printDetail(listing([[3, { ...volume, "file-path": path }]], 80));
  assert(lines.every((line) => line.trimEnd().length <= 80));
  assert(!lines.some((line) => line.includes(path)));
  assert(
    lines
      .map((line) => line.slice(6))
      .join("")
      .includes(`file-path=${path}`),
  );
});

test("printDetail() puts the comment in front of the properties", () => {
  const rows = [[0, { slot: "a", comment: "x y" }]] as const;
  assert.deepEqual(printDetail(listing(rows, 80)), [" 0 ;;; x y", '   slot="a" ']);
});

test("printDetail() shows the whole legend and nothing else when there is no item", () => {
  assert.deepEqual(printDetail(listing([], 80)), [
    "Flags: B - BLOCK-DEVICE; M - MOUNTED; r - RAID-MEMBER; t - NVME-TCP-EXPORT",
  ]);
});

/** RouterOS manual, "Disks": `/disk/print` on 7.24. */
const drives = [
  "Flags: B - BLOCK-DEVICE; M - MOUNTED",
  "Columns: SLOT, MOUNT-POINT, MODEL, INTERFACE, SIZE, FS",
  "#    SLOT   MOUNT-POINT  MODEL        INTERFACE                   SIZE  FS",
  "0 BM nvme9  nvme9        TS1TUTE210T  PCIe 2x8 GT/s  1 024 209 543 168  ext4",
];

const partitions = [
  "Flags: B - BLOCK-DEVICE; M - MOUNTED, S - SWAP-ENABLED",
  "       g - GUID-PARTITION-TABLE, p - PARTITION",
  "Columns: SLOT, MOUNT-POINT, SIZE, FS, SWAP",
  "#     SLOT                       MOUNT-POINT               SIZE  FS    SWAP",
  "0 B g nvme9                                   1 024 209 543 168  -     no",
  "1 BMp nvme9-part1                nvme9-part1      4 000 000 000  ext4  no",
  "2  S  file-nvme9-part1-swapfile                     536 866 816  -     yes",
];

const flag = (letter: string, property: string, group: number) => ({ letter, property, group });

function diskTable(columns: readonly string[], rows: readonly Values[]): readonly string[] {
  const kinds = { size: "number", swap: "boolean" } as const;
  const properties = columns.map((name) => ({
    name,
    kind: name === "size" || name === "swap" ? kinds[name] : ("word" as const),
    brief: true,
  }));
  const flags = [
    flag("B", "block-device", 0),
    flag("M", "mounted", 1),
    flag("S", "swap-enabled", 1),
    flag("g", "guid-partition-table", 2),
    flag("p", "partition", 2),
  ];
  const menu = new ToyMenu("/disk", properties, flags, rows);
  const items = menu.rows().map((row, number) => ({ row, number }));
  const total = items.length;
  return printTable({ menu, items, total, width: 80, names: undefined, showIds: false });
}

test("printTable() prints a drive as the manual shows it", () => {
  const drive = {
    ...{ slot: "nvme9", "mount-point": "nvme9", model: "TS1TUTE210T", fs: "ext4" },
    ...{ interface: "PCIe 2x8 GT/s", size: 1_024_209_543_168, "block-device": true },
    mounted: true,
  };
  const columns = ["slot", "mount-point", "model", "interface", "size", "fs"];
  assert.deepEqual(trimmed(diskTable(columns, [drive])), drives);
});

test("printTable() groups flags into columns and wraps their legend as the manual shows it", () => {
  const rows = [
    {
      ...{ slot: "nvme9", size: 1_024_209_543_168, fs: "-", swap: false },
      ...{ "block-device": true, "guid-partition-table": true },
    },
    {
      ...{ slot: "nvme9-part1", "mount-point": "nvme9-part1", size: 4_000_000_000, fs: "ext4" },
      ...{ swap: false, "block-device": true, mounted: true, partition: true },
    },
    {
      ...{ slot: "file-nvme9-part1-swapfile", size: 536_866_816, fs: "-", swap: true },
      "swap-enabled": true,
    },
  ];
  const columns = ["slot", "mount-point", "size", "fs", "swap"];
  assert.deepEqual(trimmed(diskTable(columns, rows)), partitions);
});

/** RouterOS manual, "Files", 7.23; here with the padding that the source kept. */
const files = [
  "Columns: NAME, TYPE, SIZE, LAST-MODIFIED",
  "# NAME                TYPE       SIZE  LAST-MODIFIED      ",
  "0 dir1                directory        2026-03-17 09:52:08",
  "2 test1.txt           .txt file     0  2026-03-17 09:51:43",
  "3 dir1/test1copy.txt  .txt file     0  2026-03-17 09:52:08",
];

test("printTable() numbers files by their place in the whole list and pads to the last column", () => {
  const properties = (["name", "type", "size", "last-modified"] as const).map((name) => ({
    name,
    kind: name === "size" ? ("file-size" as const) : ("word" as const),
    brief: true,
  }));
  const menu = new ToyMenu(
    "/file",
    properties,
    [],
    [
      { name: "dir1", type: "directory", "last-modified": "2026-03-17 09:52:08" },
      { name: "flash", type: "disk" },
      { name: "test1.txt", type: ".txt file", size: 0, "last-modified": "2026-03-17 09:51:43" },
      {
        name: "dir1/test1copy.txt",
        type: ".txt file",
        size: 0,
        "last-modified": "2026-03-17 09:52:08",
      },
    ],
  );
  const items = menu.rows().flatMap((row, number) => (number === 1 ? [] : [{ row, number }]));
  const shown = { menu, items, total: 4, width: 80, names: undefined, showIds: false };
  assert.deepEqual(printTable(shown), files);
});

test("printTable() gives a list one line per element", () => {
  const menu = new ToyMenu(
    "/ip/service",
    [{ name: "address", kind: "list", brief: true }],
    [],
    [{ address: ["10.5.101.0/24", "2001:db8:fade::/64"] }],
  );
  const items = menu.rows().map((row, number) => ({ row, number }));
  const shown = { menu, items, total: 1, width: 80, names: undefined, showIds: false };
  assert.deepEqual(printTable(shown).slice(2), ["0 10.5.101.0/24     ", "  2001:db8:fade::/64"]);
});

test("printTable() leaves out columns that the terminal has no room for", () => {
  const columns = ["slot", "model", "fs"];
  const lines = diskTable(columns, [{ slot: "a".repeat(60), model: "b".repeat(30), fs: "ext4" }]);
  assert.deepEqual(lines[0], "Columns: SLOT");
});

test("print of a singleton starts two columns in and pads to the longest line", async () => {
  const session = new Console(new ToyTree(), { width: 80 });
  const { output } = await session.execute("/system/clock/print", AbortSignal.timeout(1_000));
  assert.equal(output, "            time: 6h42m44s\r\n  time-zone-name: UTC     \r\n\r\n");
});

test("asValue() gives brief properties unless asked for detail, sorted by name", () => {
  const shown = listing([[31, volume]], 80);
  const names = (value: Value) =>
    Array.isArray(value)
      ? value.flatMap((item: ReadonlyMap<string, Value>) => [...item.keys()])
      : [];
  assert.deepEqual(names(asValue(shown, false)), [".id", "fs", "size", "slot"]);
  const all = names(asValue(shown, true));
  assert.deepEqual(all, [...all].sort());
  assert(all.includes("block-device"));
});

test("print value-list gives every item a column", async () => {
  const tree = new ToyTree({
    disks: [
      { type: "file", slot: "a" },
      { type: "raid", slot: "longer" },
    ],
  });
  const session = new Console(tree, { width: 80 });
  const { output } = await session.execute("/disk/print value-list", AbortSignal.timeout(1_000));
  assert.equal(output, "  type: file  raid  \r\n  slot: a     longer\r\n\r\n");
});

test("print terse quotes nothing", async () => {
  const tree = new ToyTree({ disks: [{ slot: "a", size: 5_000, comment: "x y", mounted: true }] });
  const session = new Console(tree, { width: 80 });
  const { output } = await session.execute("/disk/print terse", AbortSignal.timeout(1_000));
  assert.equal(output, " 0 M slot=a size=5000 comment=x y \r\n\r\n");
});
