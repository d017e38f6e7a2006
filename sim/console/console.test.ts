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

/** Scripts and what they print. */
const printed: readonly (readonly [string, string])[] = [
  [":put 5", "5\r\n"],
  [":put 007", "7\r\n"],
  [":put 0x10", "16\r\n"],
  [":put -0x10", "-16\r\n"],
  [":put yes", "true\r\n"],
  [":put (1,2,3)", "1;2;3\r\n"],
  [":put {a=1;2}", "0=2;a=1\r\n"],
  [':put ((1,2,3) . "a")', "1a;2a;3a\r\n"],
  [':put ("a" . (1,2,3))', "a1;a2;a3\r\n"],
  [":put (1 . 2)", "12\r\n"],
  [":put (7 / 2); :put (7 % 2); :put (2 + 3 * 4)", "3\r\n1\r\n14\r\n"],
  [":put (1d + 2h)", "1d02:00:00\r\n"],
  [":put (!(1 = 1) || 2 > 1 && true)", "true\r\n"],
  [':put ("raid10" ~ "^raid[0-9]+$")', "true\r\n"],
  [":put (2 in (1,2))", "true\r\n"],
  [':put ({a="x"}->"a")', "x\r\n"],
  [':put "a\\_b\\"c\\\\d\\$e\\t"', 'a b"c\\d$e\t\r\n'],
  [':put "x$nothing-y"', "x-y\r\n"],
  [':local who "you"; :put "hi $who, $[:len $who] $(1+1) 5$"', "hi you, 3 2 5$\r\n"],
  [":put [:typeof 1]; :put [:typeof $x]; :put [:typeof *2B]", "num\r\nnothing\r\nid\r\n"],
  [":put [:typeof yes]; :put [:typeof 1d]; :put [:typeof {1}]", "bool\r\ntime\r\narray\r\n"],
  [':put [:len "é"]; :put [:len (1,2)]', "2\r\n2\r\n"],
  [
    ':put [:pick "abcdef" 1 3]; :put [:pick "abc" 1]; :put [:pick (4,5,6) 1 3]',
    "bc\r\nb\r\n5;6\r\n",
  ],
  [
    ':put [:find "abc" "c"]; :put [:find (4,5) 5]; :put [:typeof [:find "a" "z"]]',
    "2\r\n1\r\nnothing\r\n",
  ],
  [
    ':put [:tonum "12"]; :put [:typeof [:tonum "x"]]; :put [:len [:toarray "a,b"]]',
    "12\r\nnothing\r\n2\r\n",
  ],
  [":put [:typeof [:tostr 5]]", "str\r\n"],
  [":local n 3; :while ($n > 0) do={ :put $n; :set n ($n - 1) }", "3\r\n2\r\n1\r\n"],
  [":for i from=1 to=5 step=2 do={ :put $i }", "1\r\n3\r\n5\r\n"],
  [":for i from=2 to=1 do={ :put $i }", "2\r\n1\r\n"],
  [':foreach k,v in={a=1;b=2} do={ :put "$k:$v" }', "a:1\r\nb:2\r\n"],
  [":if (1 = 2) do={ :put a } else={ :put b }", "b\r\n"],
  [":do { :put 1 } while=(1 = 2)", "1\r\n"],
  [':do { :error "no" } on-error={ :put caught }', "caught\r\n"],
  [':put [:onerror e in={ :error "throw" } do={}]', "true\r\n"],
  [":put [:onerror e in={ :put in } do={}]", "in\r\nfalse\r\n"],
  [':onerror e in={ :error "bo\\"om" } do={ :put "got $e" }', 'got bo"om\r\n'],
  [":local x 1; { :local x 2; :put $x }; :put $x", "2\r\n1\r\n"],
  [":local x 1; { :set x 2 }; :put $x", "2\r\n"],
  [":put [:return 5]; :return 1; :put unreached", "5\r\n"],
  [":delay 1ms; :put later", "later\r\n"],
  [":put one\r\n:put two", "one\r\n"],
  ["put bare; # a comment ; :put no", "bare\r\n"],
  ["", ""],
  ["/system/identity/print", "  name: CHR\r\n\r\n"],
  [":put [/system/identity/get name]", "CHR\r\n"],
  [":put [:serialize to=json [/system/identity/print as-value]]", '{"name":"CHR"}\r\n'],
  ["/disk/print count-only", "2\r\n"],
  [":put [/disk print count-only]", "2\r\n2\r\n"],
  [":put [:len [/disk/find]]", "2\r\n"],
  ["/disk/print as-value; /disk/find; /disk/get pool slot", ""],
  [":put [/disk/find where mounted]; :put [/disk/find !mounted]", "*1\r\n*2\r\n"],
  [':put [/disk find type=file]; :put [/disk find type="raid"]', "*2\r\n*1\r\n"],
  [':put [/disk/find slot~"^p" and (size>=2000000000 or mounted)]', "*1\r\n"],
  [':put [/disk/find comment=""]; :put [/disk/find .id=*2]', "*1\r\n*2\r\n"],
  [":put [/disk/find nvme-tcp-export=no slot=pvc-x]", "*2\r\n"],
  [':local slot "pvc-x"; :put [/disk/find slot=$slot]', "*1;*2\r\n"],
  [':local s "pvc-x"; :put [/disk/find slot=$s]', "*2\r\n"],
  [":put [/disk/find size=1.1.1.1/24]", "\r\n"],
  [
    ":put [/disk/get 1 slot]; :put [/disk/get *1 slot]; :put [/disk/get pvc-x size]",
    "pvc-x\r\npool\r\n1073741824\r\n",
  ],
  [":put [/disk/find size>(-size)]; :put [/disk/find slot=[/disk/get 1 slot]]", "*1;*2\r\n*2\r\n"],
  [':local n 1; :put [/disk/find slot="po$[:pick "xol" $n 3]"]', "*1\r\n"],
  [":put [/disk/find (slot=pool or slot=pvc-x) !mounted]", "*2\r\n"],
  [':put [/disk/find slot~type]; :put [/disk/find slot in ("pool","x")]', "\r\n*1\r\n"],
  [
    "/disk/print show-ids proplist=size,slot where mounted",
    "Flags: M - MOUNTED\r\nColumns: .ID, SIZE, SLOT\r\n#   .ID                SIZE  SLOT\r\n0 M *1   16 003 143 565 312  pool\r\n\r\n",
  ],
  [":put [:typeof [/disk/get pool comment]]", "nothing\r\n"],
  [":put [/disk/add slot=new]", "*3\r\n"],
  ["/disk/set [find slot=none] comment=x; /disk/remove [/disk/find slot=none]", ""],
  ["/disk monitor 0", "  ops: 1\r\n\r\n"],
  ["/disk monitor 0 once as-value", ""],
  [":put [/disk monitor 0 once]", "ops=1\r\n"],
  [':put [:parse "/disk add slot=x"]', "(evl /disk/addslot=x)\r\n"],
  [
    ':put [:parse "/disk add no-such-arg=x"]',
    "(evl bad parameter no-such-arg (line 1 column 22) /disk/add)\r\n",
  ],
  [
    ':put [:parse "/disk poe monitor"]',
    "(<%% bad command name poe (line 1 column 7) poe;monitor)\r\n",
  ],
  [':put [:parse "(\\n:put (1 ** 2)"]', "expected command name (line 1 column 1)\r\n"],
  [':put [:serialize to=json "1234"]', "1234.000000\r\n"],
  [':put [:serialize to=json options=json.no-string-conversion "1234"]', '"1234"\r\n'],
  [':put ([:deserialize from=json "{\\"a\\":[1,true]}"]->"a")', "1;true\r\n"],
];

for (const [line, output] of printed)
  test(`execute() runs ${line.replaceAll(/[\r\n]+/g, "⏎")}`, async () => {
    assert.deepEqual(await run(line), { output, failed: false, stage: "ok" });
  });

/** Lines that fail while they run. */
const failing: readonly (readonly [string, string, string?])[] = [
  ["/disk/remove nope", "no such item"],
  ["/disk/remove *7F", "no such item"],
  ["/disk/set $unknown comment=x", "no such item"],
  [":put [/disk/get [find slot=nope] slot]", "no such item"],
  [":put [/disk/get [find] slot]", "invalid internal item number"],
  [":put 1; /disk/add slot=pool; :put 2", "failure: already have such entry", "1\r\n"],
  [":put 1; :error stop; :put 2", "stop", "1\r\n"],
  [":if (5) do={}", "conditional not boolean"],
  [":put (1 / 0)", "division by zero"],
  [':put ("a" + 1)', "cannot add str"],
  [':put ("a" < 1)', "cannot compare str with num"],
  [":put (-yes)", "cannot negate bool"],
  [":delay soon", "invalid value for argument delay-time"],
  [":put [:pick abc x]", "invalid value for argument begin: str"],
  ['/disk/print where slot~"("', 'invalid regular expression "("'],
  [":set nobody 1", "unknown variable name nobody"],
  [":put [:serialize to=dsv 1]", "input does not match any value of to"],
  ["/disk/print interval=1", 'failure: the simulator cannot print with "interval"'],
  [':onerror e in={ :error a } do={ :error "b" }', "b"],
];

for (const [line, errorText, output = ""] of failing)
  test(`execute() fails at run time on ${line}`, async () => {
    assert.deepEqual(await run(line), { output, failed: true, stage: "run-time", errorText });
  });

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
