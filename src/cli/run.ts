import { ConfigError } from "#config/config-error.ts";
import { DriverError } from "#domain/errors.ts";
import { type Command, exitCodes, type Terminal } from "./command.ts";
import { version } from "./version.ts";

interface Listed {
  readonly summary: string;
  /** Loaded when it is asked for: a node needs no SSH, and a help text needs nothing. */
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, Listed>> = {
  controller: {
    summary: "Serve the CSI controller: create, publish, grow and delete volumes",
    load: async () => (await import("./controller.ts")).controllerCommand,
  },
  node: {
    summary: "Serve the CSI node: attach, format and mount volumes on this machine",
    load: async () => (await import("./node.ts")).nodeCommand,
  },
  check: {
    summary: "Look at configuration, appliances and this machine, and say what is missing",
    load: async () => (await import("./check.ts")).checkCommand,
  },
  simulator: {
    summary: "Run a simulated appliance: RouterOS over SSH, without the hardware",
    load: async () => (await import("./simulator.ts")).simulatorCommand,
  },
  demo: {
    summary: "Play the main job on a simulated appliance, in one terminal",
    load: async () => (await import("./demo.ts")).demoCommand,
  },
};

/** Runs the command that `argv` names. @returns the exit code. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "help", ...args] = argv;
  if (["help", "--help", "-h"].includes(name)) return await help(args, terminal);
  if (["version", "--version", "-v"].includes(name)) {
    terminal.out(`rds-csi ${version}\n`);
    return exitCodes.done;
  }
  const command = await find(name, terminal);
  if (command === undefined) return exitCodes.usage;
  if (args.includes("--help") || args.includes("-h")) {
    terminal.out(command.help());
    return exitCodes.done;
  }
  return await attempt(name, () => command.run(args, terminal), terminal);
}

async function help([name]: readonly string[], terminal: Terminal): Promise<number> {
  const command = name === undefined ? undefined : await find(name, terminal);
  if (name !== undefined && command === undefined) return exitCodes.usage;
  terminal.out(command?.help() ?? overview());
  return exitCodes.done;
}

async function find(name: string, terminal: Terminal): Promise<Command | undefined> {
  if (Object.hasOwn(commands, name)) return await commands[name]?.load();
  terminal.err(`Cannot run "${name}": no such command. See rds-csi help\n`);
  return undefined;
}

function overview(): string {
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(12)}${summary}`,
  );
  return [
    "Kubernetes CSI driver for the MikroTik ROSE Data Server",
    "",
    "Usage: rds-csi COMMAND [options]",
    "",
    "Commands:",
    ...lines,
    "  version     Print the version",
    "  help        Print this text, or that of a command: rds-csi help check",
    "",
  ].join("\n");
}

/** Failures that were foreseen are told in a sentence; all others with their stack. */
async function attempt(
  name: string,
  work: () => Promise<number>,
  { err }: Terminal,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (isUsageError(error)) {
      err(`Cannot run "${name}": ${error.message}. See rds-csi help ${name}\n`);
      return exitCodes.usage;
    }
    const foreseen = error instanceof ConfigError || error instanceof DriverError;
    err(`${foreseen ? error.message : stackOf(error)}\n`);
    return error instanceof ConfigError ? exitCodes.usage : exitCodes.failed;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** From `parseArgs` of node:util. */
function isUsageError(error: unknown): error is Error {
  return (
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")
  );
}
