/** One thing that `rds-csi check` has looked at. */
export interface Finding {
  /** `warning`: it works, but somebody should know. `problem`: it does not work. */
  readonly level: "ok" | "warning" | "problem";
  /** A sentence for an operator. */
  readonly text: string;
}

export interface CheckedPart {
  /** `Appliance "rds1"` */
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const ok = (text: string): Finding => ({ level: "ok", text });
export const warning = (text: string): Finding => ({ level: "warning", text });
export const problem = (text: string): Finding => ({ level: "problem", text });
