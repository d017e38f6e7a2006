import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { clusterWith } from "../rig/scenario.ts";
import { SpoiltDisk } from "../rig/spoilt-disk.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith();
const stopFile = "/run/stop-traffic";

/** Reads a file past the page cache. @returns whether it could be read. */
async function isReadable(path: string): Promise<boolean> {
  const args = [`if=${path}`, "of=/dev/null", "bs=4096", "iflag=direct", "status=none"];
  const [exitCode] = await once(spawn("dd", args), "close");
  return exitCode === 0;
}

/** A process that runs a command again and again until the stop file is there. @returns its failures. */
function again(command: string): Promise<string> {
  const child = spawn("bash", [
    "-c",
    `while [ ! -e ${stopFile} ]; do ${command} 2>&1 || echo "FAILED $?"; done; echo ended`,
  ]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return once(child, "close").then(() => said);
}

scenario(
  "only who reads an unreadable block gets an error; all else of the volume goes on, and the condition tells",
  async (cluster) => {
    const { controller } = cluster;
    const node = cluster.node();
    const volume = await controller.create({ content: "ext4", sizeMiB: 320 });
    const context = await controller.publish(volume, "node-a");
    const nqn = context["nqn"] ?? "";
    const disk = new SpoiltDisk(nqn);
    await node.stage(volume, context);
    const path = await node.publish(volume, context);
    for (const file of ["lost", "other"])
      sh(`dd if=/dev/urandom of=${path}/${file} bs=64k count=4 conv=fsync status=none`);
    const [, block = ""] =
      /^ *0: +\d+\.\. *\d+: +(\d+)\.\./m.exec(sh(`filefrag -v ${path}/lost`)) ?? [];
    disk.spoil(Number(block));
    using writer = new Writer(`${path}/records`);
    await writer.progress();
    const traffic = [
      again(`dd if=${path}/other of=/dev/null bs=4096 iflag=direct status=none`),
      again(`dd if=/dev/zero of=${path}/new bs=4096 count=32 oflag=direct,dsync status=none`),
    ];
    const pauses: number[] = [];
    for (let read = 0; read < 4; read++) {
      const startedAt = Date.now();
      assert.equal(await isReadable(`${path}/lost`), false, "its reader gets an error");
      pauses.push(Date.now() - startedAt);
      await writer.progress();
    }
    process.stdout.write(`# each read of the block took ${pauses.join(", ")} ms\n`);
    await waitFor("the condition tells of the block", async () => {
      const condition = await node.condition(volume);
      return condition?.message.startsWith("The target could not read or write a block");
    });
    assert.equal((await node.condition(volume))?.abnormal, true);
    writeFileSync(stopFile, "");
    assert.deepEqual(
      await Promise.all(traffic),
      ["ended\n", "ended\n"],
      "nobody else met an error",
    );
    const report = await writer.stop();
    assert.equal(report.error, undefined);
    assert.match(sh(`dmsetup table rds-csi-${nqn}`), /multipath 4 queue_if_no_path/);
    await cluster.takeDown(volume);
    disk[Symbol.dispose]();
    const next = await cluster.bringUp(volume);
    assertRecords(`${next.path}/records`, report);
    await cluster.takeDown(volume);
    sh(`e2fsck -fn ${cluster.image(volume)}`);
    await controller.delete(volume);
    cluster.assertNothingLeft();
  },
);
