import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { MiB } from "#lib/bytes.ts";
import { KernelTarget } from "#sim/nvmet/kernel-target.ts";
import { type ClusterVolume, capabilityFor } from "../rig/cluster-volume.ts";
import type { Kubelet } from "../rig/kubelet.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh, uuidFor } from "../rig/world.ts";

const scenario = clusterWith();

/** An appliance whose volumes are exported for ever, under the names that the driver before this one gave them. */
class PredecessorVolume implements Disposable {
  readonly volume: ClusterVolume;
  readonly nqn: string;
  /** Not in memory: on Linux 6.1 a tmpfs has no direct I/O. */
  readonly image = "/appliance/predecessor.disk";
  readonly #target = new KernelTarget("/sys/kernel/config/nvmet", 77);

  constructor() {
    const id = "pvc-12345678-1234-4123-8123-123456789abc";
    this.volume = { name: id, id, capability: capabilityFor("ext4"), context: {} };
    this.nqn = `nqn.2000-02.com.mikrotik:${id}`;
    writeFileSync(this.image, "");
    truncateSync(this.image, 64 * MiB);
    this.#target.listen("127.0.0.1", 4477);
    this.export();
  }

  export(): void {
    this.#target.export({ nqn: this.nqn, image: this.image, namespaceUuid: uuidFor(this.nqn) });
  }

  unexport(): void {
    this.#target.unexport(this.nqn);
  }

  /** As that driver did it: by these very commands. @returns where a pod has it. */
  stage(node: Kubelet): string {
    const [staging, pod] = [node.stagingPath(this.volume), node.targetPath(this.volume)];
    node.note(this.volume);
    mkdirSync(pod, { recursive: true });
    sh(`nvme connect -t tcp -a 127.0.0.1 -s 4477 -n ${this.nqn} -l 6 -c 2 \
      -q nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555 -I 11111111-2222-3333-4444-555555555555`);
    sh(`for i in $(seq 100); do [ -b /dev/nvme0n1 ] && break; sleep 0.1; done
      mkfs.ext4 -q /dev/nvme0n1 && mount /dev/nvme0n1 ${staging} && mount --bind ${staging} ${pod}`);
    return pod;
  }

  [Symbol.dispose](): void {
    this.#target.close();
    rmSync(this.image);
  }
}

scenario(
  "a volume that the driver before this one has staged is watched, mounted again, and unstaged whole",
  async (cluster) => {
    const node = cluster.node();
    using before = new PredecessorVolume();
    await node.kill();
    const { volume, nqn } = before;
    const pod = before.stage(node);
    sh(`seq 1000 > ${pod}/numbers; sync ${pod}/numbers`);
    await node.start();
    const record = JSON.parse(readFileSync(node.recordFile(volume), "utf8"));
    assert.deepEqual(record.target, { nqn, addresses: ["127.0.0.1"], port: 4477 });
    assert.equal(record.connect.ctrlLossTmoSeconds, 6);
    assert.equal(record.connect.reconnectDelaySeconds, 2);
    assert.equal(record.fsUuid, sh("blkid -s UUID -o value -p /dev/nvme0n1").trim());
    const { usage, volumeCondition } = await node.stats(volume);
    assert.equal(volumeCondition?.abnormal, false);
    assert.equal(usage.length, 2);
    before.unexport();
    await waitFor("the kernel gives up", () => cluster.controllers(nqn).length === 0);
    before.export();
    await waitFor("the pod has the volume again", async () => {
      const { message = "" } = (await node.condition(volume)) ?? {};
      return message.includes("is back under another device");
    });
    assert.equal(sh(`wc -l < ${pod}/numbers`), "1000\n");
    await node.unpublish(volume);
    const next = await node.publish(volume, {}, "pod-2");
    assert.equal(sh(`wc -l < ${next}/numbers`), "1000\n");
    sh(`echo more > ${next}/more`);
    await node.unpublish(volume, "pod-2");
    await retry("unstaging", () => node.unstage(volume));
    assert.deepEqual(cluster.controllers(nqn), []);
    assert.deepEqual(node.records(), []);
    before.unexport();
    sh(`e2fsck -fn ${before.image}`);
    cluster.assertNothingLeft();
  },
);
