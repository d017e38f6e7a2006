import {
  type AmountSwitch,
  type ChoiceSwitch,
  type SwitchName,
  type SwitchValue,
  type SwitchValues,
  switchTable,
} from "./switch-table.ts";

/** The switches of one simulator; they may be turned at any time and apply from the next command on. */
export class Switches {
  readonly #values = new Map<SwitchName, string | number>();

  constructor(values: Partial<SwitchValues> = {}) {
    for (const name of switchNames()) {
      const value = values[name];
      if (value !== undefined) this.#store(name, value);
    }
  }

  get<N extends SwitchName>(name: N): SwitchValue<N> {
    // Only values that passed #store get here, so the type of the table holds.
    return (this.#values.get(name) ?? switchTable[name].default) as SwitchValue<N>;
  }

  /** @throws {RangeError} when the value is not one of the switch. */
  set<N extends SwitchName>(name: N, value: SwitchValue<N>): void {
    this.#store(name, value);
  }

  /** Back to the defaults. */
  reset(): void {
    this.#values.clear();
  }

  #store(name: SwitchName, value: string | number): void {
    const definition: ChoiceSwitch | AmountSwitch = switchTable[name];
    if (!isAllowed(definition, value))
      throw new RangeError(
        `Cannot set switch "${name}" to "${value}": allowed is ${allowed(definition)}`,
      );
    this.#values.set(name, value);
  }
}

/** In the order of the table. */
export function switchNames(): SwitchName[] {
  return Object.keys(switchTable).filter((name) => name in switchTable) as SwitchName[];
}

/**
 * Reads `name=value` as given on a command line.
 * @throws {RangeError} naming the switch and what it allows.
 */
export function parseSwitch(text: string): Partial<SwitchValues> {
  const [word = "", value = ""] = text.split(/=(.*)/s);
  const name = switchNames().find((known) => known === word);
  if (name === undefined) throw new RangeError(`Cannot set switch "${word}": no such switch`);
  const parsed = "range" in switchTable[name] && /^\d+$/.test(value) ? Number(value) : value;
  const switches = new Switches({ [name]: parsed });
  return { [name]: switches.get(name) };
}

/** The allowed values in words: `adopt, refuse` or `1 to 1000`. */
export function allowed(definition: ChoiceSwitch | AmountSwitch): string {
  if ("values" in definition) return definition.values.join(", ");
  return `${definition.range[0]} to ${definition.range[1]}`;
}

function isAllowed(definition: ChoiceSwitch | AmountSwitch, value: string | number): boolean {
  if ("values" in definition)
    return definition.values.some((allowedValue) => allowedValue === value);
  const [from, to] = definition.range;
  return typeof value === "number" && Number.isInteger(value) && value >= from && value <= to;
}
