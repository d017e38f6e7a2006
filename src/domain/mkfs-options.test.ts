import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FsType, fsTypes } from "./access-mode.ts";
import { isFailure } from "./errors.ts";
import { mkfsOptions } from "./mkfs-options.ts";

const accepted: readonly (readonly [FsType, string])[] = [
  ["ext4", "-b 4096 -e remount-ro -E nodiscard,lazy_itable_init=0,stride=16,stripe_width=32"],
  ["ext4", "-i 16384 -I 512 -J size=16 -L data -m 0.5 -N 10000 -T largefile4"],
  ["ext4", "-O ^resize_inode,64bit,casefold -E encoding=utf8-12.1,root_owner=1000:1000"],
  ["ext3", "-b 4096 -O ^metadata_csum"],
  ["xfs", "-b size=4096 -d agcount=4,su=64k,sw=2 -i size=512,maxpct=25 -K -l size=64m"],
  ["xfs", "-d noalign -L data -m crc=1,reflink=1,bigtime=1 -n size=8k,ftype=1 -s size=4096"],
  ["btrfs", "-d single -m dup -n 16k -K -L data -O free-space-tree,^extref --csum xxhash"],
];

test("mkfsOptions() takes apart the options of each file system", () => {
  for (const [fsType, text] of accepted)
    assert.deepEqual(mkfsOptions(text, fsType), text.split(" "), text);
});

test("mkfsOptions() makes no arguments of an empty text, whatever its blanks", () => {
  assert.deepEqual(mkfsOptions(" \t ", "ext4"), []);
  assert.deepEqual(mkfsOptions("  -m   1\n", "ext4"), ["-m", "1"]);
});

test("mkfsOptions() refuses what forces, names files or devices, or copies an identity", () => {
  const wrong: readonly (readonly [FsType, string])[] = [
    ["ext4", "-F"],
    ["ext4", "-J device=/dev/sda"],
    ["ext4", "-J size=16,device=/dev/sda"],
    ["ext4", "-O journal_dev"],
    ["ext4", "-U 00000000-0000-0000-0000-000000000000"],
    ["ext4", "-d /etc"],
    ["ext4", "-l /etc/passwd"],
    ["ext4", "-z /tmp/undo"],
    ["ext4", "-E offset=1024"],
    ["ext4", "-e panic"],
    ["ext4", "-S"],
    ["xfs", "-f"],
    ["xfs", "-d name=/dev/sda"],
    ["xfs", "-d file=1"],
    ["xfs", "-l logdev=/dev/sda"],
    ["xfs", "-c options=/etc/passwd"],
    ["xfs", "-p /etc/passwd"],
    ["xfs", "-m uuid=00000000-0000-0000-0000-000000000000"],
    ["btrfs", "-f"],
    ["btrfs", "--rootdir /etc"],
    ["btrfs", "-d raid0"],
  ];
  for (const [fsType, text] of wrong)
    assert.throws(() => mkfsOptions(text, fsType), { kind: "invalid-argument" }, text);
});

test("mkfsOptions() refuses devices, forms and values that it does not know", () => {
  const wrong = ["/dev/sda", "-m", "-m 51", "-m -1", "-b4096", "-b 4096;id", "--", "-m 1 /dev/sda"];
  const lists = ["-E stride=", "-E stride", "-E nodiscard=1", "-E nodiscard,", "-E __proto__=1"];
  for (const text of [...wrong, ...lists, "toString", "__proto__"])
    assert.throws(() => mkfsOptions(text, "ext4"), { kind: "invalid-argument" }, text);
});

test("mkfsOptions() names the option and what would be allowed", () => {
  assert.throws(() => mkfsOptions("-m 1 -F", "ext4"), {
    message:
      'Cannot use mkfsOptions "-F": mkfs.ext4 takes -b -e -E -g -G -i -I -J -L -m -N -O -T here',
  });
  assert.throws(() => mkfsOptions("-J device=/dev/sda", "ext4"), {
    message: 'Cannot use mkfsOptions "-J device=/dev/sda": the value is a list of size',
  });
});

test("mkfsOptions() never passes a path, a force flag or a shell character, whatever it is given", () => {
  const known = accepted.flatMap(([, text]) => text.split(" "));
  const hostile = ["-F", "-f", "-ff", "-U", "/dev/sda", "--", "a=/b", "$(id)", "-J", "device=x"];
  const word = fc.oneof(fc.constantFrom(...known, ...hostile), fc.string());
  fc.assert(
    fc.property(fc.constantFrom(...fsTypes), fc.array(word), (fsType, given) => {
      let words: string[] = [];
      try {
        words = mkfsOptions(given.join(" "), fsType);
      } catch (error) {
        assert.ok(isFailure(error, "invalid-argument"), String(error));
      }
      for (const argument of words) assert.match(argument, /^(?!-[FfUc]$)[\w.,:=^-]+$/);
    }),
    { numRuns: 500 },
  );
});
