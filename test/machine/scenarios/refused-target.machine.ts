import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import type { Cluster } from "../rig/cluster.ts";
import { appliancePort, applianceTarget } from "../rig/other-image.ts";
import { clusterWith } from "../rig/scenario.ts";
import { UsedVolume } from "../rig/used-volume.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh, uuidFor } from "../rig/world.ts";

const scenario = clusterWith();
const stranger = "99999999-2222-3333-4444-555555555555";

/** Names that are almost that of a volume, as somebody else may have given them. */
function similar(nqn: string): string[] {
  const [before, after] = nqn.split("pvc-") as [string, string];
  return [
    `${nqn}x`,
    nqn.slice(0, -1),
    nqn.replace(/\.(\d+)-\w+$/, (_, epoch) => `.${Number(epoch) + 1}-zzzzzzzz`),
    `${before}PVC-${after}`,
  ];
}

/** Somebody else on this node connects to a subsystem of the appliance. */
function connectAsStranger(nqn: string, number: number): void {
  const image = `/appliance/foreign-${number}.img`;
  sh(`truncate -s 320M ${image}; mkfs.ext4 -q -F ${image}`);
  applianceTarget().export({ nqn, image, namespaceUuid: uuidFor(image) });
  sh(`nvme connect -t tcp -a 10.42.67.1 -s ${appliancePort()} -n '${nqn}' --ctrl-loss-tmo=-1 \
    -q nqn.2014-08.org.nvmexpress:uuid:${stranger} -I ${stranger}`);
}

/** Of what is in the strangers' sparse images. */
function checksums(): string {
  return sh("for f in /appliance/foreign-*; do tar -cSf - --mtime=@0 $f 2>&1 | md5sum; done");
}

scenario(
  "subsystems of almost the same name that others connected are neither used nor disconnected",
  async (cluster) => {
    using first = await UsedVolume.start(cluster, "ext4");
    const strangers = similar(first.nqn);
    strangers.forEach(connectAsStranger);
    const before = checksums();
    const assertLeftAlone = () => {
      for (const nqn of strangers) assert.deepEqual(cluster.controllers(nqn), ["live"], nqn);
    };
    await first.lose();
    first.restore();
    await first.writer.progress();
    await cluster.node().kill();
    await cluster.node().start();
    await first.writer.progress();
    assertLeftAlone();
    const report = await first.writer.stop();
    assert.equal(report.error, undefined);
    await cluster.takeDown(first.volume);
    assert.deepEqual(cluster.controllers(first.nqn), []);
    assertLeftAlone();
    const { nqn, path } = await cluster.bringUp(first.volume);
    const [number = ""] = /\d+, \d+/.exec(sh(`dmsetup deps -o devno rds-csi-${nqn}`)) ?? [];
    const owner = cluster.sysfs.read(
      "dev",
      "block",
      number.replace(", ", ":"),
      "device",
      "subsysnqn",
    );
    assert.equal(owner, nqn);
    assert.equal(Number(sh(`wc -l < ${path}/records`)) >= report.flushed, true);
    await cluster.takeDown(first.volume);
    await cluster.controller.delete(first.volume);
    assertLeftAlone();
    assert.equal(checksums(), before, "not a byte of them was written");
    const target = applianceTarget();
    for (const name of strangers) sh(`nvme disconnect -n '${name}'`);
    for (const name of strangers) target.unexport(name);
    sh("rm /appliance/foreign-*.img");
    cluster.assertNothingLeft();
  },
);

/** Listens where the appliance's target does not any more. */
async function listenInstead(port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  const listens = () =>
    new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "10.42.67.1", () => resolve(true));
    });
  await waitFor("the port is free", listens);
  return server;
}

async function assertNotStaged(cluster: Cluster, onSocket: (socket: Socket) => void) {
  const { controller, fabric } = cluster;
  const volume = await controller.create({ content: "ext4" });
  const context = await controller.publish(volume, "node-a");
  const { nqn = "", nvmePort: port = "" } = context;
  fabric.interrupt(nqn);
  const sockets = new Set<Socket>();
  const server = await listenInstead(Number(port), (socket) => {
    sockets.add(socket);
    onSocket(socket);
  });
  await assert.rejects(cluster.node().stage(volume, context, 60_000), (error: Error) => {
    process.stdout.write(`# ${error.message}\n`);
    assert.match(error.message, new RegExp(`^14 UNAVAILABLE: Cannot connect "${nqn}" at `));
    return true;
  });
  assert.ok(sockets.size > 0, "it was asked");
  assert.deepEqual(cluster.sysfs.list("class", "nvme"), []);
  assert.deepEqual(cluster.mounts(), []);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  fabric.resume(nqn);
  await cluster.node().stage(volume, context);
  await cluster.node().unstage(volume);
  await controller.unpublish(volume, "node-a");
  await controller.delete(volume);
  cluster.assertNothingLeft();
}

scenario(
  "a target that hangs up is given up at once, and is taken when it answers",
  async (cluster) => {
    await assertNotStaged(cluster, (socket) => socket.destroy());
  },
);

scenario(
  "a target that says nothing is given up in time, and is taken when it answers",
  async (cluster) => {
    await assertNotStaged(cluster, (socket) => socket.resume());
  },
);
