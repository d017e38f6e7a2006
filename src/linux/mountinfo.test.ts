import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { type MountInfo, parseMountInfo } from "./mountinfo.ts";

const fixtures = join(import.meta.dirname, "../../test/fixtures/mountinfo");
const captured = parseMountInfo(readFileSync(join(fixtures, "linux-6.18.txt"), "utf8"));

function at(target: string): MountInfo {
  return captured.find((mount) => mount.target === target) ?? assert.fail(`nothing at ${target}`);
}

test("parseMountInfo() reads every field of the manual's own example", () => {
  const line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n";
  assert.deepEqual(parseMountInfo(line), [
    {
      id: 36,
      parentId: 35,
      majorMinor: "98:0",
      root: "/mnt1",
      target: "/mnt2",
      options: ["rw", "noatime"],
      propagation: ["master:1"],
      fsType: "ext3",
      source: "/dev/root",
      superOptions: ["rw", "errors=continue"],
    },
  ]);
});

test("parseMountInfo() reads a captured table to its last line", () => {
  assert.equal(captured.length, 14);
  assert.equal(at("/").source, "/dev/vda");
});

test("parseMountInfo() undoes the kernel's escapes in targets and sources", () => {
  assert.equal(at("/tmp/E/a b\\c#d").fsType, "tmpfs");
  assert.equal(at("/tmp/E/t\tab").source, "so ur#ce");
});

test("parseMountInfo() reads an empty source", () => {
  assert.equal(at("/tmp/E/a b\\c#d").source, "");
});

test("parseMountInfo() tells the root of a bind mount, of a device node and of a deleted folder", () => {
  assert.equal(at("/tmp/E/m2").root, "/tmp/E/x");
  assert.deepEqual(
    [at("/tmp/E/raw/dev").root, at("/tmp/E/raw/dev").fsType],
    ["/loop0", "devtmpfs"],
  );
  assert.equal(at("/tmp/E/gm").root, "/tmp/E/gone//deleted");
});

test("parseMountInfo() tells how mounts propagate", () => {
  const targets = ["/tmp/E/s", "/tmp/E/m2", "/tmp/E/gm", "/"];
  assert.deepEqual(
    targets.map((target) => at(target).propagation),
    [["shared:1"], ["master:1"], ["unbindable"], []],
  );
});

test("parseMountInfo() keeps the anonymous number and the source of btrfs", () => {
  const { majorMinor, source } = at("/tmp/E/m");
  assert.deepEqual([majorMinor, source], ["0:41", "/dev/loop0"]);
});

test("parseMountInfo() names the first line that is not a mount", () => {
  const good = "36 35 98:0 / /mnt rw - ext3 /dev/root rw";
  for (const bad of [
    "36 35 98:0 / /mnt rw ext3 /dev/root rw",
    "x 35 98:0 / /mnt rw - ext3 /dev/root rw",
    "36 35 98 / /mnt rw - ext3 /dev/root rw",
    "36 35 98:0 / /mnt rw - ext3 /dev/root",
    "36 35 98:0 / /mnt rw - ext3 /dev/root rw more",
    " ",
  ])
    assert.throws(
      () => parseMountInfo(`${good}\n${bad}\n${good}\n`),
      new SyntaxError(`Cannot read mountinfo line 2: "${bad}"`),
    );
});

test("parseMountInfo() of nothing is no mount", () => {
  assert.deepEqual(parseMountInfo(""), []);
});

const octal = (text: string, escaped: RegExp) =>
  text.replace(escaped, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);

/** As fs/proc_namespace.c prints a mount. */
function print(mount: MountInfo): string {
  const path = (text: string) => octal(text, /[ \t\n\\]/g);
  const name = (text: string) => octal(text, /[ \t\n\\#]/g);
  const optional = mount.propagation.map((field) => ` ${field}`).join("");
  const { id, parentId, majorMinor, options, superOptions } = mount;
  return `${id} ${parentId} ${majorMinor} ${path(mount.root)} ${path(mount.target)} ${options.join(",")}${optional} - ${name(mount.fsType)} ${name(mount.source)} ${superOptions.join(",")}\n`;
}

const letters = fc.string({ unit: fc.constantFrom(..."ab/ \t\n\\#,-:0é") });
const words = fc.array(fc.stringMatching(/^[a-z]{1,5}(=[a-z0-9/]{1,4})?$/), {
  minLength: 1,
  maxLength: 4,
});
const mounts: fc.Arbitrary<MountInfo> = fc.record(
  {
    id: fc.nat(),
    parentId: fc.nat(),
    majorMinor: fc.tuple(fc.nat(4095), fc.nat(1048575)).map((pair) => pair.join(":")),
    root: letters.map((text) => `/${text}`),
    target: letters.map((text) => `/${text}`),
    options: words,
    propagation: fc.array(
      fc.constantFrom("shared:1", "master:22", "propagate_from:3", "unbindable"),
    ),
    fsType: fc.constantFrom("ext4", "xfs", "fuse.sshfs"),
    source: letters,
    superOptions: words,
  },
  { noNullPrototype: true },
);

test("parseMountInfo() reads back whatever the kernel prints", () => {
  fc.assert(
    fc.property(fc.array(mounts, { maxLength: 5 }), (table) => {
      assert.deepEqual(parseMountInfo(table.map(print).join("")), table);
    }),
  );
});

test("parseMountInfo() either reads a text or refuses it with its line", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0 1:/-ab\\,\n") });
  fc.assert(
    fc.property(text, (input) => {
      try {
        parseMountInfo(input);
      } catch (error) {
        assert.match(String(error), /^SyntaxError: Cannot read mountinfo line \d+: "/);
      }
    }),
  );
});

test("parseMountInfo() reads the table of this very process", () => {
  const table = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
  assert.ok(table.some(({ target }) => target === "/"));
});
