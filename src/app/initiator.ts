import { access } from "node:fs/promises";
import { join } from "node:path";
import type { NodeConfig } from "#config/roles.ts";
import { DriverError } from "#domain/errors.ts";
import type { Initiator } from "#domain/ports/initiator.ts";
import { systemClock as clock } from "#lib/clock.ts";
import type { Log } from "#lib/log.ts";
import type { Host } from "#linux/disk-device.ts";
import type { Exec } from "#linux/exec.ts";
import { LoopInitiator } from "#linux/loop/loop-initiator.ts";
import { LoopRecords } from "#linux/loop/loop-record.ts";
import { Losetup } from "#linux/loop/losetup.ts";
import { Fabrics } from "#linux/nvme/fabrics.ts";
import { knownHostNqn, loadHostIdentity } from "#linux/nvme/host-identity.ts";
import { hostIdConflict, hostOrigin, hostPlaces } from "#linux/nvme/host-origin.ts";
import { NvmeInitiator } from "#linux/nvme/nvme-initiator.ts";

/** How volumes reach this node, and whether they can. */
export interface NodeInitiator {
  readonly initiator: Initiator;
  /** @throws {DriverError} `unavailable` with the reason why no volume can be attached. */
  readonly ready: () => Promise<void>;
}

export interface InitiatorParts {
  readonly exec: Exec;
  readonly host: Host;
  readonly log: Log;
}

/** The initiator that the configuration chooses. */
export async function openInitiator(
  { node }: NodeConfig,
  parts: InitiatorParts,
): Promise<NodeInitiator> {
  const { exportsDirectory } = node.initiator;
  return exportsDirectory === undefined || node.initiator.type === "linux-nvme"
    ? nvmeInitiator(node.stateDirectory, parts)
    : loopInitiator(exportsDirectory, node.stateDirectory, parts);
}

async function nvmeInitiator(
  state: string,
  { exec, host, log }: InitiatorParts,
): Promise<NodeInitiator> {
  const folders = { etcNvme: "/etc/nvme", state };
  const identity = await loadHostIdentity(folders);
  const known = await knownHostNqn(folders);
  const origin = known && (await hostOrigin(known, hostPlaces));
  const facts = { ...identity, path: known?.path, origin };
  log.info(facts, "Connecting by NVMe over TCP");
  if (origin === "image")
    log.warn(facts, "The host NQN is older than this system: other nodes of its image may have it");
  const conflict = hostIdConflict(host.sysfs, identity);
  if (conflict !== undefined) log.warn({ conflict }, "Connections may be refused by the kernel");
  const fabrics = new Fabrics(exec, host);
  return {
    initiator: new NvmeInitiator({ fabrics, host, identity, clock }),
    ready: () => requirePath(fabrics.device, "the kernel module nvme-tcp is not loaded"),
  };
}

function loopInitiator(
  exportsFolder: string,
  state: string,
  { exec, host, log }: InitiatorParts,
): NodeInitiator {
  log.warn(
    { exportsFolder },
    "Attaching the simulator's images by loop devices: for demonstrations only",
  );
  const initiator = new LoopInitiator({
    losetup: new Losetup(exec),
    records: new LoopRecords(join(state, "loops")),
    bootIdFile: "/proc/sys/kernel/random/boot_id",
    exportsFolder,
    host,
    clock,
  });
  return {
    initiator,
    ready: () => requirePath(exportsFolder, "the simulator exports nothing there"),
  };
}

async function requirePath(path: string, meaning: string): Promise<void> {
  await access(path).catch((cause: unknown) => {
    throw new DriverError(
      "unavailable",
      `Cannot attach volumes: "${path}" is missing, ${meaning}`,
      { cause },
    );
  });
}
