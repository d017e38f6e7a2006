import { readFile } from "node:fs/promises";
import type { Terminal } from "./story.ts";

/** Prints the demo: numbered steps, and under each what appliance and kernel show. */
export class Show {
  readonly #out: Terminal["out"];
  #steps = 0;

  constructor(out: Terminal["out"]) {
    this.#out = out;
  }

  step(title: string): void {
    this.#steps += 1;
    this.#out(`\n${String(this.#steps).padStart(2)}. ${title}\n`);
  }

  call(text: string): void {
    this.#out(`    CSI        ${text}\n`);
  }

  appliance(text: string): void {
    this.#block("appliance", text);
  }

  kernel(text: string): void {
    this.#block("kernel", text);
  }

  note(text: string): void {
    this.#block("", text);
  }

  #block(who: string, text: string): void {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    for (const [index, line] of lines.entries())
      this.#out(`    ${(index === 0 ? who : "").padEnd(9)}  ${line}\n`);
  }
}

/** The lines of mountinfo that concern `folder`, as the kernel has them. */
export async function mountsBelow(folder: string): Promise<string[]> {
  const mountinfo = await readFile("/proc/self/mountinfo", "utf8");
  return mountinfo.split("\n").filter((line) => line.split(" ")[4]?.startsWith(`${folder}/`));
}
