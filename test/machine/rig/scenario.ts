import { after, test } from "node:test";
import { Cluster, type ClusterOptions } from "./cluster.ts";

/** Runs scenarios one after another in one cluster, which costs a while to start. */
export type Scenario = (name: string, run: (cluster: Cluster) => Promise<void>) => void;

/** The cluster of a file of scenarios. One that fails shows what the driver logged last. */
export function clusterWith(options: ClusterOptions = {}): Scenario {
  let cluster: Cluster | undefined;
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });
  return (name, run) => {
    test(name, async (t) => {
      cluster ??= await Cluster.start(options);
      try {
        await run(cluster);
      } catch (error) {
        t.diagnostic(cluster.logs());
        throw error;
      }
    });
  };
}
