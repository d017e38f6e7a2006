import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { Sysfs } from "#linux/sysfs.ts";
import { KernelTarget } from "#sim/nvmet/kernel-target.ts";
import { driverCommand } from "../rig/programs.ts";
import { sh } from "../rig/world.ts";

const configfs = "/sys/kernel/config/nvmet";
const udev = "/run/udev";

/** What the demo said. @param endAt - words upon which somebody presses Ctrl-C. */
async function demo(endAt?: string) {
  const [node = "", ...program] = driverCommand;
  const child = spawn(node, [...program, "demo"], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let isAsked = endAt === undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (isAsked || !text.includes(endAt ?? "")) return;
      isAsked = true;
      child.kill("SIGINT");
    });
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, text };
}

/** What the first hold in the step of that title lies on: `nvme0n1 (259:0, 1 GiB)`. */
function deviceIn(text: string, title: string): string | undefined {
  const step = text.split(/^ *\d+\. /m).find((part) => part.includes(title)) ?? "";
  return / lies on (nvme\S+ \([^)]+\)), identity /.exec(step)?.[1];
}

function assertNothingLeft(): void {
  const sysfs = new Sysfs("/sys");
  for (const kind of ["subsystems", "ports"])
    assert.deepEqual(readdirSync(`${configfs}/${kind}`), []);
  for (const kind of ["nvme", "nvme-subsystem"]) assert.deepEqual(sysfs.list("class", kind), []);
  assert.equal(sh("dmsetup ls"), "No devices found\n");
  assert.equal(sh("losetup --list --noheadings"), "");
  assert.equal(sh("grep rds-csi /proc/self/mountinfo || true"), "");
  assert.deepEqual(
    readdirSync("/tmp").filter((name) => name.startsWith("rds-csi-demo-")),
    [],
  );
  assert.equal(sh(`find ${udev} -name '*rds-csi*'`), "");
}

test("the demo shows a connection lost and found again under a writing pod, and leaves nothing", async () => {
  mkdirSync(udev, { recursive: true });
  const { code, text } = await demo();
  assert.equal(code, 0, text);
  const before = deviceIn(text, "switch the appliance off");
  const after = deviceIn(text, "Switch it on again");
  assert.ok(before !== undefined && after !== undefined && before !== after, text);
  assert.match(text, /nvme\d+ is "connecting"\n +the pod waits after \d+ records, and has met no/);
  assert.match(text, /the pod went on .* after the appliance was back: .* no error, no restart/);
  assert.match(text, /NodeGetVolumeStats -> "The .*nqn\S+ .*: reads and writes wait/);
  assert.match(text, /all \d+ records are there, in order/);
  assert.doesNotMatch(text, /Cannot show/);
  process.stdout.write(`${text}\n`);
  assertNothingLeft();
});

test("the demo that is ended during the outage brings the appliance back, and leaves nothing", async () => {
  const { code, text } = await demo("powered off");
  assert.equal(code, 1, text);
  assert.match(text, /Ended early; nothing is left mounted or running\n$/);
  assert.doesNotMatch(text, /the pod went on/);
  assertNothingLeft();
});

test("the demo keeps away from a target that exports for others, and says so", async () => {
  const target = new KernelTarget(configfs, 7);
  target.listen("127.0.0.1", 4499);
  // The target wants direct I/O, which a tmpfs has only from Linux 6.6 on.
  sh("truncate -s 16M /run/other.img");
  const image = sh("losetup --find --show /run/other.img").trim();
  target.export({ nqn: "nqn.2026-11.org.example:other", image });
  try {
    const { code, text } = await demo("Stage it on node-a");
    assert.equal(code, 1, text);
    assert.match(
      text,
      /^Cannot show the return of a lost connection: the kernel's NVMe target is in use: subsystems "nqn.2026-11.org.example:other"\. Loop devices stand in/m,
    );
    assert.deepEqual(target.exports(), ["nqn.2026-11.org.example:other"]);
  } finally {
    target.close();
    sh(`losetup --detach ${image}`);
    rmSync("/run/other.img");
  }
  assertNothingLeft();
});
