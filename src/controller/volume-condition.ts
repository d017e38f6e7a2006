import { nqnFor } from "#domain/nqn.ts";
import type { Volume } from "#domain/volume.ts";

/** Whether the appliance shows a volume as its comment says it should be. */
export interface VolumeCondition {
  readonly abnormal: boolean;
  readonly message: string;
}

export function volumeCondition({ slot, tag, exported }: Volume): VolumeCondition {
  const nodes = tag.attachment?.nodes.map((node) => `"${node}"`).join(" and ");
  if (nodes === undefined)
    return exported.enabled
      ? { abnormal: true, message: `Exported as "${exported.nqn}", but attached to no node` }
      : { abnormal: false, message: "Not attached" };
  if (tag.halted && !exported.enabled)
    return {
      abnormal: true,
      message: `Attached to ${nodes}, but its pool ran full: not exported until there is room again`,
    };
  if (!exported.enabled)
    return { abnormal: true, message: `Attached to ${nodes}, but not exported` };
  const expected = tag.epoch && nqnFor(slot, tag.epoch);
  if (exported.nqn !== expected)
    return {
      abnormal: true,
      message: `Attached to ${nodes}, but exported as "${exported.nqn}" instead of "${expected ?? "an epoch's name"}"`,
    };
  return { abnormal: false, message: `Attached to ${nodes}` };
}
