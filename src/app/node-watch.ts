import type { NodeConfig } from "#config/roles.ts";
import type { AttachmentCheck } from "#domain/ports/attachment-check.ts";
import { ApiClient, serviceAccountFolder } from "#kubernetes/api-client.ts";
import { VolumeAttachments } from "#kubernetes/volume-attachments.ts";
import { systemClock as clock } from "#lib/clock.ts";
import type { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { Log } from "#lib/log.ts";
import { LinuxHoldSurvey } from "#linux/device-mapper/hold-survey.ts";
import { LinuxDirectReads } from "#linux/direct-read.ts";
import type { Host } from "#linux/disk-device.ts";
import type { Exec } from "#linux/exec.ts";
import { LinuxConnections } from "#linux/nvme/connections.ts";
import type { NodeHost } from "#node/host.ts";
import { adopt } from "#node/watch/adopt.ts";
import type { WatchHost } from "#node/watch/host.ts";
import { Watch } from "#node/watch/watch.ts";
import { UnaskedAttachments } from "./unasked-attachments.ts";

export interface WatchedNode {
  readonly config: NodeConfig;
  readonly host: NodeHost;
  readonly kernel: Host;
  readonly exec: Exec;
  readonly locks: KeyedMutex;
  readonly log: Log;
}

/** An incident can wait for the answer: it is asked again. */
const apiTimeoutMs = 5_000;

/** Takes over what an earlier run left, then watches; both before the first call is served. */
export async function startWatch(
  { config, host, kernel, exec, locks, log }: WatchedNode,
  stack: AsyncDisposableStack,
): Promise<void> {
  const watchHost: WatchHost = {
    ...host,
    connections: new LinuxConnections(kernel, clock),
    reads: new LinuxDirectReads(exec),
    survey: host.holds === undefined ? undefined : new LinuxHoldSurvey(exec, kernel.sysfs),
    attachments: attachmentCheck(config, stack),
  };
  await adopt(watchHost, { signal: new AbortController().signal, log });
  const watch = stack.use(new Watch({ host: watchHost, locks, log }));
  watch.start();
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
