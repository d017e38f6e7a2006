import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoolOptions } from "./pool.ts";
import { testAppliance } from "./testing/test-appliance.ts";

/**
 * Literal outputs of real devices, and what the simulator prints in the same state. Line ends and right
 * padding are taken off; identifiers that a device makes up are shown in place of ours.
 */

/** Drives enough for the array to be item 26 of the list, as on the device. */
const rds: readonly PoolOptions[] = [
  ...Array.from({ length: 22 }, (_, index) => ({
    mountPoint: `nvme${index + 1}`,
    size: 2 ** 40,
    raid: "none" as const,
  })),
  {
    mountPoint: "raid10",
    size: 16_003_143_565_312,
    type: "xfs",
    label: "ocp-storage",
    raid: 0,
    members: 4,
  },
];

test("/disk/print detail prints a file disk as an RDS2216 with RouterOS 7.24.4 does", async () => {
  const { print } = await testAppliance({ version: "7.24.4 (stable)", pools: rds, width: 230 });
  for (const filler of ["a", "b", "c", "d"])
    await print(`/disk/add type=file slot=${filler} file-path=nvme1/${filler} file-size=1G`);
  await print(
    "/disk/add type=file slot=vm-storage-001 file-path=raid10/vm-storage-001.img file-size=1T " +
      'mount-filesystem=no nvme-tcp-export=yes nvme-tcp-server-port=4420 nvme-tcp-server-nqn="nqn.2026-09.com.mikrotik:rds2216.vm-storage-001"',
  );
  assert.equal(
    await print('/disk/print detail where slot="vm-storage-001"'),
    `Flags: B - BLOCK-DEVICE; t - NVME-TCP-EXPORT
31 Bt type=file slot="vm-storage-001" slot-default="" parent="" fs=- model="/raid10/vm-storage-001.img" size=1 099 511 627 776 mount-filesystem=no mount-read-only=no compress=no sector-size=512 raid-master=none nvme-tcp-export=yes
      nvme-tcp-server-port=4420 nvme-tcp-server-nqn="nqn.2026-09.com.mikrotik:rds2216.vm-storage-001" nvme-tcp-server-allow-host-name="" iscsi-export=no nfs-sharing=no smb-sharing=no media-sharing=no media-interface=none swap=no
      file-path=/raid10/vm-storage-001.img file-size=1024.0GiB file-offset=0`,
  );
});

test("/disk/print detail prints an array as an RDS2216 with RouterOS 7.24.4 does", async () => {
  const { appliance, print } = await testAppliance({
    version: "7.24.4 (stable)",
    pools: rds,
    width: 231,
  });
  await print("/disk/add type=file slot=vm file-path=raid10/vm.img file-size=1T");
  appliance.occupy("raid10", 16_003_143_565_312 - 14_789_895_307_264 - 2 ** 40);
  appliance.show("raid10", {
    "fs-uuid": "40437dbc-2318-45dc-817b-b3bb95cf48ab",
    "raid-uuid": "eadca0af-ecff031c-239758ad-951a47de",
    "total-inodes": 1_562_806_656,
    "free-inodes": 1_562_806_652,
  });
  assert.equal(
    await print('/disk/print detail where slot="raid10"'),
    `Flags: B - BLOCK-DEVICE; M - MOUNTED
26 BM type=raid slot="raid10" slot-default="" parent="" fs-label="ocp-storage" fs-uuid="40437dbc-2318-45dc-817b-b3bb95cf48ab" fs=xfs model="RAID0 striped" size=16 003 143 565 312 free=14 789 895 307 264 total-inodes=1 562 806 656
      free-inodes=1 562 806 652 use=8% mount-point="raid10" mount-filesystem=yes mount-read-only=no compress=no sector-size=512 raid-type=0 raid-device-count=4 raid-max-component-size=none raid-chunk-size=256K raid-master=none
      state="clean" raid-uuid="eadca0af-ecff031c-239758ad-951a47de" nvme-tcp-export=no iscsi-export=no nfs-sharing=no smb-sharing=no media-sharing=no media-interface=none swap=no`,
  );
});

test("/disk/print detail over exec prints the properties of an RDS with RouterOS 7.21", async () => {
  const { print } = await testAppliance({
    version: "7.21 (stable)",
    pools: [{ mountPoint: "storage-pool", size: 2 ** 42 }],
  });
  await print(
    "/disk/add type=file slot=pvc-test-123 file-path=/storage-pool/test.img file-size=50G " +
      'nvme-tcp-export=yes nvme-tcp-server-nqn="nqn.2000-02.com.mikrotik:pvc-test-123"',
  );
  const printed = await print("/disk/print detail where slot=pvc-test-123");
  const [, properties = ""] = printed.split(/ Bt /);
  assert.equal(
    properties.replace(/\n +/g, " "),
    'type=file slot="pvc-test-123" slot-default="" parent="" fs=- ' +
      'model="/storage-pool/test.img" ' +
      "size=53 687 091 200 mount-filesystem=yes mount-read-only=no " +
      "compress=no sector-size=512 raid-master=none " +
      "nvme-tcp-export=yes nvme-tcp-server-port=4420 " +
      'nvme-tcp-server-nqn="nqn.2000-02.com.mikrotik:pvc-test-123" ' +
      'nvme-tcp-server-allow-host-name="" iscsi-export=no ' +
      "nfs-sharing=no smb-sharing=no media-sharing=no " +
      "media-interface=none swap=no " +
      "file-path=/storage-pool/test.img " +
      "file-size=50.0GiB file-offset=0",
  );
  const lines = printed.split("\n");
  assert.ok(
    lines.every((line) => line.length <= 80),
    "wrapped at 80 columns",
  );
});

test("/disk/monitor-traffic once prints the block of an RDS", async () => {
  const { appliance, print } = await testAppliance({
    pools: [{ mountPoint: "storage-pool", size: 2 ** 42 }],
  });
  appliance.recordTraffic("storage-pool", {
    "read-ops": 243_401,
    "read-bytes": 33_131_503_616,
    "write-ops": 17_667_231,
    "write-ops-per-second": 76,
    "write-bytes": 515_659_673_600,
    "write-rate": 12_800_000,
  });
  assert.equal(
    `${await print("/disk/monitor-traffic storage-pool once")}\n`,
    `                  slot:    storage-pool
              read-ops:         243 401
   read-ops-per-second:               0
            read-bytes:  33 131 503 616
             read-rate:            0bps
           read-merges:               0
             read-time:             0ms
             write-ops:      17 667 231
  write-ops-per-second:              76
           write-bytes: 515 659 673 600
            write-rate:        12.8Mbps
          write-merges:               0
            write-time:             0ms
         in-flight-ops:               0
           active-time:             0ms
             wait-time:             0ms
           discard-ops:               0
         discard-bytes:               0
        discard-merges:               0
          discard-time:             0ms
             flush-ops:               0
            flush-time:             0ms
`,
  );
});

test("/disk/monitor-traffic prints times as RouterOS does, and maps for scripts", async () => {
  const { appliance, run, print } = await testAppliance();
  appliance.recordTraffic("pool", { "read-time": 48_149, "read-ops": 7 });
  assert.match(await print("/disk/monitor-traffic pool once"), /read-time: 48s149ms$/m);
  const line = ':put ([/disk/monitor-traffic pool once as-value]->"read-ops")';
  assert.equal(await print(line), "7");
  const endless = await run("/disk/monitor-traffic pool as-value");
  assert.equal(endless.error, "failure: as-value needs once");
  assert.throws(
    () => appliance.recordTraffic("pool", { "read-opps": 1 }),
    /no counter "read-opps"/,
  );
});

test("/disk/print prints the table of a formatted drive", async () => {
  const { print } = await testAppliance({
    pools: [{ mountPoint: "nvme9", size: 1_024_209_543_168, raid: "none", type: "ext4" }],
  });
  assert.equal(
    await print("/disk/print proplist=slot,mount-point,model,interface,size,fs"),
    `Flags: B - BLOCK-DEVICE; M - MOUNTED
Columns: SLOT, MOUNT-POINT, MODEL, INTERFACE, SIZE, FS
#    SLOT   MOUNT-POINT  MODEL        INTERFACE                   SIZE  FS
0 BM nvme9  nvme9        TS1TUTE210T  PCIe 2x8 GT/s  1 024 209 543 168  ext4`,
  );
});

test("/file/print detail prints directories and images as an RDS does", async () => {
  const { print } = await testAppliance({
    pools: [{ mountPoint: "storage-pool", size: 2 ** 42 }],
  });
  await print("/file/add name=storage-pool/metal-csi type=directory");
  const slot = "pvc-ccdecfad-a8bf-572e-9120-464c4d99f12f";
  await print(
    `/disk/add type=file slot=a file-path=storage-pool/metal-csi/${slot}.img file-size=10G`,
  );
  const printed = await print('/file/print detail where name~"metal-csi"');
  assert.equal(
    printed.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "2025-11-11 14:32:41"),
    ` 1 name=storage-pool/metal-csi type=directory last-modified=2025-11-11 14:32:41

 2 name=storage-pool/metal-csi/${slot}.img
   type=.img file size=10.0GiB last-modified=2025-11-11 14:32:41`,
  );
});

test("a file disk as JSON has the names and values of a device's record", async () => {
  const { rows, print } = await testAppliance({ pools: [{ mountPoint: "disk1", size: 2 ** 40 }] });
  await print("/disk/add type=file file-path=disk1/swap file-size=16G swap=yes nfs-sharing=no");
  const [record = {}] = await rows("/disk", "type=file");
  const { ".id": id, ...values } = record;
  assert.match(String(id), /^\*[0-9A-F]+$/);
  const device = {
    acquired: false,
    "block-device": false,
    compress: false,
    disabled: false,
    empty: false,
    encrypted: false,
    "file-offset": 0,
    "file-path": "/disk1/swap",
    "file-size": 2 ** 34,
    formatting: false,
    fs: "-",
    "guid-partition-table": false,
    "iscsi-export": false,
    "media-interface": "none",
    "media-sharing": false,
    model: "/disk1/swap",
    "mount-filesystem": true,
    "mount-read-only": false,
    mounted: false,
    "nfs-sharing": false,
    "nvme-tcp-export": false,
    parent: "",
    partition: false,
    "raid-master": "none",
    "raid-member": false,
    "self-encrypted-and-locked": false,
    "self-encryption-enabled": false,
    "self-encryption-supported": false,
    slot: "file-disk1-swap",
    "slot-default": "",
    "smb-sharing": false,
    swap: true,
    "swap-enabled": true,
    type: "file",
  };
  assert.deepEqual(values, { ...device, "sector-size": 512, size: 2 ** 34 });
});

test("/disk/btrfs/filesystem names its device and its space in decimal units", async () => {
  const { rows } = await testAppliance({ pools: [{ mountPoint: "disk1", size: 480e9 }] });
  const [fileSystem] = await rows("/disk/btrfs/filesystem");
  assert.equal(fileSystem?.["label"], "disk1-fs");
  assert.deepEqual(fileSystem?.["devs"], ["disk1"]);
  assert.equal(fileSystem?.["default-subvolume"], "<FS_ROOT>");
  assert.deepEqual(fileSystem?.["spaces"], ["disk1:480GB, used:0%"]);
  assert.equal(fileSystem?.["write-errors"], 0);
});
