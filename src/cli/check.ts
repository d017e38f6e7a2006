import { parseArgs } from "node:util";
import { checkAppliances } from "#app/check-appliances.ts";
import { checkNode } from "#app/check-node.ts";
import type { CheckedPart, Finding } from "#app/finding.ts";
import type { Config } from "#config/config.ts";
import { configFlags } from "#config/flag-layer.ts";
import { loadConfig } from "#config/load.ts";
import { controllerConfig } from "#config/roles.ts";
import type { Context } from "#lib/context.ts";
import { silentLog } from "#lib/log.ts";
import { type Command, exitCodes } from "./command.ts";
import { configHelp } from "./config-help.ts";

export const checkCommand: Command = {
  help: () => `Usage: rds-csi check [--node] [options]

Reads the configuration, connects to every appliance, and says in plain sentences what is there and what is
missing: RouterOS version, storage package, the user's rights, pool, file system and free space. Changes nothing.
With --node it looks at this machine instead: kernel modules, programs, host NQN.

Exit code: 0 all is well, 1 there are problems, 2 the configuration cannot be used.

${configHelp}`,
  run: async (args, { out, signal }) => {
    const options = { ...configFlags, node: { type: "boolean" } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const config = await loadConfig(values);
    const parts = await look(config, values.node === true, { signal, log: silentLog });
    out(parts.map(describe).join("\n"));
    const findings = parts.flatMap((part) => part.findings);
    out(`\n${verdict(findings)}\n`);
    return findings.some(({ level }) => level === "problem") ? exitCodes.failed : exitCodes.done;
  },
};

function look(config: Config, node: boolean, ctx: Context): Promise<CheckedPart[]> {
  return node ? checkNode(config, ctx) : checkAppliances(controllerConfig(config), ctx);
}

const marks = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM" } as const;

function describe({ title, findings }: CheckedPart): string {
  return [title, ...findings.map(({ level, text }) => `  ${marks[level]}  ${text}`), ""].join("\n");
}

function verdict(findings: readonly Finding[]): string {
  const count = (wanted: Finding["level"]) =>
    findings.filter(({ level }) => level === wanted).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems === 0 && warnings === 0) return "All is well";
  return `${plural(problems, "problem")}, ${plural(warnings, "warning")}`;
}

function plural(count: number, noun: string): string {
  return `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
}
