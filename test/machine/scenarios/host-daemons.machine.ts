// machine: its own
import assert from "node:assert/strict";
import { before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkNode } from "../rig/check-node.ts";
import type { Cluster } from "../rig/cluster.ts";
import { GuestLvm } from "../rig/guest-lvm.ts";
import { greedy, Multipathd, properties, startUdev, trigger } from "../rig/host-daemons.ts";
import { KubeletLoop } from "../rig/kubelet-loop.ts";
import { interruptAll, resumeAll, rideOut } from "../rig/outage.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords } from "../rig/writer.ts";

const scenario = clusterWith();
/** The kernel gives up after four seconds. */
const impatient = { ctrlLossTmo: "4", reconnectDelay: "1", keepAliveTmo: "2" };

before(startUdev);

/** Of all volumes, their namespaces and their holds the host knows that they are there, and uses nothing in them. */
function assertLeftAlone(cluster: Cluster, nqns: readonly string[]): void {
  for (const nqn of nqns) {
    const [disk = ""] = cluster.devices(nqn);
    const [hold = "", ...others] = cluster.sysfs.list("block", disk, "holders");
    assert.deepEqual(others, [], `nothing but its hold lies on ${disk}`);
    assert.equal(cluster.sysfs.read("block", hold, "dm", "uuid"), `rds-csi-${nqn}`);
    for (const name of [disk, hold]) {
      const found = properties(`/dev/${name}`);
      assert.doesNotMatch(found, /^ID_FS_|^DM_MULTIPATH_DEVICE_PATH=1/m);
      // Of every dm device systemd says that it is ready; of another one, LVM does that would use it.
      if (name === disk) assert.doesNotMatch(found, /^SYSTEMD_READY=1/m);
      assert.doesNotMatch(found, /^DEVLINKS=.*(by-uuid|by-label|lvm-pv|mapper)/m);
      assert.match(found, /^DM_UDEV_DISABLE_OTHER_RULES_FLAG=1$/m);
    }
    assert.deepEqual(cluster.sysfs.list("block", hold, "holders"), [], "nobody uses the hold");
  }
  assert.doesNotMatch(sh("dmsetup ls"), /^(?!rds-csi-).*\t/m);
  assert.equal(sh("ls /run/lvm/vgs_online 2>/dev/null || true"), "");
}

/** Nor does it read a volume by way of kubelet's loop device. */
function assertLoopLeftAlone(cluster: Cluster, { name }: KubeletLoop): void {
  const found = properties(`/dev/${name}`);
  assert.doesNotMatch(found, /^ID_FS_|^SYSTEMD_READY=1|^DEVLINKS=.*(by-uuid|by-label|lvm-pv)/m);
  assert.match(found, /^DM_UDEV_DISABLE_OTHER_RULES_FLAG=1$/m);
  assert.deepEqual(cluster.sysfs.list("block", name, "holders"), [], "nobody uses the loop");
}

/** The host has taken the guest's volume for its own, and the check says through which device. */
async function assertTaken(device: string): Promise<void> {
  await waitFor("the host has the guest's volume", () => sh("dmsetup ls").includes("guest-root"));
  properties("/dev/mapper/guest-root");
  const { status, text } = checkNode();
  assert.equal(status, 1);
  const use = 'is a volume, and this host uses it as "dm-\\d+" \\(guest-root\\)';
  assert.match(text, new RegExp(`PROBLEM {2}"${device}".* ${use}$`, "m"));
}

/** What multipathd can be told to do to holds, while none of them has a path. */
async function meddle(daemon: Multipathd, volumes: readonly UsedVolume[]): Promise<void> {
  for (const { nqn } of volumes)
    await waitFor("both paths have failed", () =>
      / F \d+.* F \d+/.test(sh(`dmsetup status rds-csi-${nqn}`)),
    );
  const tables = sh("dmsetup table");
  sh('dmsetup --noudevsync create taken --uuid mpath-taken --table "0 2048 multipath 0 0 0 0"');
  await daemon.configure(greedy);
  assert.match(daemon.tell("show config"), /find_multipaths "?(no|off)/);
  sh("multipath -F; true");
  await waitFor("of the maps, only one of its own is gone", () => sh("dmsetup table") === tables);
  daemon.tell("disablequeueing maps");
  for (const { nqn } of volumes) {
    const name = `rds-csi-${nqn}`;
    sh(`multipath -f ${name}; true`);
    for (const verb of ["disablequeueing", "del"]) daemon.tell(`${verb} map ${name}`);
  }
  assert.equal(sh("dmsetup table"), tables);
  for (const { nqn } of volumes) assert.match(sh(`dmsetup info rds-csi-${nqn}`), /ACTIVE/);
}

scenario(
  "volumes beside udev, LVM and multipathd outlive outages, and a guest's volume group is its own",
  async (cluster) => {
    // udev looks for new rules at most every three seconds.
    await delay(4_000);
    using daemon = await Multipathd.start();
    const lvm = new GuestLvm();
    const loops: KubeletLoop[] = [];
    using ext4 = await UsedVolume.start(cluster, "ext4", impatient);
    using block = await UsedVolume.start(cluster, "block", impatient, {
      mountAs: (path) => {
        loops.push(new KubeletLoop(path));
        return lvm.create(path);
      },
    });
    const volumes = [ext4, block];
    const nqns = volumes.map(({ nqn }) => nqn);
    await rideOut(volumes, {
      what: "the kernel gives up, multipathd is told to meddle",
      begin: async () => {
        interruptAll(volumes);
        for (const { nqn } of volumes)
          await waitFor(`${nqn} is given up`, () => cluster.controllers(nqn).length === 0);
        await meddle(daemon, volumes);
      },
      end: () => resumeAll(volumes),
      renumbers: true,
    });
    await rideOut(volumes, {
      what: "back with another identity beside multipathd",
      begin: () => interruptAll(volumes),
      end: () => volumes.map((used) => used.restoreWithNewIdentity(`${used.content} anew`)),
      renumbers: true,
    });
    assert.doesNotMatch(daemon.tell("show paths"), /nvme/, "also greedily it takes none");
    const report = await block.writer.stop();
    assert.equal(report.error, undefined);
    lvm.shutDown();
    for (const action of ["add", "change"] as const) {
      trigger(action);
      assertLeftAlone(cluster, nqns);
      for (const loop of loops) assertLoopLeftAlone(cluster, loop);
    }
    assert.match(checkNode().text, /WARNING {2}multipathd runs here/);
    await ext4.finish();
    for (const loop of loops) loop.remove();
    await cluster.takeDown(block.volume);

    // Where somebody else has had it in the meantime, a namespace appears with a physical volume on it.
    const { path, nqn } = await cluster.bringUp(block.volume);
    const loop = new KubeletLoop(path);
    assertLoopLeftAlone(cluster, loop);
    assertLeftAlone(cluster, [nqn]);
    assertRecords(`${lvm.start(path)}/records`, report);
    lvm.shutDown();
    loop.remove();

    // What all of this kept away: each event that tells of what is in the volume activates it.
    sh("rm /run/udev/rules.d/09-rds-csi.rules; udevadm control --reload");
    const bare = new KubeletLoop(path);
    await assertTaken(bare.name);
    // LVM remembers until the next boot what it has activated.
    sh("dmsetup --noudevsync remove guest-root; rm /run/lvm/[pv]*s_online/*");
    bare.remove();
    trigger("add");
    await assertTaken("nvme\\d+n\\d+");
    await cluster.node().unpublish(block.volume);
    // It lies on the namespace itself, past the hold, which went.
    await assert.rejects(cluster.node().unstage(block.volume), {
      code: 14,
      details: /^Cannot unstage volume ".*": ".*" is held by "dm-\d+"$/,
    });
    sh("dmsetup --noudevsync remove guest-root");
    await cluster.takeDown(block.volume);
    await cluster.controller.delete(block.volume);
    cluster.assertNothingLeft();
  },
);
