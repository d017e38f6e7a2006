import type { SizeRange } from "#controller/volume-size.ts";
import type { CapacityRange } from "../gen/csi.ts";

/** A range that is missing says the same as one of zeros: nothing. */
export function sizeRangeFrom(range: CapacityRange | undefined): SizeRange {
  return range ?? { requiredBytes: 0, limitBytes: 0 };
}
