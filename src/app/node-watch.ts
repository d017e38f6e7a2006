import type { NodeConfig } from "#config/roles.ts";
import type { AttachmentCheck } from "#domain/ports/attachment-check.ts";
import { ApiClient, serviceAccountFolder } from "#kubernetes/api-client.ts";
import { VolumeAttachments } from "#kubernetes/volume-attachments.ts";
import { systemClock as clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { Log } from "#lib/log.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { LinuxHoldSurvey } from "#linux/device-mapper/hold-survey.ts";
import type { Host } from "#linux/disk-device.ts";
import type { Exec } from "#linux/exec.ts";
import { FileKubeletVolumes } from "#linux/kubelet-volumes.ts";
import { LinuxConnectionTraces } from "#linux/nvme/connection-traces.ts";
import { LinuxConnections } from "#linux/nvme/connections.ts";
import type { NodeHost } from "#node/host.ts";
import { adopt } from "#node/watch/adopt.ts";
import { adoptLate } from "#node/watch/adopt-late.ts";
import type { WatchHost } from "#node/watch/host.ts";
import { inherit } from "#node/watch/inherit.ts";
import { Watch } from "#node/watch/watch.ts";
import { passingFsType } from "./check-state.ts";
import type { HostHolds } from "./holds.ts";
import { UnaskedAttachments } from "./unasked-attachments.ts";

export interface WatchedNode {
  readonly config: NodeConfig;
  readonly host: NodeHost;
  readonly holds: HostHolds;
  readonly kernel: Host;
  readonly exec: Exec;
  readonly locks: KeyedMutex;
  readonly log: Log;
}

/** An incident can wait for the answer: it is asked again. */
const apiTimeoutMs = 5_000;

/** Takes over what an earlier run left, then watches; both before the first call is served. */
export async function startWatch(
  { config, host, holds, kernel, exec, locks, log }: WatchedNode,
  stack: AsyncDisposableStack,
): Promise<void> {
  const watchHost: WatchHost = {
    ...host,
    get holds() {
      return holds.holds;
    },
    connections: new LinuxConnections(kernel, clock),
    survey:
      host.holds === undefined ? undefined : new LinuxHoldSurvey(new Dmsetup(exec), kernel.sysfs),
    attachments: attachmentCheck(config, stack),
  };
  const ctx = { signal: new AbortController().signal, log };
  const { kubeletDirectory } = config.node;
  await sayWhetherItLasts(config.node.stateDirectory, host, ctx);
  const kubelet = new FileKubeletVolumes(kubeletDirectory, config.driverName);
  await inherit({ ...watchHost, kubelet, traces: new LinuxConnectionTraces(kernel.sysfs) }, ctx);
  await adopt(watchHost, ctx);
  const watch = stack.use(new Watch({ host: watchHost, locks, log }));
  watch.start();
  if (!holds.isKnown) adoptLater(holds, watchHost, { locks, log }, stack);
}

/** What needs dmsetup of what an earlier run left waits for its answer. */
function adoptLater(
  holds: HostHolds,
  host: WatchHost,
  { locks, log }: Pick<WatchedNode, "locks" | "log">,
  stack: AsyncDisposableStack,
): void {
  const end = new AbortController();
  const ctx = { signal: end.signal, log };
  const adopted = holds
    .settle(ctx)
    .then(() => adoptLate(host, locks, ctx))
    .catch((error: unknown) => {
      if (!end.signal.aborted) log.error({ error: String(error) }, "Cannot wait for dmsetup");
    });
  stack.defer(async () => {
    end.abort();
    await adopted;
  });
}

async function sayWhetherItLasts(
  stateDirectory: string,
  { mounts }: NodeHost,
  ctx: Context,
): Promise<void> {
  const all = await mounts.list(ctx).catch(() => []);
  const fsType = passingFsType(stateDirectory, all);
  if (fsType !== undefined)
    ctx.log.warn(
      { stateDirectory, fsType },
      "What this node must remember of its volumes is lost with the container or the machine",
    );
}

function attachmentCheck(
  { kubernetes, driverName, nodeId }: NodeConfig,
  stack: AsyncDisposableStack,
): AttachmentCheck {
  if (kubernetes === undefined) return new UnaskedAttachments();
  const options = { ...kubernetes, serviceAccount: serviceAccountFolder, timeoutMs: apiTimeoutMs };
  const api = stack.use(new ApiClient(options));
  return new VolumeAttachments({ api, driverName, nodeName: nodeId });
}
