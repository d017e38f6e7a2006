import { ConsoleError } from "#sim/console/console-error.ts";
import type { Call, Menu, MenuCommand, MenuTree, Property, Row } from "#sim/console/menu.ts";
import { Duration, type Value } from "#sim/console/value.ts";

/** Menus that keep state, for tests of the console alone; their commands behave as `/disk` does. */
export class ToyTree implements MenuTree {
  readonly version: MenuTree["version"];
  readonly disks: ToyMenu;
  readonly denied = new Set<string>();
  readonly #menus: ReadonlyMap<string, Menu>;

  constructor({ version = [7, 24, 4], disks = [] }: ToyOptions = {}) {
    const [major = 7, minor = 0, patch = 0] = version;
    this.version = { major, minor, patch };
    this.disks = new ToyMenu("/disk", diskProperties, diskFlags, disks);
    const subvolumes = new ToyMenu("/disk/btrfs/subvolume", subvolumeProperties, [], []);
    this.#menus = new Map(
      [this.disks, subvolumes, identity, clock].map((menu) => [menu.path, menu]),
    );
  }

  menu(path: string): Menu | undefined {
    return this.#menus.get(path);
  }

  hasPrefix(path: string): boolean {
    return [...this.#menus.keys()].some((menu) => menu.startsWith(`${path}/`));
  }

  nameProperty(path: string): string | undefined {
    return path === "/disk" ? "slot" : undefined;
  }

  authorize(path: string, command: string): void {
    if (this.denied.has(`${path}/${command}`))
      throw new ConsoleError("run-time", "not enough permissions (9)");
  }
}

export interface ToyOptions {
  readonly version?: readonly number[];
  readonly disks?: readonly Readonly<Record<string, Value>>[];
}

/** A list menu with `add`, `set`, `remove`, `unset` and `monitor`. */
export class ToyMenu implements Menu {
  readonly path: string;
  readonly singleton = false;
  readonly properties: readonly Property[];
  readonly flags: Menu["flags"];
  readonly commands: ReadonlyMap<string, MenuCommand>;
  /** Every call that reached a command, in order. */
  readonly calls: { readonly name: string; readonly call: Call }[] = [];
  readonly #rows: { readonly id: string; values: Map<string, Value> }[] = [];
  #nextId = 1;

  constructor(
    path: string,
    properties: readonly Property[],
    flags: Menu["flags"],
    rows: NonNullable<ToyOptions["disks"]>,
  ) {
    this.path = path;
    this.properties = properties;
    this.flags = flags;
    this.commands = this.#commands();
    for (const row of rows) this.#insert(new Map(Object.entries(row)));
  }

  rows(): readonly Row[] {
    return this.#rows;
  }

  #insert(values: Map<string, Value>): string {
    const id = `*${(this.#nextId++).toString(16).toUpperCase()}`;
    this.#rows.push({ id, values });
    return id;
  }

  #commands(): ReadonlyMap<string, MenuCommand> {
    const settable = new Set(this.properties.map(({ name }) => name));
    return new Map([
      ["add", this.#command("add", settable, (call) => ({ value: this.#add(call) }))],
      ["set", this.#command("set", settable, (call) => this.#set(call))],
      ["remove", this.#command("remove", new Set(), (call) => this.#remove(call))],
      ["unset", this.#command("unset", new Set(["value-name"]), () => ({}))],
      ["monitor", this.#command("monitor", new Set(), () => monitored)],
    ]);
  }

  #command(
    name: string,
    accepted: ReadonlySet<string>,
    run: (call: Call) => { readonly value?: Value; readonly lines?: readonly string[] },
  ): MenuCommand {
    return {
      takesItems: name !== "add",
      arguments: accepted,
      check: (argument, value) => {
        if (argument === "type" && !["file", "raid", "hardware"].includes(value))
          throw new ConsoleError("parse", "input does not match any value of type");
      },
      run: (call) => {
        this.calls.push({ name, call });
        return run(call);
      },
    };
  }

  #add(call: Call): Value {
    const slot = call.arguments.get("slot");
    if (slot !== undefined && this.#rows.some(({ values }) => values.get("slot") === slot))
      throw new ConsoleError("run-time", "failure: already have such entry");
    return this.#insert(typed(call.arguments));
  }

  #set({ ids, arguments: values }: Call): object {
    for (const row of this.#rows)
      if (ids.includes(row.id)) row.values = new Map([...row.values, ...typed(values)]);
    return {};
  }

  #remove({ ids }: Call): object {
    for (const id of ids)
      this.#rows.splice(
        this.#rows.findIndex((row) => row.id === id),
        1,
      );
    return {};
  }
}

const monitored = { value: new Map([["ops", 1]]), lines: ["  ops: 1", ""] };

/** Yes and no are booleans for a menu, whichever way they were written. */
function typed(values: ReadonlyMap<string, Value>): Map<string, Value> {
  const truths: Readonly<Record<string, boolean>> = { yes: true, no: false };
  return new Map(
    [...values].map(([name, value]) => [
      name,
      typeof value === "string" ? (truths[value] ?? value) : value,
    ]),
  );
}

const diskProperties: readonly Property[] = [
  { name: "type", kind: "word", brief: false },
  { name: "slot", kind: "string", brief: true },
  { name: "slot-default", kind: "string", brief: false },
  { name: "parent", kind: "string", brief: false },
  { name: "fs-label", kind: "string", brief: false },
  { name: "fs-uuid", kind: "string", brief: false },
  { name: "fs", kind: "word", brief: true },
  { name: "model", kind: "string", brief: false },
  { name: "size", kind: "number", brief: true },
  { name: "free", kind: "number", brief: false },
  { name: "total-inodes", kind: "number", brief: false },
  { name: "free-inodes", kind: "number", brief: false },
  { name: "use", kind: "percent", brief: false },
  { name: "mount-point", kind: "string", brief: false },
  ...["mount-filesystem", "mount-read-only", "compress"].map(yesNo),
  { name: "sector-size", kind: "number", brief: false },
  ...["raid-type", "raid-device-count", "raid-max-component-size", "raid-chunk-size"].map(word),
  ...["raid-master", "raid-role"].map(word),
  yesNo("raid-member-failed"),
  { name: "raid-member-state", kind: "string", brief: false },
  { name: "state", kind: "string", brief: false },
  { name: "raid-uuid", kind: "string", brief: false },
  yesNo("nvme-tcp-export"),
  word("nvme-tcp-server-port"),
  { name: "nvme-tcp-server-nqn", kind: "string", brief: false },
  { name: "nvme-tcp-server-allow-host-name", kind: "string", brief: false },
  ...["iscsi-export", "nfs-sharing", "smb-sharing", "media-sharing"].map(yesNo),
  word("media-interface"),
  yesNo("swap"),
  word("file-path"),
  { name: "file-size", kind: "file-size", brief: false },
  { name: "file-offset", kind: "number", brief: false },
  { name: "comment", kind: "string", brief: true },
  ...["block-device", "mounted", "raid-member"].map((name) => ({ ...yesNo(name), flagOnly: true })),
];

const diskFlags: Menu["flags"] = [
  { letter: "B", property: "block-device", group: 0 },
  { letter: "M", property: "mounted", group: 1 },
  { letter: "r", property: "raid-member", group: 2 },
  { letter: "t", property: "nvme-tcp-export", group: 3 },
];

const subvolumeProperties: readonly Property[] = ["fs", "name", "fullname"].map((name) => ({
  name,
  kind: "string",
  brief: true,
}));

const identity = singleton("/system/identity", { name: "CHR" });
const clock = singleton("/system/clock", {
  time: new Duration(24_164_000),
  "time-zone-name": "UTC",
});

function singleton(path: string, values: Readonly<Record<string, Value>>): Menu {
  return {
    path,
    singleton: true,
    properties: Object.keys(values).map((name) => ({ name, kind: "string", brief: true })),
    flags: [],
    rows: () => [{ id: "*0", values: new Map(Object.entries(values)) }],
    commands: new Map(),
  };
}

function yesNo(name: string): Property {
  return { name, kind: "boolean", brief: false };
}

function word(name: string): Property {
  return { name, kind: "word", brief: false };
}
