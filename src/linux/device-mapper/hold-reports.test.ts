import assert from "node:assert/strict";
import { test } from "node:test";
import { queryObjects } from "node:v8";
import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import { testContext } from "#test/fakes/context.ts";
import type { ExecRequest } from "../exec.ts";
import { ExecError } from "../exec-error.ts";
import { Dmsetup } from "./dmsetup.ts";
import { byName, HoldReports } from "./hold-reports.ts";

const ctx = testContext();
const names = Array.from({ length: 24 }, (_, index) => `hold-${index}`);

/** A dmsetup that answers when it is told to, with the time at which it was asked. */
function slowDmsetup() {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const exec = async ({ args, file }: ExecRequest, { signal }: Context) => {
    signal.throwIfAborted();
    const question = args.join(" ");
    asked.push(question);
    const at = asked.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    answers.push(resolve);
    await abortable(promise, signal);
    if (question === "table" && world.breaks) throw new ExecError(file, { reason: "failed" });
    const isAlone = args.length === 2;
    const lines = isAlone ? [`table ${at}`] : names.map((name) => `${name}: table ${at}`);
    return { stdout: `${lines.join("\n")}\n`, stderr: "" };
  };
  const world = { exec, asked, breaks: false, answer: () => answers.shift()?.() };
  return world;
}

/** Until nothing is left to do but what somebody has to answer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test("table() asks for the first who asks alone, and once for all who ask meanwhile", async () => {
  const world = slowDmsetup();
  const reports = new HoldReports(new Dmsetup(world.exec));
  const all = Promise.all(names.map((name) => reports.table(name, ctx)));
  await settled();
  world.answer();
  await settled();
  world.answer();
  assert.deepEqual(
    await all,
    names.map((_, index) => `table ${index === 0 ? 1 : 2}\n`),
  );
  assert.deepEqual(world.asked, ["table hold-0", "table"]);
});

test("table() is never older than its question: who asks while a process is at work gets the next one", async () => {
  const world = slowDmsetup();
  const reports = new HoldReports(new Dmsetup(world.exec));
  const first = reports.table("hold-0", ctx);
  await settled();
  const later = Promise.all(names.map((name) => reports.table(name, ctx)));
  await settled();
  assert.deepEqual(world.asked, ["table hold-0"], "one at a time");
  world.answer();
  assert.equal(await first, "table 1\n");
  await settled();
  world.answer();
  assert.deepEqual(new Set(await later), new Set(["table 2\n"]));
  assert.equal(world.asked.length, 2);
});

test("table() asks alone when a device of the host went away meanwhile, and for one that is not among them", async () => {
  const world = slowDmsetup();
  const reports = new HoldReports(new Dmsetup(world.exec));
  for (const [name, breaks] of [
    ["hold-0", true],
    ["new", false],
  ] as const) {
    world.breaks = breaks;
    const other = reports.table("hold-1", ctx);
    const report = reports.table(name, ctx);
    for (let answer = 0; answer < 3; answer++) {
      await settled();
      world.answer();
    }
    await other;
    assert.match(await report, /^table \d\n$/);
    assert.equal(world.asked.at(-1), `table ${name}`);
  }
});

test("table() of one who leaves does not take the answer from the others", async () => {
  const world = slowDmsetup();
  const reports = new HoldReports(new Dmsetup(world.exec));
  const leaving = new AbortController();
  const earlier = reports.table("hold-9", ctx);
  const first = reports.table("hold-0", { ...ctx, signal: leaving.signal });
  const second = reports.table("hold-1", ctx);
  await settled();
  leaving.abort(new Error("the call has ended"));
  await assert.rejects(first);
  world.answer();
  await earlier;
  await settled();
  assert.deepEqual(world.asked, ["table hold-9", "table"]);
  world.answer();
  assert.equal(await second, "table 2\n");
});

test("table() keeps nothing of what was answered: in a long outage it is asked every second, for days", async () => {
  const dmsetup = new Dmsetup(async () => ({ stdout: "table\n", stderr: "" }));
  const reports = new HoldReports(dmsetup);
  const askOften = async () => {
    for (let round = 0; round < 500; round++)
      await Promise.all([reports.table("hold-0", ctx), reports.table("hold-1", ctx)]);
  };
  await askOften();
  const before = queryObjects(Array, { format: "count" });
  await askOften();
  assert.ok(queryObjects(Array, { format: "count" }) - before < 100);
});

test("byName() keeps the lines of one table together, and their colons", () => {
  const text =
    "a: 0 8 linear 259:1 0\na: 8 8 error \nrds-csi-nqn.x:pvc-1: 0 8 error \nNo devices\n";
  assert.deepEqual(
    [...byName(text)],
    [
      ["a", "0 8 linear 259:1 0\n8 8 error \n"],
      ["rds-csi-nqn.x:pvc-1", "0 8 error \n"],
    ],
  );
});
