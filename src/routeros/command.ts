/** What may stand in a command: text is quoted, a number or flag printed, a command inserted as it is. */
export type CommandValue = string | number | boolean | Command;

/** One line for the RouterOS console. Only `command` makes it, so it cannot carry an injection. */
export class Command {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** Literal text is ours and stands as written; see {@link CommandValue} for the values. */
  static of(literals: TemplateStringsArray, ...values: readonly CommandValue[]): Command {
    return new Command(String.raw({ raw: literals.raw }, ...values.map(render)));
  }
}

/** Tag for templates: `` command`/disk/print where slot=${slot}` ``. */
export const command = Command.of;

/**
 * A RouterOS string literal for any text. Bytes outside a safe set are written `\HH` in upper-case
 * hexadecimal, so that `"`, `\`, `$`, `[`, `;`, `?` and line ends stay data (RouterOS manual, "Scripting").
 */
export function quote(value: string): string {
  const bytes = Buffer.from(value, "utf8").toString("latin1");
  return `"${bytes.replace(/[^\w ./:=,@+-]/g, escapeByte)}"`;
}

function escapeByte(byte: string): string {
  return `\\${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function render(value: CommandValue): string {
  if (value instanceof Command) return value.text;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return quote(value);
  if (!Number.isSafeInteger(value)) throw new RangeError(`Cannot write ${value} in a command`);
  return String(value);
}
