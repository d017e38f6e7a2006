import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Simulator } from "#sim/simulator.ts";

const project = join(import.meta.dirname, "../..");

export interface DriverProcessOptions {
  readonly role: "controller" | "node";
  /** Where configuration, socket and log of the process lie. */
  readonly folder: string;
  /** Beyond what `baseConfig` says. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What runs: the sources, or the bundle with the flags of the image. */
  readonly command?: readonly string[];
}

/** The driver as it is deployed: a process of its own behind a Unix socket. */
export class DriverProcess implements AsyncDisposable {
  readonly socket: string;
  /** JSON lines, as the process logged them. */
  readonly logFile: string;
  readonly #child: ChildProcess;

  constructor({
    role,
    folder,
    config,
    command = [process.execPath, join(project, "src/main.ts")],
  }: DriverProcessOptions) {
    this.socket = join(folder, `${role}.sock`);
    this.logFile = join(folder, `${role}.log`);
    const file = join(folder, `${role}.json`);
    writeFileSync(file, JSON.stringify({ endpoint: `unix://${this.socket}`, ...config }));
    const [program = process.execPath, ...rest] = command;
    const log = openSync(this.logFile, "w");
    const args = [...rest, role, "--config", file];
    this.#child = spawn(program, args, { stdio: ["ignore", log, log] });
    closeSync(log);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws {Error} when the process ends, or does not listen within `limitMs`. */
  async listening(limitMs = 10_000): Promise<void> {
    const endsAt = Date.now() + limitMs;
    // An emulated machine takes seconds to start it, and each look is time that it does not get.
    for (let pauseMs = 5; Date.now() < endsAt && this.#isRunning; pauseMs *= 1.5) {
      if (await answers(this.socket)) return;
      await delay(Math.min(pauseMs, 200));
    }
    const { exitCode, signalCode } = this.#child;
    const ended = exitCode ?? signalCode;
    const state = ended === null ? `it does not listen in ${limitMs} ms` : `it ended with ${ended}`;
    throw new Error(
      `Cannot start the driver on "${this.socket}": ${state}; it said last: ${lastOf(this.logFile)}`,
    );
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGTERM, and its exit code. */
  async stop(): Promise<number | null> {
    const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    if (!this.#isRunning) return this.#child.exitCode;
    this.#child.kill("SIGTERM");
    await ended;
    return this.#child.exitCode;
  }

  /** SIGKILL; its socket, which a killed process leaves, goes too. */
  async kill(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.socket, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function lastOf(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile, "utf8").slice(-1_000) : "nothing";
}

/** The file of a socket is there a moment before somebody listens. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** The `appliances.<name>` section for a simulator that has a state directory. */
export function applianceConfig({
  port,
  hostKeys,
  clientKey,
  options,
}: Simulator): Record<string, unknown> {
  return {
    address: "127.0.0.1",
    port,
    user: "csi",
    privateKeyFile: clientKey?.file,
    hostKey: hostKeys[0]?.fingerprint,
    pool: options.pools[0]?.mountPoint,
  };
}
