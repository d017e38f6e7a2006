import { runTool } from "#sim/appliance/run-tool.ts";

/**
 * A block device over an image, for what a file under the target cannot do: blocks of 512 bytes, and a size that
 * stays as it was when the image grows.
 */
export interface LoopDevices {
  /** @returns its path. */
  attach(image: string, blockBytes: string): Promise<string>;
  /** Shows the size that the image has now. */
  resize(device: string): Promise<void>;
  detach(device: string): Promise<void>;
}

export const hostLoopDevices: LoopDevices = {
  attach: async (image, blockBytes) => {
    const options = ["--find", "--show", "--sector-size", blockBytes];
    return (await runTool("losetup", ...options, image)).trim();
  },
  resize: async (device) => void (await runTool("losetup", "--set-capacity", device)),
  detach: async (device) => void (await runTool("losetup", "--detach", device)),
};

export function isLoopDevice(path: string): boolean {
  return /^\/dev\/loop\d+$/.test(path);
}
