import assert from "node:assert/strict";
import test from "node:test";
import { contentFrom, parseTags } from "./blkid.ts";

/** As blkid 2.38 printed it. */
const captured: readonly (readonly [string, string, object])[] = [
  [
    "ext4",
    "DEVNAME=/dev/loop0\nUUID=4fa4f2e0-709f-4ebb-97fb-fe31660f1911\nVERSION=1.0\nBLOCK_SIZE=1024\nTYPE=ext4\nUSAGE=filesystem\n",
    { kind: "filesystem", fsType: "ext4", uuid: "4fa4f2e0-709f-4ebb-97fb-fe31660f1911" },
  ],
  [
    "btrfs",
    "DEVNAME=b.img\nUUID=c81890e4-0890-4002-a9cb-20a03b3f03b5\nUUID_SUB=b335050a-adba-4cc8-8e50-4109d8cc635d\nBLOCK_SIZE=4096\nTYPE=btrfs\nUSAGE=filesystem\n",
    { kind: "filesystem", fsType: "btrfs", uuid: "c81890e4-0890-4002-a9cb-20a03b3f03b5" },
  ],
  [
    "swap",
    "DEVNAME=/dev/x\nUUID=1\nVERSION=1\nTYPE=swap\nUSAGE=other\n",
    { kind: "other", description: "swap" },
  ],
  [
    "an LVM physical volume",
    "DEVNAME=/dev/x\nUUID=1\nTYPE=LVM2_member\nUSAGE=raid\n",
    { kind: "other", description: "LVM2_member" },
  ],
  [
    "an encrypted device",
    "DEVNAME=/dev/x\nUUID=1\nVERSION=2\nTYPE=crypto_LUKS\nUSAGE=crypto\n",
    { kind: "other", description: "crypto_LUKS" },
  ],
  [
    "a partition table",
    "DEVNAME=/dev/x\nPTUUID=0c0a8d0e\nPTTYPE=gpt\n",
    { kind: "other", description: "partition table (gpt)" },
  ],
  [
    "a file system beside a partition table",
    "DEVNAME=/dev/x\nUUID=1\nTYPE=ext4\nUSAGE=filesystem\nPTTYPE=dos\n",
    { kind: "other", description: "ext4 and partition table (dos)" },
  ],
  [
    "no more than a name",
    "DEVNAME=/dev/x\n",
    { kind: "other", description: "an unknown signature" },
  ],
];

for (const [what, text, content] of captured)
  test(`contentFrom() tells ${what}`, () => {
    assert.deepEqual(contentFrom(parseTags(text)), content);
  });

test("parseTags() undoes blkid's backslashes and keeps an equals sign in a value", () => {
  const tags = parseTags("LABEL=a\\ b\\$c=d\nTYPE=xfs\nnoise\n");
  assert.deepEqual(
    [...tags],
    [
      ["LABEL", "a b$c=d"],
      ["TYPE", "xfs"],
    ],
  );
});
