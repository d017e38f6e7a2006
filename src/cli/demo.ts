import { parseArgs } from "node:util";
import { playDemo } from "#app/demo/demo.ts";
import { type Command, exitCodes } from "./command.ts";
import { version } from "./version.ts";

const help = `Usage: rds-csi demo

Plays the driver's main job on a simulated appliance in one terminal: a volume is provisioned over SSH,
attached, formatted, mounted, written, expanded, moved to a second node and deleted. Each step shows what
the appliance and the kernel have to say.

Where the kernel can be host and target of NVMe over TCP, volumes travel by that, on 127.0.0.1, and the
appliance restarts under a pod that writes, which sees a pause and no error. This needs the modules nvme-tcp,
nvmet-tcp and dm-multipath (they are loaded, and stay), dmsetup, and a target that exports nothing for
others. Elsewhere loop devices stand in, and the demo says why.

Needs root and loop devices to mount; without, it plays the control-plane half and says so. Leaves nothing
mounted or running.
`;

export const demoCommand: Command = {
  help: () => help,
  run: async (args, terminal) => {
    parseArgs({ args: [...args], options: {} });
    try {
      await playDemo(version, terminal);
      return exitCodes.done;
    } catch (error) {
      if (error !== terminal.signal.reason) throw error;
      terminal.err("Ended early; nothing is left mounted or running\n");
      return exitCodes.failed;
    }
  },
};
