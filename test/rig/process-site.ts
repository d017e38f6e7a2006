import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { CsiClient } from "#csi/client.ts";
import type { Fault } from "#sim/ssh/faults.ts";
import { applianceConfig, DriverProcess } from "./driver-process.ts";
import { SimulatedAppliance } from "./simulated-appliance.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A controller in a process of its own, and a CO that talks to it. */
export interface Controller {
  readonly driver: DriverProcess;
  readonly client: CsiClient;
}

/**
 * An appliance, and controllers that run as processes of their own, one after the other.
 * @param overrides - of the appliance's configuration.
 */
export async function processSite(t: TestContext, overrides: Record<string, unknown> = {}) {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const { path: folder } = stack.use(temporaryFolder());
  const rds = stack.use(await SimulatedAppliance.start({ stateDirectory: folder }));
  const appliances = { rds1: { ...applianceConfig(rds.simulator), ...overrides } };
  const config = { clusterId: "c1", kubernetes: "off", nodes: ["n1", "n2"], appliances };
  const start = async (): Promise<Controller> => {
    const driver = stack.use(new DriverProcess({ role: "controller", folder, config }));
    await driver.listening();
    return { driver, client: stack.use(new CsiClient(`unix://${driver.socket}`)) };
  };
  /** Kills the controller while the appliance is in that line of the call. */
  const killIn = async (
    call: (client: CsiClient) => Promise<unknown>,
    moment: Pick<Fault, "match" | "at" | "changes">,
    { driver, client }: Controller,
  ): Promise<void> => {
    const fault = rds.simulator.faults.add({ ...moment, action: "hang" });
    const lost = assert.rejects(call(client), { code: status.UNAVAILABLE });
    await until(`${moment.match} was not sent`, () => fault.struck > 0);
    await driver.kill();
    await lost;
  };
  return { rds, start, killIn };
}

/** @param what - What has not happened when the wait ends, for the message. */
export async function until(
  what: string,
  reached: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (await reached()) return;
    await delay(20);
  }
  throw new Error(`Cannot go on: within 10 s ${what}`);
}
