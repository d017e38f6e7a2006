import assert from "node:assert/strict";
import test from "node:test";
import { type FaultType, faultError, faultOf, isParseError } from "./faults.ts";

/** Texts from the RouterOS manual and from devices; those for a full file system are guesses. */
const texts: readonly (readonly [string, FaultType])[] = [
  ["no such item", "not-found"],
  ["no such item (4)", "not-found"],
  ['failure: no such directory "pool/csi"', "not-found"],
  ["BTRFS_IOC_SUBVOL_CREATE failed: No such file or directory", "not-found"],
  ["failure: already have such entry", "already-exists"],
  ["failure: disk with such name already exists", "already-exists"],
  ["BTRFS_IOC_SUBVOL_CREATE failed: File exists", "already-exists"],
  ["failure: not enough space", "no-space"],
  ["BTRFS_IOC_SNAP_CREATE_V2 failed: No space left on device", "no-space"],
  ["not enough permissions (9)", "denied"],
  ["std failure: not allowed (9)", "denied"],
  ["failure: not allowed by device-mode", "denied"],
  ["bad parameter bogus (line 1 column 29)", "unsupported"],
  ["expected end of command (line 1 column 19)", "unsupported"],
  ["syntax error (line 1 column 10)", "unsupported"],
  ["bad command name xyz (line 1 column 2)", "unsupported"],
  ["input does not match any value of fs", "rejected"],
  ["invalid value for argument file-size", "rejected"],
  ["could not unmount, stop using it first", "busy"],
  ['failure: disk "pvc-1" is in use', "busy"],
  ["action failed (6)", "other"],
  ["BTRFS_IOC_SNAP_DESTROY failed: Directory not empty", "other"],
];

for (const [text, type] of texts)
  test(`faultOf() takes "${text}" for ${type}`, () => {
    assert.deepEqual(faultOf(text), { type, text });
  });

test("faultError() keeps RouterOS' words and names what can be done", () => {
  const denied = faultError('create volume "a"', faultOf("not enough permissions (9)"));
  assert.equal(denied.kind, "permission-denied");
  assert.equal(
    denied.message,
    'Cannot create volume "a": RouterOS says "not enough permissions (9)"; the user\'s group needs the policies ssh, read, write and test',
  );
  assert.equal(faultError("x", faultOf("no space left")).kind, "resource-exhausted");
  assert.equal(faultError("x", faultOf("action failed (6)")).kind, "internal");
});

test("isParseError() believes only a text that is nothing else", () => {
  assert.ok(isParseError("\r\nsyntax error (line 1 column 10)\r\n\r\n"));
  assert.ok(!isParseError(""));
  assert.ok(!isParseError('[{"comment":"x (line 1 column 10)'));
  assert.ok(!isParseError("created\r\nsyntax error (line 1 column 10)"));
  assert.ok(!isParseError("x (line 1 column 10) and more"));
});
