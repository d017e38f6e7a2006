import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConsoleError } from "#sim/console/console-error.ts";
import { ToyTree } from "#sim/console/testing/toy-tree.ts";
import { inspect } from "./inspect.ts";
import { parse } from "./parser.ts";

const current = new ToyTree();
const before723 = new ToyTree({ version: [7, 22, 1] });

/** Lines and the error that refuses them, on RouterOS 7.24 unless another tree is named. */
const refused: readonly (readonly [string, string, ToyTree?])[] = [
  [":xyz", "bad command name xyz (line 1 column 2)"],
  ["/zzz qqq print", "bad command name zzz (line 1 column 2)"],
  ["/disk btrfs poe monitor", "bad command name poe (line 1 column 13)"],
  ["/system identity output", "bad command name output (line 1 column 18)"],
  ["/disk/add no-such-arg=x", "bad parameter no-such-arg (line 1 column 22)"],
  ["/disk add slot=x no-such-arg=x", "bad parameter no-such-arg (line 1 column 29)"],
  ["/disk/add slot=x no-such-arg=x", "expected end of command (line 1 column 18)", before723],
  ["/system/clock/print detail", "bad parameter detail (line 1 column 27)"],
  ["/system/clock/print detail", "expected end of command (line 1 column 21)", before723],
  ["/disk/print detail=yes", "expected end of command (line 1 column 19)"],
  ["/disk/add slot=", "expected end of command (line 1 column 15)"],
  ["/disk/add slot=a=b", "expected end of command (line 1 column 17)"],
  ['/disk/add slot="a"b', "expected end of command (line 1 column 19)"],
  ["/disk/add slot=a$b", "syntax error (line 1 column 17)"],
  ["/disk/add slot=a\\b", "syntax error (line 1 column 17)"],
  ["/disk/add type=foo", "input does not match any value of type"],
  ["/disk/print proplist=slot,bogus", "input does not match any value of proplist"],
  ["/disk/print where bogus=1", "bad parameter bogus (line 1 column 24)"],
  ["/disk/remove", "missing value(s) of argument(s) numbers"],
  [":put", "missing value(s) of argument(s) message"],
  ["/disk/=x", "expected command name (line 1 column 7)"],
  ["=", "expected command name (line 1 column 1)"],
  ["-x", "expected command name (line 1 column 1)"],
  [':put "a\\qb"', "syntax error (line 1 column 9)"],
  [':put "\\c3"', "syntax error (line 1 column 8)"],
  [':put "open', "syntax error (line 1 column 11)"],
  [":put (1 ** 2)", "syntax error (line 1 column 10)"],
  [":put (1 === 2)", "syntax error (line 1 column 10)"],
  [":put (1 ? 2)", "syntax error (line 1 column 9)"],
  [":put (1 $ 2)", "syntax error (line 1 column 9)"],
  [":local z (1;2)", "syntax error (line 1 column 12)"],
  [":local z {}", "syntax error (line 1 column 12)"],
  [":local z ()", "syntax error (line 1 column 12)"],
  [":local z (1,)", "syntax error (line 1 column 14)"],
  [":local z {1;2,}", "syntax error (line 1 column 16)"],
  [":local z {;}", "syntax error (line 1 column 11)"],
  [":local z {(,)}", "syntax error (line 1 column 12)"],
  ["{ :put 1", "syntax error (line 1 column 9)"],
  [":put 1 }", "syntax error (line 1 column 8)"],
  [":put 1; /disk/add slot=[/disk/get 0 no]", "input does not match any value of value-name"],
  [
    ":do { :if (true) do={ /disk/set 0 bogus=1 } } on-error={}",
    "bad parameter bogus (line 1 column 40)",
  ],
  [':put "é"; :xyz', "bad command name xyz (line 1 column 13)"],
];

for (const [line, message, tree = current] of refused)
  test(`parse() refuses ${line} (7.${tree.version.minor})`, () => {
    assert.throws(() => parse(line, tree), { name: "ConsoleError", stage: "parse", message });
  });

/** What `:parse` shows of a line; the forms were captured on CHR 7.23.3. */
const inspected: readonly (readonly [string, string])[] = [
  ["/disk print", "(evl /disk/print)"],
  ["/disk/add slot=x fs=y", "(evl /disk/addfs=y;slot=x)"],
  ["/disk; print", "(evl /disk/print)"],
  ["{ /disk; print }; /disk/print", "(evl (evl /disk/print))(evl /disk/print)"],
  [":local z {1;2}", "(evl /localname=$z;value=1;2)"],
  [":put (1 + 2 * 3)", "(evl /putmessage=(+ 1 (* 2 3)))"],
  [":put (1 . 2 = 3 and 4 or 5)", "(evl /putmessage=(or (and (= (. 1 2) 3) 4) 5))"],
  [
    "/disk/unset pool mount-point-template",
    "(evl /disk/unsetnumbers=pool;value-name=mount-point-template)",
  ],
  [":if (!$x) do={ :put {1;a=2} }", "(evl /ifcondition=(! $x);do=(evl /putmessage=1;a=2))"],
  [':put "a $b"', "(evl /putmessage=(. a  $b))"],
  ["", "(evl )"],
  [":put (8 - 4 - 2)", "(evl /putmessage=(- (- 8 4) 2))"],
  ['/disk/find slot="x" .id=*1', "(evl /disk/findwhere=(and (= $slot x) (= $.id *1)))"],
  ["/disk/find !mounted", "(evl /disk/findwhere=(! $mounted))"],
];

for (const [line, form] of inspected)
  test(`parse() understands ${line}`, () => {
    assert.equal(inspect(parse(line, current)), form);
  });

test("parse() knows :serialize from 7.13 on", () => {
  const line = ":serialize to=json 1";
  assert.throws(() => parse(line, new ToyTree({ version: [7, 12, 0] })), {
    message: "bad command name serialize (line 1 column 2)",
  });
  assert.equal(parse(line, new ToyTree({ version: [7, 13, 0] })).commands.length, 1);
});

test("parse() throws nothing but ConsoleError, whatever it is given", () => {
  const token = fc.constantFrom(
    ...["/disk", "/", "print", "find", "where", "set", ":put ", ":if ", ":onerror e in=", "do="],
    ...["slot", "=", '"x"', '"', "$", "\\", "(", ")", "[", "]", "{", "}", ";", " ", "*2B", ".id"],
    ...["!", "-", "~", ",", "and ", "1", "1d", "yes", "é", "#", "\n"],
  );
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(token, { maxLength: 25 }).map((tokens) => tokens.join("")),
  );
  fc.assert(
    fc.property(line, (text) => {
      try {
        parse(text, current);
      } catch (error) {
        assert(error instanceof ConsoleError, `${text}: ${error}`);
        assert.equal(error.stage, "parse");
      }
    }),
    { numRuns: 2_000 },
  );
});

for (const opening of ["(", "[", "{", "!", "-", ":put (", ':put "$(', ":put {", ":do {"])
  test(`parse() refuses endless nesting of ${opening} without running out of stack`, () => {
    assert.throws(() => parse(`:put (${opening.repeat(50_000)}`, current), ConsoleError);
    assert.throws(() => parse(opening.repeat(50_000), current), ConsoleError);
  });
