import assert from "node:assert/strict";
import { test } from "node:test";
import { Console } from "#sim/console/console.ts";
import { ToyTree } from "#sim/console/testing/toy-tree.ts";

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
        comment: "rds-csi=1 rev=3",
        "nvme-tcp-export": false,
        size: 1_073_741_824,
      },
    ],
  });
}

function run(line: string) {
  return new Console(poolAndVolume(), { width: 80 }).execute(line, new AbortController().signal);
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
