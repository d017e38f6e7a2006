/** A configuration that cannot be used; nothing was started. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One sentence each, beginning with the key. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(["Cannot use the configuration:", ...problems].join("\n  "), options);
    this.problems = problems;
  }
}
