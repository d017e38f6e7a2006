import childProcess, { type SpawnOptions } from "node:child_process";
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import { flushCompileCache } from "node:module";

/*
 * Loaded before the node plugin (`node --require`). While the plan is there, counts the effects that the plugin has
 * outside itself, and kills it at the one that the plan names: what an effect is stands below. Reading and looking
 * are none. Killed is the plugin only; a process that it has started goes on alone.
 *
 * The plan is "<index> <moment>": `before` the effect; `amid`, when its process has just been started, or has
 * all of its input; `after`, when it has had its effect and the plugin has not heard of it. Each effect is told in the journal.
 */
const plan = "/run/fault-plan";
const journal = "/run/fault-journal";
let counted = 0;

type Moment = "before" | "amid" | "after";

const { appendFileSync, readFileSync, existsSync } = fs;

/** @returns the effect's index, or `undefined` while nothing is planned. */
function count(name: string): number | undefined {
  if (!existsSync(plan)) return undefined;
  // Each plan begins with a journal of its own.
  if (!existsSync(journal)) counted = 0;
  // Who is killed never writes Node.js' cache of compiled code by itself.
  if (counted === 0) flushCompileCache();
  appendFileSync(journal, `${counted} ${name}\n`);
  return counted++;
}

function strike(index: number | undefined, moment: Moment): void {
  if (index === undefined || readFileSync(plan, "utf8") !== `${index} ${moment}`) return;
  appendFileSync(journal, `struck ${index} ${moment}\n`);
  process.kill(process.pid, "SIGKILL");
}

const changing: Readonly<Record<string, RegExp>> = {
  dmsetup: /^(create|remove|load|clear|resume|message)$/,
  mount: /./,
  umount: /./,
  blockdev: /^--set/,
};

/** What is written to a file that the plugin has opened: `nvme-fabrics`, `delete_controller`. */
function writtenTo(stdout: unknown): string | undefined {
  if (typeof stdout !== "number") return undefined;
  const path = fs.readlinkSync(`/proc/self/fd/${stdout}`);
  return path.slice(path.lastIndexOf("/") + 1);
}

/** @returns the name of an effect: the program and what it does; `undefined` for one that only looks. */
function effectOf(
  file: string,
  args: readonly string[],
  { stdio }: SpawnOptions,
): string | undefined {
  const output = writtenTo(stdio?.[1]);
  if (output !== undefined) return `${file} ${output}`;
  if (/^mkfs\.|^fsck\.|^(resize2fs|xfs_growfs|xfs_repair)$/.test(file)) return file;
  const verb = args.find((arg) => changing[file]?.test(arg) && !arg.startsWith("--no"));
  return verb === undefined ? undefined : /mount$/.test(file) ? file : `${file} ${verb}`;
}

const { spawn } = childProcess;
childProcess.spawn = ((file: string, args: readonly string[], options: SpawnOptions) => {
  const effect = effectOf(file, args, options);
  const index = effect === undefined ? undefined : count(effect);
  strike(index, "before");
  const child = spawn(file, args, options);
  // Who reads a command from its input has it by then, and goes on with it alone.
  if (child.stdin === null) strike(index, "amid");
  else child.stdin.once("finish", () => strike(index, "amid"));
  child.prependListener("exit", () => strike(index, "after"));
  return child;
}) as typeof spawn;

/** Strikes around a promised change of the file system, unless it is one that is there already. */
function watch<Args extends readonly unknown[], Result>(
  name: string,
  run: (...args: Args) => Promise<Result>,
  isEffect: (...args: Args) => boolean = () => true,
) {
  return async (...args: Args): Promise<Result> => {
    const index = isEffect(...args) ? count(name) : undefined;
    strike(index, "before");
    const result = await run(...args);
    strike(index, "after");
    return result;
  };
}

const isAbsent = (path: unknown) => !existsSync(String(path));
fsPromises.mkdir = watch("mkdir", fsPromises.mkdir, isAbsent) as typeof fsPromises.mkdir;
fsPromises.open = watch("create", fsPromises.open, isAbsent) as typeof fsPromises.open;
fsPromises.rename = watch("rename", fsPromises.rename);
fsPromises.rm = watch("rm", fsPromises.rm);
fsPromises.rmdir = watch("rmdir", fsPromises.rmdir);
fsPromises.unlink = watch("unlink", fsPromises.unlink);

/** Files of sysfs that are open for writing. The log is written by the same call. */
const attributes = new Map<number, string>();
const { openSync, closeSync, writeSync } = fs;
fs.openSync = (path, flags, mode) => {
  const fd = openSync(path, flags, mode);
  // A rescan asks to look once more, and whether it is needed is chance.
  if (flags === fs.constants.O_WRONLY && /^\/sys\/.*(?<!rescan_controller)$/.test(String(path)))
    attributes.set(fd, String(path));
  return fd;
};
fs.closeSync = (fd) => {
  attributes.delete(fd);
  closeSync(fd);
};
fs.writeSync = ((fd: number, ...rest: [never]) => {
  const path = attributes.get(fd);
  const index =
    path === undefined ? undefined : count(`write ${path.slice(path.lastIndexOf("/") + 1)}`);
  strike(index, "before");
  const written = writeSync(fd, ...rest);
  strike(index, "after");
  return written;
}) as typeof writeSync;
