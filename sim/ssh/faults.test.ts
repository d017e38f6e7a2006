import assert from "node:assert/strict";
import { test } from "node:test";
import { Faults } from "./faults.ts";

test("take() gives the first fault that matches, as many times as it was added for", () => {
  const faults = new Faults();
  const twice = faults.add({ match: /add/g, at: "after", action: "cut", times: 2 });
  faults.add({ match: /./, at: "after", action: "hang" });
  const actions = ["/disk/add", "/disk/add", "/disk/add", "/disk/add"].map(
    (line) => faults.take(line, "after")?.action,
  );
  assert.deepEqual(actions, ["cut", "cut", "hang", undefined]);
  assert.equal(twice.struck, 2);
});

test("take() looks at the moment, and at nothing that was removed or cleared", () => {
  const faults = new Faults();
  const armed = faults.add({ match: /x/, at: "before", action: "cut" });
  assert.equal(faults.take("x", "after"), undefined);
  armed.remove();
  assert.equal(faults.take("x", "before"), undefined);
  faults.add({ match: /x/, at: "before", action: "cut" });
  faults.clear();
  assert.equal(faults.take("x", "before"), undefined);
});
