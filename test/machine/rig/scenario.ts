import { after, test } from "node:test";
import { Cluster, type ClusterOptions } from "./cluster.ts";

/**
 * Runs scenarios one after another in one cluster, which costs a while to start.
 * @param skip - Why it is not played here.
 */
export type Scenario = (
  name: string,
  run: (cluster: Cluster) => Promise<void>,
  skip?: string | false,
) => void;

/** The cluster of a file of scenarios. One that fails shows what the driver logged last. */
export function clusterWith(options: ClusterOptions = {}): Scenario {
  let cluster: Cluster | undefined;
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });
  return (name, run, skip = false) => {
    test(name, { skip }, async () => {
      try {
        cluster ??= await Cluster.start(options);
        await run(cluster);
      } catch (cause) {
        const logs = cluster?.logs() ?? "";
        throw new Error(`The scenario failed. The driver logged last:\n${logs}`, { cause });
      }
    });
  };
}
