import type { FaultMoment } from "#sim/ssh/faults.ts";

/** When a line of several changes is struck. */
export interface LineMoment {
  readonly at: FaultMoment;
  /** For `during`: behind how many of them. */
  readonly changes: number;
}

/** Before a line, behind each of its changes, and after it. */
export function momentsOf({ changes }: { readonly changes: number }): readonly LineMoment[] {
  return [
    { at: "before", changes: 0 },
    ...Array.from({ length: changes }, (_, index) => during(index + 1)),
    { at: "after", changes: 0 },
  ];
}

function during(changes: number): LineMoment {
  return { at: "during", changes };
}
