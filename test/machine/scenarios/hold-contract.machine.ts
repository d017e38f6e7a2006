import test from "node:test";
import { holdsContract } from "#test/contract/holds.contract.ts";
import { World } from "../rig/world.ts";

holdsContract((title, check) =>
  test(`real device-mapper: ${title}`, async () => {
    using world = new World();
    const [first, second] = [world.volume("a", 64), world.volume("b", 64)];
    for (const volume of [first, second]) world.export(volume);
    const [device, other] = [await world.connect(first), await world.connect(second)];
    const holders = async (number: string) => world.sysfs.list("dev", "block", number, "holders");
    await check({ holds: world.holds, device, other, holders });
  }),
);
