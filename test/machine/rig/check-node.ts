import { spawnSync } from "node:child_process";
import { driverCommand } from "./programs.ts";

/** What `rds-csi check --node` says on this machine, by the configuration of `node-a`. */
export function checkNode(): { readonly status: number | null; readonly text: string } {
  const [program = "", ...args] = driverCommand;
  const config = "/run/cluster/node-a/node.json";
  const { status, stdout } = spawnSync(program, [...args, "check", "--node", "--config", config], {
    encoding: "utf8",
  });
  return { status, text: stdout };
}
