import assert from "node:assert/strict";
import type { Cluster } from "../rig/cluster.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { Writer } from "../rig/writer.ts";

/** Namespaces have another identity after each start of the appliance: the sign of a possible crash. */
const scenario = clusterWith({ switches: { "namespace-identity": "random" } });
const patient = { ctrlLossTmo: "-1", reconnectDelay: "1", keepAliveTmo: "2" };

/**
 * A quiet volume: what it holds was flushed, nothing flushes what comes now, and the kernel does not go on making the file
 * system: what waits for that in an outage keeps files from being created (seen).
 */
async function bringUp(cluster: Cluster, onApplianceRestart: "continue" | "fail") {
  const parameters = { ...patient, onApplianceRestart };
  const volume = await cluster.controller.create({ content: "ext4", parameters });
  const up = await cluster.bringUp(volume);
  sh(`mount -o remount,noatime,noinit_itable,commit=600 ${cluster.node().stagingPath(volume)}`);
  sh(`seq 1000 > ${up.path}/flushed; sync -f ${up.path}`);
  put(up.path, "o", "conv=notrunc,fsync");
  sh(`sync -f ${up.path}`);
  return { volume, ...up };
}

const endedByCrash =
  /^Reads and writes fail, .* the appliance may have crashed, and onApplianceRestart is fail: .* must be restarted$/;

function put(path: string, letter: string, how: string): void {
  const letters = `head -c 1M /dev/zero | tr '\\0' ${letter}`;
  sh(`${letters} | dd of=${path}/file bs=1M iflag=fullblock ${how}`);
}

/** Past the node's cache. */
function firstOf(path: string): string {
  return sh(`dd if=${path}/file bs=4096 count=1 iflag=direct | head -c 1`);
}

scenario(
  "an appliance that crashes and loses acknowledged writes: what an application is told, by onApplianceRestart",
  async (cluster) => {
    const { simulator } = cluster;
    const node = cluster.node();
    const [goesOn, fails] = [await bringUp(cluster, "continue"), await bringUp(cluster, "fail")];
    const volumes = [goesOn, fails];
    const images = volumes.map(({ volume }) => cluster.image(volume));
    for (const image of images) sh(`cp --reflink=always ${image} ${image}.flushed`);
    for (const { path } of volumes) {
      put(path, "n", "oflag=direct conv=notrunc");
      assert.equal(firstOf(path), "n", "acknowledged, and read back");
    }
    const before = Date.now();
    await simulator.powerOff();
    for (const image of images) sh(`mv ${image}.flushed ${image}`);
    using writer = new Writer(`${goesOn.path}/records`);
    using failing = new Writer(`${fails.path}/records`);
    for (const each of [writer, failing]) await each.started();
    await simulator.powerOn();

    assert.equal((await failing.ended()).error, "EIO");
    await waitFor("the volume that fails says why", async () => {
      const { abnormal, message = "" } = (await node.condition(fails.volume)) ?? {};
      return abnormal === true && endedByCrash.test(message);
    });
    await writer.progress();
    const told = await waitFor("the volume that goes on is in doubt", async () => {
      const { abnormal, message = "" } = (await node.condition(goesOn.volume)) ?? {};
      return abnormal && message.startsWith("The appliance may") ? message : undefined;
    });
    const [, time = ""] =
      /^The appliance may have crashed: writes acknowledged before (\S+) may be lost$/.exec(told) ??
      [];
    assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now(), told);
    assert.equal(firstOf(goesOn.path), "o", "without any error, the write is not there");

    // With a new mount an application recovers from what the disk has.
    const report = await writer.stop();
    assert.equal(report.error, undefined);
    for (const { volume } of volumes) {
      await retry("unpublishing", () => node.unpublish(volume));
      await retry("unstaging", () => node.unstage(volume));
      const { path } = await cluster.bringUp(volume);
      assert.equal(firstOf(path), "o");
      assert.equal(sh(`wc -l < ${path}/flushed`), "1000\n", "what was flushed is there");
      sh(`echo again > ${path}/again`);
      await cluster.takeDown(volume);
      sh(`e2fsck -fn ${cluster.image(volume)}`);
      await cluster.controller.delete(volume);
    }
    cluster.assertNothingLeft();
  },
);
