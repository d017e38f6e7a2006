import type { Refusal } from "./sight.ts";

/** What a step that went well has found out. */
export interface Outcome {
  /** The device is not the volume. */
  readonly refused?: Refusal;
  /** Places where pods keep a mount that is dead. */
  readonly leftBehind?: readonly string[];
}
