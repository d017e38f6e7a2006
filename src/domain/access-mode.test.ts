import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccessMode, accessModeFromWord, accessModes } from "./access-mode.ts";

test("accessModeFromWord() finds each mode by its own word", () => {
  for (const mode of Object.keys(accessModes) as AccessMode[])
    assert.equal(accessModeFromWord(accessModes[mode].word), mode);
});

test("accessModeFromWord() knows no other word", () => {
  for (const word of ["", "rwo", "SNW", "toString"])
    assert.equal(accessModeFromWord(word), undefined);
});
