// machine: its own
// kernel: nvme_core.multipath=N
import assert from "node:assert/strict";
import { before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkNode } from "../rig/check-node.ts";
import { diskAt, GuestLvm } from "../rig/guest-lvm.ts";
import { greedy, Multipathd, properties, startUdev, trigger } from "../rig/host-daemons.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
const spared = `${greedy}blacklist {\n  devnode "^nvme"\n}\n`;

before(() => {
  // As systemd does: mounts are shared.
  sh("mount --make-rshared /");
  startUdev();
});

scenario(
  "without holds too the host's LVM leaves a guest's volume group alone",
  async (cluster) => {
    const volume = await cluster.controller.create({ content: "block", sizeMiB: 64 });
    // udev looks for new rules at most every three seconds.
    await delay(4_000);
    const { path } = await cluster.bringUp(volume);
    assert.equal(sh("dmsetup ls"), "No devices found\n", "it has no hold");
    const lvm = new GuestLvm();
    sh(`echo kept > ${lvm.create(path)}/file`);
    lvm.shutDown();
    const disk = diskAt(path);
    for (const action of ["add", "change"] as const) {
      trigger(action);
      assert.doesNotMatch(properties(`/dev/${disk}`), /^ID_FS_|^SYSTEMD_READY=1|lvm-pv/m);
    }
    assert.equal(sh("dmsetup ls"), "No devices found\n");
    assert.equal(sh(`cat ${lvm.start(path)}/file`), "kept\n");
    lvm.shutDown();
    await cluster.takeDown(volume);
    await cluster.controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario(
  "what multipathd has taken is not staged: the message and the check name its map",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4" });
    const { path } = await cluster.bringUp(volume);
    sh(`seq 1000 > ${path}/numbers`);
    await cluster.takeDown(volume);

    using daemon = await Multipathd.start(greedy);
    // The rules withhold the WWID from it, so that it waits for half a minute; here they come too late.
    sh("rm /run/udev/rules.d/09-rds-csi.rules; udevadm control --reload");
    const context = await controller.publish(volume, "node-a");
    const { nqn = "", nvmePort = "" } = context;
    const host = sh("cat /run/cluster/node-a/state/hostnqn").trim();
    sh(`nvme connect -t tcp -a 10.42.67.1 -s ${nvmePort} -n ${nqn} -i 1 --ctrl-loss-tmo=-1 \
      -q ${host} -I ${host.slice(-36)}`);
    await waitFor("multipathd takes it", () => /uuid/.test(daemon.tell("show maps")));
    const [map = ""] = sh("dmsetup ls").split("\t");
    assert.match(sh(`dmsetup info ${map}`), /UUID: mpath-/);
    await assert.rejects(node.stage(volume, context), (error: Error) => {
      process.stdout.write(`# ${error.message}\n`);
      assert.match(
        error.message,
        /^14 UNAVAILABLE: Cannot stage volume ".*" on ".*" \(259:\d+\): ".*" is held by "dm-0"$/,
      );
      return true;
    });
    const { status, text } = checkNode();
    assert.equal(status, 1);
    assert.match(text, new RegExp(`PROBLEM .* this host uses it as "dm-0" \\(${map}\\)$`, "m"));
    assert.match(text, /WARNING {2}multipathd runs here and may take volumes/);

    await daemon.configure(spared);
    await waitFor("multipathd lets go", () => sh("dmsetup ls").includes("No devices"));
    // The kernel forgets a map's name before it lets go of what lies under it.
    await retry("staging", () => node.stage(volume, context));
    const again = await node.publish(volume, context);
    assert.equal(sh(`wc -l < ${again}/numbers`), "1000\n");
    assert.doesNotMatch(checkNode().text, /this host uses it as/);
    await cluster.takeDown(volume);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
