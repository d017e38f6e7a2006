import type { Call, CallResult, Menu, Property } from "#sim/console/menu.ts";
import { Duration, type Value } from "#sim/console/value.ts";
import { booleanOf, textOf } from "./argument-values.ts";
import { noMatch } from "./failure.ts";
import { gmtOffset, isZone, localTime } from "./local-time.ts";
import type { Machine } from "./machine.ts";

/** `/system/identity`, whose name can be set. */
export function identityMenu(machine: Machine): Menu {
  return singleton("/system/identity", () => [["name", machine.names.identity]], {
    kinds: { name: "word" },
    set: (call) => {
      machine.names.identity = textOf("name", call.arguments.get("name"));
    },
    machine,
  });
}

/** `/system/clock`, whose zone can be set; `manual` stands for UTC (RouterOS manual, "Clock"). */
export function clockMenu(machine: Machine): Menu {
  return singleton("/system/clock", () => clockValues(machine.names.timeZone), {
    kinds: {
      time: "word",
      date: "word",
      "time-zone-autodetect": "boolean",
      "time-zone-name": "word",
      "gmt-offset": "word",
      "dst-active": "boolean",
    },
    settable: ["time-zone-name"],
    set: (call) => {
      const zone = textOf("time-zone-name", call.arguments.get("time-zone-name"));
      if (!isZone(zone)) throw noMatch("time-zone-name");
      machine.names.timeZone = zone;
    },
    machine,
  });
}

function clockValues(zone: string): (readonly [string, Value])[] {
  const now = new Date();
  const [date = "", time = ""] = localTime(now, zone).split(" ");
  const ofTheYear = [0, 6].map((month) => gmtOffset(new Date(now.getFullYear(), month, 1), zone));
  const offset = gmtOffset(now, zone);
  return [
    ["time", time],
    ["date", date],
    ["time-zone-autodetect", false],
    ["time-zone-name", zone],
    ["gmt-offset", offset],
    ["dst-active", ofTheYear.some((other) => hours(other) < hours(offset))],
  ];
}

function hours(offset: string): number {
  return Number.parseInt(offset, 10);
}

/** `/disk/settings`: what new disk items are shared by without being asked. */
export function diskSettingsMenu(machine: Machine): Menu {
  const { names } = machine;
  return singleton(
    "/disk/settings",
    () => [
      ["auto-smb-sharing", names.autoSmbSharing],
      ["auto-media-sharing", names.autoMediaSharing],
      ["auto-media-interface", names.autoMediaInterface],
    ],
    {
      kinds: {
        "auto-smb-sharing": "boolean",
        "auto-media-sharing": "boolean",
        "auto-media-interface": "word",
      },
      set: (call) => setDiskSettings(call, machine),
      machine,
    },
  );
}

/** `/system/resource`. Uptime counts from the last (simulated) boot. */
export function resourceMenu(machine: Machine): Menu {
  return singleton("/system/resource", () => resources(machine), {
    kinds: {
      uptime: "time",
      version: "word",
      "build-time": "word",
      "free-memory": "file-size",
      "total-memory": "file-size",
      cpu: "word",
      "cpu-count": "number",
      "cpu-load": "percent",
      "free-hdd-space": "file-size",
      "total-hdd-space": "file-size",
      "architecture-name": "word",
      "board-name": "word",
      platform: "word",
    },
    machine,
  });
}

/** Facts of an RDS2216: 16 cores, 32 GiB of memory, 128 MiB of flash. */
function resources(machine: Machine): (readonly [string, Value])[] {
  return [
    [
      "uptime",
      new Duration(Math.ceil((Date.now() - machine.bootedAt.getTime() + 1) / 1000) * 1000),
    ],
    ["version", machine.versionText],
    ["build-time", "2026-11-02 09:30:00"],
    ["free-memory", 31 * 2 ** 30],
    ["total-memory", 32 * 2 ** 30],
    ["cpu", "ARM64"],
    ["cpu-count", 16],
    ["cpu-load", 1],
    ["free-hdd-space", 64 * 2 ** 20],
    ["total-hdd-space", 128 * 2 ** 20],
    ["architecture-name", "arm64"],
    ["board-name", "RDS2216-2XG-4S+4XS-2XQ"],
    ["platform", "MikroTik"],
  ];
}

function setDiskSettings(call: Call, { names }: Machine): void {
  for (const [name, value] of call.arguments) {
    if (name === "auto-smb-sharing") names.autoSmbSharing = booleanOf(name, value);
    if (name === "auto-media-sharing") names.autoMediaSharing = booleanOf(name, value);
    if (name === "auto-media-interface") names.autoMediaInterface = textOf(name, value);
  }
}

interface SingletonOptions {
  readonly kinds: Readonly<Record<string, Property["kind"]>>;
  /** Left out: every property. */
  readonly settable?: readonly string[];
  /** Applies the arguments of `set`; without it the menu is read-only. */
  readonly set?: (call: Call) => void;
  readonly machine: Machine;
}

function singleton(
  path: string,
  values: () => readonly (readonly [string, Value])[],
  { kinds, settable = Object.keys(kinds), set, machine }: SingletonOptions,
): Menu {
  const properties = Object.entries(kinds).map(([name, kind]) => ({ name, kind, brief: true }));
  const run = (call: Call): Promise<CallResult> =>
    machine.change(async () => {
      set?.(call);
      return {};
    });
  const command = { takesItems: false, arguments: new Set(settable), run };
  return {
    path,
    singleton: true,
    properties,
    flags: [],
    rows: () => [{ id: "*0", values: new Map(values()) }],
    commands: new Map(set === undefined ? [] : [["set", command]]),
  };
}
