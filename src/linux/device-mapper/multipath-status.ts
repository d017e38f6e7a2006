import type { PathState } from "#domain/ports/device-mapper.ts";
import { Words } from "./words.ts";

/**
 * The state of each path, in their order, from what `dmsetup status` prints of a multipath device. Source of the
 * form: Linux, drivers/md/dm-mpath.c.
 * @throws {SyntaxError} naming the word that is not as expected, also for a device without table.
 */
export function parseStatus(text: string): PathState[] {
  const words = new Words("multipath status", text);
  words.take("start", /^0$/);
  words.number("length");
  words.take("target", /^multipath$/);
  words.counted("features");
  words.counted("hardware handler states");
  const groups = words.number("number of groups");
  words.number("next group");
  const states: PathState[] = [];
  for (let group = 0; group < groups; group++) states.push(...readGroup(words));
  words.end();
  return states;
}

function readGroup(words: Words): PathState[] {
  words.take("group state", /^[ADE]$/);
  words.counted("path selector states");
  const paths = words.number("number of paths");
  const pathValues = words.number("number of path values");
  const states: PathState[] = [];
  for (let path = 0; path < paths; path++) {
    words.take("device", /^\d+:\d+$/);
    states.push(words.take("path state", /^[AF]$/) === "A" ? "active" : "failed");
    words.number("number of failures");
    words.many(pathValues, "path value");
  }
  return states;
}
