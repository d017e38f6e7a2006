import { DriverError } from "#domain/errors.ts";
import type { BlockDevices } from "#domain/ports/block-devices.ts";
import type { Context } from "#lib/context.ts";
import { Turns } from "#lib/turns.ts";
import { isBlockDevice } from "./device-node.ts";
import { sectorBytes } from "./disk-device.ts";
import type { Exec } from "./exec.ts";
import { ExecError } from "./exec-error.ts";
import { holdersOf } from "./holders.ts";
import type { Sysfs } from "./sysfs.ts";
import { toolFailure } from "./tool-failure.ts";

const toolLimitMs = 10_000;
/** Mode and device number, hexadecimal. */
const statLine = /^([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)\n$/;
/** The same and the path. What is cut off ends without its line. */
const statLines = /^([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) (.+)\n/gm;
/** Far below what the arguments of a process may have, 2 MiB, and what it may print. */
const mostPaths = 500;

/**
 * Opens a device as its only user, reads nothing, and prints the code of what went wrong. The kernel refuses before it asks the
 * device. Source: Linux, block/bdev.c, bd_prepare_to_claim().
 */
const claimProbe = `const fs = require("node:fs");
try {
  fs.closeSync(fs.openSync(process.argv[1], fs.constants.O_RDONLY | fs.constants.O_EXCL));
} catch ({ code }) {
  process.stdout.write(String(code));
}`;
/** Each is a process of some 40 MiB, and a node that is drained asks of all its volumes at once. */
const mostProbes = 2;
const goneCodes = ["ENOENT", "ENXIO", "ENODEV"];

/** Block devices by sysfs; their nodes are looked at by a child process, for they may lie on any file system. */
export class LinuxBlockDevices implements BlockDevices {
  readonly #exec: Exec;
  readonly #sysfs: Sysfs;
  readonly #probes = new Turns(mostProbes);

  constructor(exec: Exec, sysfs: Sysfs) {
    this.#exec = exec;
    this.#sysfs = sysfs;
  }

  async holders(majorMinor: string, ctx: Context): Promise<readonly string[]> {
    if (!(await this.isThere(majorMinor, ctx)))
      throw new DriverError(
        "unavailable",
        `Cannot list the holders of device ${majorMinor}: it is gone`,
      );
    return holdersOf(this.#sysfs, "dev", "block", majorMinor);
  }

  async isThere(majorMinor: string, _ctx: Context): Promise<boolean> {
    return this.#sysfs.exists("dev", "block", majorMinor);
  }

  async majorMinorOf(path: string, ctx: Context): Promise<string | undefined> {
    try {
      const args = ["-L", "-c", "%f %t %T", "--", path];
      const { stdout } = await this.#exec({ file: "stat", args, timeoutMs: toolLimitMs }, ctx);
      const [, mode = "", major = "", minor = ""] = statLine.exec(stdout) ?? [];
      // Half an answer is none: to take it for "no block device" would be to forget a device that is there.
      if (mode === "") throw new SyntaxError(`stat says ${JSON.stringify(stdout)}`);
      return numberOf(mode, major, minor);
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new DriverError("unavailable", `Cannot look at "${path}": ${error.message}`);
      if (error instanceof ExecError && /: No such file or directory$/m.test(error.stderr))
        return undefined;
      throw toolFailure(`Cannot look at "${path}"`, error, "unavailable");
    }
  }

  async majorMinorsOf(paths: readonly string[], ctx: Context) {
    const numbers = new Map<string, string | undefined>();
    for (let from = 0; from < paths.length; from += mostPaths) {
      const stdout = await this.#look(paths.slice(from, from + mostPaths), ctx);
      for (const [, mode = "", major = "", minor = "", path = ""] of stdout.matchAll(statLines))
        numbers.set(path, numberOf(mode, major, minor));
    }
    return numbers;
  }

  /** stat goes on after a path that it cannot look at, and ends with exit code 1. */
  async #look(paths: readonly string[], ctx: Context): Promise<string> {
    const args = ["-L", "-c", "%f %t %T %n", "--", ...paths];
    try {
      return (await this.#exec({ file: "stat", args, timeoutMs: toolLimitMs }, ctx)).stdout;
    } catch (error) {
      if (error instanceof ExecError && error.exitCode === 1) return error.stdout;
      throw toolFailure(`Cannot look at ${paths.length} device nodes`, error, "unavailable");
    }
  }

  /** In a child: no tool of the host asks for this without a wish to write, and opening may wait for the device. */
  async isClaimed(path: string, ctx: Context): Promise<boolean> {
    const act = `Cannot tell who uses "${path}"`;
    using _turn = await this.#turnToProbe(act, ctx);
    const args = ["-e", claimProbe, path];
    const probing = this.#exec({ file: process.execPath, args, timeoutMs: toolLimitMs }, ctx);
    const { stdout } = await probing.catch((error) =>
      Promise.reject(toolFailure(act, error, "unavailable")),
    );
    if (stdout === "" || goneCodes.includes(stdout)) return false;
    if (stdout === "EBUSY") return true;
    throw new DriverError("unavailable", `${act}: opening it fails with ${stdout}`);
  }

  async #turnToProbe(act: string, { signal }: Context): Promise<Disposable> {
    try {
      return await this.#probes.take(signal);
    } catch (cause) {
      const message = `${act}: the call ended while it waited for its turn`;
      throw new DriverError("deadline-exceeded", message, { cause });
    }
  }

  async setReadOnly(path: string, readOnly: boolean, ctx: Context): Promise<void> {
    const act = `Cannot make "${path}" ${readOnly ? "read-only" : "writable"}`;
    const args = [readOnly ? "--setro" : "--setrw", path];
    try {
      await this.#exec({ file: "blockdev", args, timeoutMs: toolLimitMs }, ctx);
    } catch (error) {
      throw toolFailure(act, error, "unavailable");
    }
    if (this.#sysfs.readNumber(...(await this.#require(path, act, ctx)), "ro") !== Number(readOnly))
      throw new DriverError("internal", `${act}: the kernel did not take it`);
  }

  async sizeOf(path: string, ctx: Context): Promise<number> {
    const act = `Cannot read the size of "${path}"`;
    const sectors = this.#sysfs.readNumber(...(await this.#require(path, act, ctx)), "size");
    if (sectors === undefined) throw new DriverError("unavailable", `${act}: the device is gone`);
    return sectors * sectorBytes;
  }

  /** The sysfs folder of a device that must be there. */
  async #require(path: string, act: string, ctx: Context): Promise<readonly string[]> {
    const majorMinor = await this.majorMinorOf(path, ctx);
    if (majorMinor === undefined)
      throw new DriverError("unavailable", `${act}: there is no block device`);
    return ["dev", "block", majorMinor];
  }
}

/** `undefined` of what is no block device. */
function numberOf(mode: string, major: string, minor: string): string | undefined {
  return isBlockDevice(hex(mode)) ? `${hex(major)}:${hex(minor)}` : undefined;
}

function hex(digits: string): number {
  return Number.parseInt(digits, 16);
}
