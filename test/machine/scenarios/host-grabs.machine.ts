import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { checkNode } from "../rig/check-node.ts";
import { allowsTwoHostIds } from "../rig/kernel.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";

const scenario = clusterWith();
const other = "99999999-2222-3333-4444-555555555555";
const sysctl = "/proc/sys/kernel/hung_task_panic";
const queueTimeout = "/sys/module/dm_multipath/parameters/queue_if_no_path_timeout_secs";

/** Connects a volume before the plugin does. @returns the number of its device. */
async function connectFirst(nqn: string, port: string, hostId: string): Promise<string> {
  sh(`nvme connect -t tcp -a 10.42.67.1 -s ${port} -n ${nqn} -i 1 --ctrl-loss-tmo=-1 \
    -q nqn.2014-08.org.nvmexpress:uuid:${hostId} -I ${hostId}`);
  return await waitFor("the device is there", () => {
    const found = sh("cat /sys/class/nvme-subsystem/*/nvme*n*/dev 2>/dev/null || true").trim();
    return found === "" ? undefined : found;
  });
}

scenario(
  "a device that the host has taken is not staged: the message and the check name who has it",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "block" });
    const context = await controller.publish(volume, "node-a");
    const { nqn = "", nvmePort: port = "" } = context;
    const device = await connectFirst(nqn, port, other);
    sh(`dmsetup --noudevsync create vg0-root --table '0 2048 linear ${device} 0'`);
    await assert.rejects(node.stage(volume, context), {
      code: 9,
      details: `Cannot hold "${nqn}": ${device} is in use by "dm-0" (vg0-root)`,
    });
    assert.match(
      checkNode().text,
      /PROBLEM {2}"nvme\d+n\d+" is a volume, and this host uses it as "dm-0" \(vg0-root\)$/m,
    );
    assert.match(sh("dmsetup ls"), /vg0-root/, "what is not ours stays");
    sh("dmsetup --noudevsync remove vg0-root");
    await node.stage(volume, context);
    assert.doesNotMatch(checkNode().text, /this host uses it as/);
    await node.unstage(volume);
    await controller.unpublish(volume, "node-a");
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);

scenario("check finds a host that panics, ends holds, or runs multipathd", async () => {
  const before = checkNode();
  assert.doesNotMatch(before.text, /panics|ends every hold|multipathd/);
  sh(`echo 1 > ${sysctl}; echo 30 > ${queueTimeout}`);
  // Only its name counts here.
  copyFileSync("/bin/sleep", "/run/multipathd");
  sh("chmod +x /run/multipathd");
  const daemon = spawn("/run/multipathd", ["600"]);
  const { status, text } = checkNode();
  daemon.kill("SIGKILL");
  // Until then its name is still seen.
  await once(daemon, "exit");
  sh(`echo 0 > ${sysctl}; echo 0 > ${queueTimeout}`);
  assert.equal(status, 1);
  assert.match(text, /PROBLEM {2}The kernel panics when a process waits for long/);
  assert.match(
    text,
    /PROBLEM {2}This host ends every hold after 30 s: set queue_if_no_path_timeout_secs/,
  );
  assert.match(text, /WARNING {2}multipathd runs here and may take volumes/);
  assert.doesNotMatch(checkNode().text, /panics|ends every hold|multipathd/);
});

scenario(
  "a host NQN that is in use with another host id is named by NodeStage",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const [mine, taken] = [
      await controller.create({ content: "ext4" }),
      await controller.create({ content: "ext4" }),
    ];
    const { nqn = "", nvmePort: port = "" } = await controller.publish(taken, "node-a");
    const context = await controller.publish(mine, "node-a");
    const hostNqn = sh("cat /run/cluster/node-a/state/hostnqn").trim();
    sh(`nvme connect -t tcp -a 10.42.67.1 -s ${port} -n ${nqn} -i 1 -q ${hostNqn} -I ${other}`);
    await assert.rejects(node.stage(mine, context), (error: Error) => {
      process.stdout.write(`# ${error.message}\n`);
      assert.match(
        error.message,
        new RegExp(`Cannot connect "${context["nqn"]}": .*another host id`),
      );
      assert.ok(error.message.includes(nqn), "it names the other connection");
      return true;
    });
    assert.deepEqual(cluster.controllers(nqn), ["live"]);
    sh(`nvme disconnect -n ${nqn}`);
    await node.stage(mine, context);
    await node.unstage(mine);
    for (const volume of [mine, taken]) {
      await controller.unpublish(volume, "node-a");
      await controller.delete(volume);
    }
    cluster.assertNothingLeft();
  },
  allowsTwoHostIds,
);
