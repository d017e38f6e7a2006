import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { onReports } from "./on-reports.ts";
import { crowdWriter } from "./programs.ts";
import { waitFor } from "./wait-for.ts";

interface CrowdReport {
  /** Records of each file that were flushed without an error. */
  readonly flushed: readonly number[];
  readonly errors: readonly string[];
}

/** One process that writes records to many volumes at once. */
export class Crowd implements Disposable {
  readonly #child: ChildProcess;
  #report: CrowdReport = { flushed: [], errors: [] };
  #ended = false;

  constructor(paths: readonly string[]) {
    const [node = "", ...program] = crowdWriter;
    this.#child = spawn(node, [...program, ...paths], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, UV_THREADPOOL_SIZE: String(paths.length + 4) },
    });
    onReports<CrowdReport>(this.#child, (report) => {
      this.#report = report;
    });
    this.#child.on("close", () => {
      this.#ended = true;
    });
  }

  get report(): CrowdReport {
    return this.#report;
  }

  /**
   * Waits until every file has some records more than now, or than it had then.
   * @param limitMs - for the slowest of many
   */
  async progress(limitMs: number, since = this.#report.flushed): Promise<void> {
    const slow = () =>
      this.#report.flushed.findIndex((count, index) => count <= (since[index] ?? 0));
    await waitFor(
      "every file of the crowd gets a record more",
      () => {
        assert.deepEqual(this.#report.errors, []);
        return this.#report.flushed.length > 0 && slow() === -1;
      },
      limitMs,
    );
  }

  /** Ends it after the records that it is at. */
  async stop(): Promise<CrowdReport> {
    this.#child.stdin?.end();
    await waitFor("the crowd ends", () => this.#ended);
    return this.#report;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
