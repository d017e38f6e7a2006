import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { onReports } from "./on-reports.ts";
import { recordWriter } from "./programs.ts";
import { waitFor } from "./wait-for.ts";

/** How far a writer is. */
export interface WriterReport {
  /** Records that were flushed without an error. */
  readonly flushed: number;
  /** The longest time that one record took. */
  readonly longestMs: number;
  /** `EIO`, when it ended by that. */
  readonly error?: string;
  /** Of a flood: the newest generation of each block that was begun, and that is safe (`flood-writer.ts`). */
  readonly blocks?: { readonly begun: readonly number[]; readonly safe: readonly number[] };
}

/** What a process writes, and how to see whether it is there. */
export interface Load {
  /** Gets the path as its last argument. */
  readonly program: readonly string[];
  /** Whether it writes to a raw block device itself. Default to files. */
  readonly isRaw?: boolean;
  /** After the volume was unstaged, when nothing comes from memory. */
  readonly assertWritten: (path: string, report: WriterReport) => void;
}

/** Numbered records, each followed by fsync. */
export const records: Load = { program: recordWriter, assertWritten: assertRecords };

/** A process that writes until it is stopped or meets an error: numbered records unless told otherwise. */
export class Writer implements Disposable {
  readonly path: string;
  readonly #child: ChildProcess;
  #report: WriterReport = { flushed: 0, longestMs: 0 };
  #hasSaid = false;
  #ended = false;

  constructor(path: string, { program: [node = "", ...program] } = records) {
    this.path = path;
    this.#child = spawn(node, [...program, path], {
      stdio: ["pipe", "pipe", "inherit"],
      // A write that waits keeps a thread.
      env: { ...process.env, UV_THREADPOOL_SIZE: "36" },
    });
    onReports<WriterReport>(this.#child, (report) => {
      this.#report = report;
      this.#hasSaid = true;
    });
    this.#child.on("close", () => {
      this.#ended = true;
    });
  }

  get report(): WriterReport {
    return this.#report;
  }

  /** Waits until its file is open. */
  async started(): Promise<void> {
    await waitFor(`the writer of ${this.path} has opened it`, () => {
      assert.ok(!this.#ended, `The writer has ended: ${JSON.stringify(this.#report)}`);
      return this.#hasSaid;
    });
  }

  /** Waits until it has flushed some records more than now. */
  async progress(records = 5): Promise<void> {
    await this.reaches(this.#report.flushed + records);
  }

  /** Waits until it has flushed so many records. */
  async reaches(records: number): Promise<void> {
    await waitFor(`the writer of ${this.path} flushes its record ${records}`, () => {
      assert.ok(!this.#ended, `The writer has ended: ${JSON.stringify(this.#report)}`);
      return this.#report.flushed >= records;
    });
  }

  /** Waits until it flushes nothing for two seconds: it says how far it is more often than that. */
  async stalls(): Promise<void> {
    await waitFor(`the writer of ${this.path} waits`, async () => {
      const { flushed } = this.#report;
      await delay(2_000);
      return this.#report.flushed === flushed;
    });
  }

  /** Keeps it from writing, until `thaw`. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** Ends it after the record that it is at. */
  async stop(): Promise<WriterReport> {
    this.#child.stdin?.end();
    return this.ended();
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<WriterReport> {
    await waitFor("the writer ends", () => this.#ended);
    return this.#report;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

/**
 * Asserts that the file holds records 0, 1, 2, … without a gap, and at least those that were flushed. Only worth
 * something after the file system was mounted anew, when nothing comes from memory.
 */
export function assertRecords(path: string, { flushed }: WriterReport): void {
  const lines = readFileSync(path, "latin1").split("\n");
  assert.equal(lines.pop(), "", "the last record is whole");
  assert.ok(lines.length >= flushed, `${lines.length} records are there, ${flushed} were flushed`);
  const wrong = lines.findIndex((line, index) => line !== String(index).padStart(15, "0"));
  assert.equal(wrong, -1, `record ${wrong} is "${lines[wrong]}"`);
}
