import type { ChildProcess } from "node:child_process";

/** Calls `take` with each line of JSON that a process of the rig prints: how far it is. */
export function onReports<T>({ stdout }: ChildProcess, take: (report: T) => void): void {
  let rest = "";
  stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(JSON.parse(line));
  });
}
