import { globSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { compile, programs } from "../test/machine/compile.ts";
import { type Hardware, Machine } from "../test/machine/machine.ts";
import { bundle, obstacle, prepare } from "../test/machine/prepare.ts";
import { mark } from "./machine/tell-figure.ts";
import type { Figure } from "./table.ts";

const project = join(import.meta.dirname, "..");
const series = "6.12";
const limitSeconds = 480;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * What needs real NVMe/TCP: each `bench/machine/*.bench.ts` in a machine of its own. Under emulation times mean little,
 * so that these figures are ratios wherever they can be.
 */
export async function machines(): Promise<Figure[]> {
  const hardware = hardwareOrReason();
  if ("reason" in hardware) {
    say(`${hardware.reason}. The figures of the machine are left out`);
    return [];
  }
  const sources = globSync(join(import.meta.dirname, "machine/*.ts"));
  bundle(project);
  await compile(
    sources.map((file) => relative(project, file)),
    project,
  );
  const figures: Figure[] = [];
  for (const file of sources.filter((name) => name.endsWith(".bench.ts")).sort())
    figures.push(...(await figuresOf(basename(file, ".ts"), hardware)));
  return figures;
}

function hardwareOrReason(): Hardware | { readonly reason: string } {
  const reason = obstacle(project);
  if (reason !== undefined) return { reason };
  try {
    return prepare(series, project);
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A program that fails says why, and the others go on. */
async function figuresOf(program: string, hardware: Hardware): Promise<Figure[]> {
  const lines: string[] = [];
  const node = "node_modules/.bin/node --enable-source-maps";
  using machine = new Machine({ ...hardware, memoryMiB: 3072, diskMiB: 8192 });
  const status = await machine.run({
    line: `cd ${project} && ${node} ${programs}/${program}.mjs`,
    limitSeconds,
    onLine: (line) => lines.push(line),
  });
  const told = lines.filter((line) => line.startsWith(mark));
  if (status !== 0)
    say(
      `Cannot measure all of ${program}: it ended with ${status}\n${lines.slice(-30).join("\n")}`,
    );
  return told.map((line) => JSON.parse(line.slice(mark.length)));
}
