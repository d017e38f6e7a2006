import { DriverError } from "#domain/errors.ts";
import { simulatorGreeting } from "#sim/greeting.ts";
import { parseSimulatorArguments } from "#sim/options.ts";
import { Simulator } from "#sim/simulator.ts";

export interface RunningSimulator extends AsyncDisposable {
  /** How to reach it, for people. */
  readonly greeting: string;
}

/**
 * The simulated appliance, listening when this resolves.
 * @param args - as `rds-csi simulator --help` explains them.
 * @throws {DriverError} `failed-precondition` naming what it cannot use.
 */
export async function startSimulator(args: readonly string[]): Promise<RunningSimulator> {
  const options = parseSimulatorArguments(args);
  const simulator = await Simulator.start(options).catch((cause: unknown) => {
    const state = cause instanceof Error ? cause.message : String(cause);
    throw new DriverError("failed-precondition", state, { cause });
  });
  return {
    greeting: simulatorGreeting(simulator),
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}
