import assert from "node:assert/strict";
import { test } from "node:test";
import { switchTable } from "./switch-table.ts";
import { allowed, parseSwitch, Switches, switchNames } from "./switches.ts";

test("each switch allows its default and has a sentence of help", () => {
  for (const name of switchNames()) {
    const definition = switchTable[name];
    assert.deepEqual(parseSwitch(`${name}=${definition.default}`), { [name]: definition.default });
    assert.match(definition.help, /^[A-Z/:n].*\.$/, name);
  }
});

test("set() takes what the switch allows and refuses the rest", () => {
  const switches = new Switches({ "exit-status": "absent" });
  assert.equal(switches.get("exit-status"), "absent");
  switches.set("max-sessions", 5);
  assert.equal(switches.get("max-sessions"), 5);
  assert.throws(() => switches.set("max-sessions", 0), {
    message: 'Cannot set switch "max-sessions" to "0": allowed is 1 to 1000',
  });
  switches.reset();
  assert.equal(switches.get("exit-status"), "1");
});

test("parseSwitch() names the switch and what it allows", () => {
  assert.deepEqual(parseSwitch("latency=200"), { latency: 200 });
  assert.throws(() => parseSwitch("speed=1"), {
    message: 'Cannot set switch "speed": no such switch',
  });
  assert.throws(() => parseSwitch("exit-status=2"), {
    message: 'Cannot set switch "exit-status" to "2": allowed is 1, 0, absent',
  });
  assert.throws(() => parseSwitch("latency=-1"), /allowed is 0 to 600000/);
  assert.equal(allowed(switchTable.allocation), "full, sparse, host");
});
