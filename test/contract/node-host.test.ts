import test from "node:test";
import { MiB } from "#lib/bytes.ts";
import { NodeWorld } from "#test/fakes/node/node-world.ts";
import { RealHost } from "#test/rig/real-host.ts";
import { rootTest } from "#test/rig/root.ts";
import { nodeHostContract } from "./node-host.contract.ts";

nodeHostContract((title, check) =>
  test(`fake Linux: ${title}`, async () => {
    const world = new NodeWorld();
    const { nqn } = world.attach("pvc-real", 64 * MiB);
    await check({ host: world.host, nqn, folder: "/folder" });
  }),
);

const needs = { tools: ["mkfs.ext4", "losetup"], filesystems: ["ext4"] };

nodeHostContract((title, check) =>
  rootTest(`real Linux: ${title}`, needs, async () => {
    using machine = new RealHost(64 * MiB);
    await check(machine);
  }),
);
