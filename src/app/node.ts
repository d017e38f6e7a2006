import { join } from "node:path";
import type { NodeConfig } from "#config/roles.ts";
import { Readiness } from "#csi/identity/readiness.ts";
import { identityHandlers } from "#csi/identity/service.ts";
import { nodeHandlers } from "#csi/node/service.ts";
import { CsiServer } from "#csi/server.ts";
import { systemClock as clock } from "#lib/clock.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { Log } from "#lib/log.ts";
import { LinuxBlockDevices } from "#linux/block-devices.ts";
import { deviceNumberOf } from "#linux/device-node.ts";
import { LinuxDirectReads } from "#linux/direct-read.ts";
import { createExec } from "#linux/exec.ts";
import { LinuxFilesystems } from "#linux/filesystems/linux-filesystems.ts";
import { LinuxHostPaths } from "#linux/host-paths.ts";
import { LinuxMounts } from "#linux/mounts.ts";
import { FileStageRecords } from "#linux/stage-records.ts";
import { Sysfs } from "#linux/sysfs.ts";
import type { NodeHost } from "#node/host.ts";
import { LastingTools } from "#node/lasting-tools.ts";
import { VolumeHealth } from "#node/volume-health.ts";
import { RememberedRecords } from "#node/watch/remembered-records.ts";
import { HostHolds } from "./holds.ts";
import { openInitiator } from "./initiator.ts";
import { startWatch } from "./node-watch.ts";
import { probeLimits } from "./probe-limits.ts";

export const runUdev = "/run/udev";

/**
 * The node plugin, serving when this resolves. It needs neither the appliance nor Kubernetes for that.
 * Disposing it drains the calls; volumes stay attached and mounted.
 */
export async function startNode(
  config: NodeConfig,
  version: string,
  log: Log,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { driverName, endpoint, nodeId, node } = config;
  const { host, holds, kernel, exec, ready: check } = await openHost(config, log);
  stack.use(host.tools);
  const { ready } = new Readiness({ check, clock, ...probeLimits });
  const locks = new KeyedMutex();
  if (holds !== undefined)
    await startWatch({ config, host, holds, kernel, exec, locks, log }, stack);
  const server = stack.use(
    new CsiServer({
      endpoint,
      log,
      drainMilliseconds: config.shutdownTimeout,
      services: {
        identity: identityHandlers({ driverName, version, ready }),
        node: nodeHandlers({
          host,
          locks,
          info: { nodeId, maxVolumesPerNode: node.maxVolumes },
        }),
      },
    }),
  );
  await server.listen();
  return stack.move();
}

async function openHost(config: NodeConfig, log: Log) {
  const { stateDirectory, deviceTimeout, initiator: chosen } = config.node;
  const exec = createExec();
  const sysfs = new Sysfs("/sys");
  const devices = new LinuxBlockDevices(exec, sysfs);
  const kernel = { sysfs, dev: "/dev", deviceNumberOf };
  const { initiator, ready } = await openInitiator(config, { exec, log, host: kernel });
  const ctx = { signal: new AbortController().signal, log };
  const holds =
    chosen.type === "linux-nvme" ? new HostHolds({ exec, kernel, runUdev, clock }) : undefined;
  await holds?.ask(ctx);
  const host: NodeHost = {
    initiator,
    devices,
    filesystems: new LinuxFilesystems({ exec, devices, sysfs }),
    reads: new LinuxDirectReads(exec),
    mounts: new LinuxMounts(exec),
    paths: new LinuxHostPaths(exec),
    records: new RememberedRecords(new FileStageRecords(join(stateDirectory, "volumes"))),
    get holds() {
      return holds?.holds;
    },
    tools: new LastingTools(clock),
    health: new VolumeHealth(),
    clock,
    deviceWaitMilliseconds: deviceTimeout,
  };
  return { host, holds, kernel, exec, ready };
}
