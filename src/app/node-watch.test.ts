import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { NodeConfig } from "#config/roles.ts";
import type { Nqn } from "#domain/nqn.ts";
import { systemClock } from "#lib/clock.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import { Dmsetup } from "#linux/device-mapper/dmsetup.ts";
import { LinuxDeviceMapper } from "#linux/device-mapper/linux-device-mapper.ts";
import { DmKernel } from "#test/fakes/dm-kernel.ts";
import { NodeWorld } from "#test/fakes/node/node-world.ts";
import { HostHolds } from "./holds.ts";
import { startWatch } from "./node-watch.ts";

const silence = { reason: "did not end within 10 s", timedOut: true };
const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;

test("startWatch() takes over what an earlier run left once a dmsetup answers that was silent at the start", async () => {
  using kernel = new DmKernel();
  kernel.addDisk("253:0", 4096);
  kernel.addDisk("259:0", 2 ** 30);
  const { exec, dev, deviceNumberOf, tree } = kernel;
  const parts = { sysfs: tree.sysfs, dev, deviceNumberOf };
  const world = new NodeWorld();
  const { ctx, log } = world;
  const device = { nqn, path: "/dev/nvme0n1", majorMinor: "259:0" };
  await new LinuxDeviceMapper({ dmsetup: new Dmsetup(exec), ...parts }).create(
    { ...device, sizeBytes: 2 ** 30, blockBytes: 4096 },
    ctx,
  );
  for (const verb of ["info", "table", "remove"]) kernel.faults.push({ verb, failure: silence });
  const runUdev = join(tree.root, "udev");
  const holds = new HostHolds({ exec, kernel: parts, runUdev, clock: world.clock });
  await holds.ask(ctx);
  const host = { ...world.host, holds: holds.holds, clock: systemClock };
  const node = { stateDirectory: tree.root, kubeletDirectory: tree.root };
  const config = { node, driverName: "rds", nodeId: "node-a" } as unknown as NodeConfig;
  await using stack = new AsyncDisposableStack();
  const locks = new KeyedMutex();
  await startWatch({ config, host, holds, kernel: parts, exec, locks, log }, stack);
  assert.ok(world.warnings.includes("Left a hold alone that no record names"));
  for (let look = 0; look < 1_000 && kernel.names().length > 0; look++) await delay(10);
  assert.deepEqual(kernel.names(), []);
  assert.equal(holds.isKnown, true);
});
