import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromBytes } from "./bytes.ts";
import { Console, type ConsoleOptions } from "./console.ts";
import { ConsoleError } from "./console-error.ts";
import { ToyTree } from "./testing/toy-tree.ts";

const never = new AbortController().signal;
const claimed = "rds-csi=1 rev=3 nodes=a";

function poolAndVolume(): ToyTree {
  return new ToyTree({
    disks: [
      {
        type: "raid",
        slot: "pool",
        "mount-point": "pool",
        mounted: true,
        size: 16_003_143_565_312,
      },
      {
        type: "file",
        slot: "pvc-x",
        comment: claimed,
        "nvme-tcp-export": false,
        size: 1_073_741_824,
      },
    ],
  });
}

function run(line: string, tree = poolAndVolume(), options: Partial<ConsoleOptions> = {}) {
  return new Console(tree, { width: 80, ...options }).execute(line, never);
}

test("execute() refuses a whole line for an error in its last part", async () => {
  const tree = poolAndVolume();
  const execution = await run("/disk/remove pool; :if (true) do={ /disk/set pvc-x bogus=1 }", tree);
  assert.equal(execution.stage, "parse");
  assert.equal(tree.disks.rows().length, 2);
});

const compareAndSet = `:onerror e in={ /disk/set [find slot="pvc-x" comment="${claimed}"] comment="rds-csi=1 rev=4" nvme-tcp-export=yes; :put [:serialize to=json options=json.no-string-conversion [/disk/print detail as-value proplist=.id,slot,type,comment,nvme-tcp-export where slot="pvc-x" or mount-point="pool"]]; :put "3f2a:ok" } do={ :put ("3f2a:err:" . $e) }`;

test("execute() changes a volume whose revision matches, and not a second time", async () => {
  const tree = poolAndVolume();
  const { output } = await run(compareAndSet, tree);
  assert.equal(
    output,
    '[{".id":"*1","slot":"pool","type":"raid"},' +
      '{".id":"*2","comment":"rds-csi=1 rev=4","nvme-tcp-export":true,"slot":"pvc-x","type":"file"}]\r\n' +
      "3f2a:ok\r\n",
  );
  await run(compareAndSet, tree);
  assert.deepEqual(
    tree.disks.calls.map(({ call }) => call.ids),
    [["*2"], []],
  );
});

test("execute() reports through :onerror what went wrong, with the output before it", async () => {
  const line = ':onerror e in={ :put 1; /disk/add slot=pool } do={ :put ("n:err:" . $e) }';
  assert.equal((await run(line)).output, "1\r\nn:err:failure: already have such entry\r\n");
});

test("execute() adds only what a condition finds missing", async () => {
  const tree = poolAndVolume();
  const line =
    ':if ([:len [/disk/btrfs/subvolume/find where fs="pool-fs" fullname="csi/c1"]] = 0) do={ /disk/btrfs/subvolume/add fs="pool-fs" fullname="csi/c1" }';
  await run(line, tree);
  await run(line, tree);
  assert.equal((await run("/disk/btrfs/subvolume/print count-only", tree)).output, "1\r\n");
});

test("execute() removes what a variable holds", async () => {
  const tree = poolAndVolume();
  const line = ':local id [/disk/find slot="pvc-x"]; :if ([:len $id] > 0) do={ /disk/remove $id }';
  assert.equal((await run(line, tree)).failed, false);
  assert.equal((await run(line, tree)).failed, false);
  assert.deepEqual(
    tree.disks.rows().map(({ id }) => id),
    ["*1"],
  );
});

test("execute() hands bare words to a menu as they were written", async () => {
  const tree = poolAndVolume();
  await run(
    '/disk/set 0,pvc-x file-size=50G slot=007 parent=*2B comment="5" swap=yes use=(1+1)',
    tree,
  );
  const [{ call } = assert.fail()] = tree.disks.calls;
  assert.deepEqual(call.ids, ["*1", "*2"]);
  assert.deepEqual(Object.fromEntries(call.arguments), {
    "file-size": "50G",
    slot: "007",
    parent: "*2B",
    comment: "5",
    swap: "yes",
    use: 2,
  });
});

test("execute() asks for the policy of each command it reaches", async () => {
  const tree = poolAndVolume();
  tree.denied.add("/disk/remove");
  const execution = await run(":put 1; /disk/remove pool", tree);
  assert.equal(execution.errorText, "not enough permissions (9)");
  assert.equal(execution.output, "1\r\n");
});

test("execute() reads any bytes escaped as \\HH as those bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (raw) => {
      const bytes = Buffer.from(raw);
      const hex = bytes.toString("hex").toUpperCase();
      const tree = new ToyTree();
      const session = new Console(tree, { width: 80 });
      await session.execute(`/disk/add comment="${hex.replaceAll(/../g, "\\$&")}"`, never);
      assert.equal(tree.disks.rows()[0]?.values.get("comment"), fromBytes(bytes));
    }),
  );
});

test("execute() cannot be injected into by a quoted value", async () => {
  const tree = poolAndVolume();
  await run('/disk/add slot="x\\22\\3B/disk/remove pool\\3B\\24\\5B:put 1\\5D"', tree);
  assert.equal(tree.disks.rows().length, 3);
});

test("execute() stops between commands when the session goes away, past any :onerror", async () => {
  const tree = poolAndVolume();
  const session = new AbortController();
  const onCommand = ({ name }: { readonly name: string }) => {
    if (name === "remove") session.abort();
  };
  const execution = await new Console(tree, { width: 80, onCommand }).execute(
    ":onerror e in={ /disk/remove pool; /disk/remove pvc-x } do={ /disk/add slot=caught }",
    session.signal,
  );
  assert.equal(execution.errorText, "interrupted");
  assert.deepEqual(
    tree.disks.calls.map(({ name }) => name),
    ["remove"],
  );
});

test("execute() interrupts an endless loop and a delay", { timeout: 5_000 }, async () => {
  for (const line of [":while (true) do={}", ":do {} while=(true)", ":delay 1d"]) {
    const execution = await new Console(new ToyTree(), { width: 80 }).execute(
      line,
      AbortSignal.timeout(20),
    );
    assert.equal(execution.errorText, "interrupted");
  }
});

test("execute() fails a command by what onCommand throws", async () => {
  const onCommand = () => {
    throw new ConsoleError("run-time", "timeout");
  };
  const line = ":onerror e in={ /disk/remove pool } do={ :put $e }";
  assert.equal((await run(line, poolAndVolume(), { onCommand })).output, "timeout\r\n");
});

test("execute() lets a bug in a menu surface", async () => {
  const onCommand = () => {
    throw new TypeError("bug");
  };
  await assert.rejects(
    run(":onerror e in={ /disk/remove pool } do={}", poolAndVolume(), { onCommand }),
    {
      name: "TypeError",
    },
  );
});

test("execute() keeps globals for the session and drops locals with the line", async () => {
  const session = new Console(new ToyTree(), { width: 80 });
  await session.execute(":global g 1; :local l 2", never);
  assert.equal((await session.execute(':global g; :put "$g$l"', never)).output, "1\r\n");
});

test("execute() prints and searches 10,000 disks within its time", async () => {
  const disks = Array.from({ length: 10_000 }, (_, number) => ({
    ...{ type: "file", slot: `pvc-${number}`, size: 1_073_741_824, "nvme-tcp-export": true },
    ...{ "file-path": `/pool/csi/pvc-${number}.img`, comment: claimed, fs: "-", swap: false },
  }));
  const session = new Console(new ToyTree({ disks }), { width: 80 });
  const timed = async (line: string) => {
    const start = performance.now();
    const { output } = await session.execute(line, never);
    return { output, milliseconds: performance.now() - start };
  };
  const found = await timed(':put [/disk/find slot="pvc-9999"]');
  assert.equal(found.output, "*2710\r\n");
  assert(found.milliseconds < 200, `find took ${found.milliseconds} ms`);
  const json = await timed(":put [:serialize to=json [/disk/print detail as-value]]");
  assert.equal(JSON.parse(json.output).length, 10_000);
  assert(json.milliseconds < 3_000, `print took ${json.milliseconds} ms`);
});
