import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { memoryBackEnd } from "./memory-back-end.ts";
import { StateFile } from "./state-file.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { testAppliance } from "./testing/test-appliance.ts";

test("a restored appliance counts shared space as the saved one did", async () => {
  await using directory = await temporaryDirectory();
  const options = { backEnd: memoryBackEnd(), stateFile: new StateFile(directory.path) };
  const before = await testAppliance(options);
  await before.print("/disk/btrfs/subvolume/add fs=pool-fs name=vol");
  await before.print("/disk/add type=file slot=a file-path=/pool/vol/disk.img file-size=4G");
  await before.print("/disk/btrfs/subvolume/add fs=pool-fs name=snap parent=vol read-only=yes");
  await before.print("/disk/set a file-size=5G");
  before.appliance.occupy("pool", 2 ** 30);
  await before.print("/system/identity/set name=kept");
  await before.print("/disk/settings/set auto-smb-sharing=yes");
  await before.appliance.save();

  const after = await testAppliance(options);
  assert.equal(await after.print(":put [/system/identity/get name]"), "kept");
  assert.equal(await after.print(":put [/disk/settings/get auto-smb-sharing]"), "true");
  for (const menu of ["/disk", "/file", "/disk/btrfs/subvolume"])
    assert.deepEqual(await after.rows(menu), await before.rows(menu), menu);
  for (const { print } of [before, after]) {
    await print("/disk/remove a");
    await print("/disk/btrfs/subvolume/remove vol");
  }
  const free = async ({ rows }: typeof after) => (await rows("/disk", "slot=pool"))[0]?.["free"];
  assert.equal(await free(after), 2 ** 40 - 2 ** 30 - 4 * 2 ** 30);
  assert.equal(await free(after), await free(before));
});

test("new pools are added to a restored appliance, known ones stay as they are", async () => {
  await using directory = await temporaryDirectory();
  const stateFile = new StateFile(directory.path);
  const first = await testAppliance({ stateFile });
  await first.appliance.save();
  const pools = [
    { mountPoint: "pool", size: 2 ** 50 },
    { mountPoint: "second", size: 2 ** 41, type: "xfs" as const },
  ];
  const { rows } = await testAppliance({ stateFile, pools });
  const mounted = (await rows("/disk", "mounted")).map((row) => [row["mount-point"], row["size"]]);
  assert.deepEqual(mounted, [
    ["pool", 2 ** 40],
    ["second", 2 ** 41],
  ]);
});

test("a state that cannot be read is refused, not replaced", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "appliance.json");
  const stateFile = new StateFile(directory.path);
  await writeFile(path, '{"format":1,');
  await assert.rejects(
    testAppliance({ stateFile }),
    /^Error: Cannot read simulator state .* not JSON$/,
  );
  await writeFile(path, '{"format":9}');
  await assert.rejects(testAppliance({ stateFile }), /unknown format$/);
});
