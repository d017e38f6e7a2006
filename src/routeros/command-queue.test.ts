import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { CommandQueue } from "./command-queue.ts";

function queue({ channels = 1, length = 10 } = {}): CommandQueue {
  return new CommandQueue({ name: "rds1", channels, length });
}

/** A task that ends when told to. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const task = { started: false, end: resolve, fail: reject };
  const run = () => {
    task.started = true;
    return promise;
  };
  return { task, run };
}

/** Lets everything that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("CommandQueue.run() runs one after another, in order of arrival", async () => {
  const commands = queue();
  const [first, second] = [held(), held()];
  const results = [commands.run(first.run, testContext()), commands.run(second.run, testContext())];
  await settle();
  assert.deepEqual([first.task.started, second.task.started], [true, false]);
  first.task.end("a");
  await settle();
  assert.equal(second.task.started, true);
  second.task.end("b");
  assert.deepEqual(await Promise.all(results), ["a", "b"]);
});

test("CommandQueue.run() runs as many at once as there are channels", async () => {
  const commands = queue({ channels: 2 });
  const tasks = [held(), held(), held()];
  const results = tasks.map(({ run }) => commands.run(run, testContext()));
  await settle();
  assert.deepEqual(
    tasks.map(({ task }) => task.started),
    [true, true, false],
  );
  for (const { task } of tasks) task.end("x");
  await Promise.all(results);
});

test("CommandQueue.run() goes on after a task that failed", async () => {
  const commands = queue();
  const failing = commands.run(async () => {
    throw new Error("lost");
  }, testContext());
  const next = commands.run(async () => "fine", testContext());
  await assert.rejects(failing, /lost/);
  assert.equal(await next, "fine");
});

test("CommandQueue.run() refuses at once when the queue is full", async () => {
  const commands = queue({ length: 1 });
  const running = held();
  const results = [
    commands.run(running.run, testContext()),
    commands.run(async () => "b", testContext()),
  ];
  await assert.rejects(
    commands.run(async () => "c", testContext()),
    {
      kind: "unavailable",
      message: 'Cannot run a command on appliance "rds1": its queue of 1 commands is full',
    },
  );
  running.task.end("a");
  assert.deepEqual(await Promise.all(results), ["a", "b"]);
});

test("CommandQueue.run() lets a caller that leaves give its place up, without starting its task", async () => {
  const commands = queue({ length: 1 });
  const [running, left] = [held(), held()];
  const controller = new AbortController();
  const first = commands.run(running.run, testContext());
  const second = commands.run(left.run, testContext({ signal: controller.signal }));
  controller.abort();
  await assert.rejects(second, { kind: "unavailable" });
  const third = commands.run(async () => "c", testContext());
  running.task.end("a");
  assert.deepEqual(await Promise.all([first, third]), ["a", "c"]);
  assert.equal(left.task.started, false);
});

test("CommandQueue.run() starts nothing for a call that has ended", async () => {
  const { task, run } = held();
  const ended = testContext({ signal: AbortSignal.abort() });
  await assert.rejects(queue().run(run, ended), { kind: "unavailable" });
  assert.equal(task.started, false);
});
