import type { Refusal } from "./sight.ts";

/** What a step that went well has found out. */
export interface Outcome {
  /** The device is not the volume. */
  readonly refused?: Refusal;
}
