import type { Value } from "./value.ts";

/**
 * What the console needs to know of a menu, and nothing of what stands behind it.
 * `sim/appliance/` builds menus; `sim/console/` parses commands, runs them and prints the results.
 */
export interface Menu {
  /** Absolute, such as `/disk` or `/disk/btrfs/subvolume`. */
  readonly path: string;
  /** A singleton (`/system/identity`) has one row, no `find`, and rejects `detail`. */
  readonly singleton: boolean;
  /** In the order in which RouterOS prints them. */
  readonly properties: readonly Property[];
  /** In menu order: the order of the `Flags:` legend and of the flag columns. */
  readonly flags: readonly Flag[];
  /** Names of the brief columns in table order, where that differs from the order of `properties`. */
  readonly columns?: readonly string[];
  /** Arguments of `print` beyond the console's own: `path`, `recursive` and `relative` in `/file`. */
  readonly printArguments?: ReadonlySet<string>;
  /** Every row in list order, narrowed by `printArguments` where given; `print` and `find` filter them. */
  rows(print?: ReadonlyMap<string, Value>): Promise<readonly Row[]> | readonly Row[];
  /** Commands other than the console's own `print`, `find` and `get`, by name (`add`, `set`, `remove`, …). */
  readonly commands: ReadonlyMap<string, MenuCommand>;
}

/** How a property is printed by each print mode; JSON and as-value derive from the value itself. */
export interface Property {
  readonly name: string;
  /**
   * `string` is quoted in `detail`, `word` is not (enums, paths, `/file` names); `number` gets a blank
   * every three digits; `file-size` prints `50.0GiB`; `percent` `8%`; `boolean` yes/no.
   */
  readonly kind:
    | "string"
    | "word"
    | "number"
    | "file-size"
    | "percent"
    | "boolean"
    | "list"
    | "time";
  /** Shown as a column by the plain table `print`, and by `as-value` without `detail`. */
  readonly brief: boolean;
  /** Never printed by human modes because a flag letter already shows it; still in `detail as-value`. */
  readonly flagOnly?: boolean;
}

export interface Flag {
  readonly letter: string;
  /** Boolean property behind it, such as `nvme-tcp-export`; also usable as a bare word in `where`. */
  readonly property: string;
  /** Flags of one group share a column; groups are numbered from 0. */
  readonly group: number;
}

/** One item of a menu. A property that the item does not have is absent, not empty. */
export interface Row {
  /** `*2B` */
  readonly id: string;
  readonly values: ReadonlyMap<string, Value>;
}

/** A command of a menu with the arguments this RouterOS version accepts. */
export interface MenuCommand {
  /** Takes items as unnamed argument: `set [find …] x=y`, `remove pvc-1`, `monitor-traffic pool`. */
  readonly takesItems: boolean;
  /** Accepted named arguments; any other is a parse error, so nothing of the line is executed. */
  readonly arguments: ReadonlySet<string>;
  /** Accepted bare words; `once` and `as-value` where absent. */
  readonly words?: ReadonlySet<string>;
  /**
   * Looks at a value that stands in the line as such, before anything of the line is executed.
   * @throws {ConsoleError} such as `input does not match any value of type`.
   */
  check?(argument: string, value: string): void;
  /** @throws {ConsoleError} run-time failure, such as `failure: already have such entry`. */
  run(call: Call): Promise<CallResult> | CallResult;
}

export interface Call {
  /** Ids of the resolved items in the order given; empty for `add`, and for a `find` without match. */
  readonly ids: readonly string[];
  /**
   * A bare word arrives as the text that was written (`yes`, `50G`, `*2B`, `007`), as a quoted string
   * does; variables, `( )` and `[ ]` arrive as the values they have.
   */
  readonly arguments: ReadonlyMap<string, Value>;
  /** Bare words given to monitor-like commands: `once`, `as-value`. */
  readonly words: ReadonlySet<string>;
  /** Aborted when the session goes away. */
  readonly signal: AbortSignal;
}

/** What `:put [<command>]` shows (`add` gives the new id), and what the command prints when it stands alone. */
export interface CallResult {
  readonly value?: Value;
  /** Lines for the terminal, without line ends. */
  readonly lines?: readonly string[];
}

/** Resolves an unnamed item reference that is neither an id nor a number: a slot, a file name, a label. */
export type NameProperty = string;

/** The menus of one appliance as seen by one user of one RouterOS version. */
export interface MenuTree {
  /** `undefined` when this version, its packages or its syscaps have no such menu. */
  menu(path: string): Menu | undefined;
  /** Whether some menu lies below `path`, so that it is a folder of the tree. */
  hasPrefix(path: string): boolean;
  /** Property by which items of a menu can be referenced directly: `slot` for `/disk`. */
  nameProperty(path: string): NameProperty | undefined;
  /** Which policy a command needs, and whether the user has it. @throws {ConsoleError} `not enough permissions (9)` */
  authorize(path: string, command: string): void;
  /** Decides the wording of parse errors (`bad parameter x` from 7.23) and which built-ins exist. */
  readonly version: Version;
}

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}
