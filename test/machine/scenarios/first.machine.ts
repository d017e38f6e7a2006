import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import test from "node:test";

test("the machine has an NVMe/TCP initiator and target", () => {
  assert.ok(
    existsSync("/sys/module/nvme_tcp") && existsSync("/sys/kernel/config/nvmet/subsystems"),
  );
  assert.ok(existsSync("/dev/vda"), String(readdirSync("/dev")));
});
