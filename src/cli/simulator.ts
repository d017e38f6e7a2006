import { once } from "node:events";
import { startSimulator } from "#app/simulator.ts";
import { simulatorHelp } from "#sim/options.ts";
import { type Command, exitCodes } from "./command.ts";

export const simulatorCommand: Command = {
  help: simulatorHelp,
  run: async (args, { out, signal }) => {
    await using simulator = await startSimulator(args);
    out(simulator.greeting);
    if (!signal.aborted) await once(signal, "abort");
    return exitCodes.done;
  },
};
