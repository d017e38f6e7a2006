import type { Flag, Menu, Property } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import type { Machine } from "./machine.ts";

/** `/system/package`. */
export function packageMenu(machine: Machine): Menu {
  const disabled: Flag = { letter: "X", property: "disabled", group: 0 };
  const available: Flag = { letter: "A", property: "available", group: 0 };
  return {
    path: "/system/package",
    singleton: false,
    properties: [
      { name: "name", kind: "string", brief: true },
      { name: "version", kind: "word", brief: true },
      { name: "disabled", kind: "boolean", brief: false, flagOnly: true },
      { name: "available", kind: "boolean", brief: false, flagOnly: true },
    ],
    flags: [disabled, available],
    rows: () =>
      ["routeros", machine.switches.get("storage-package-name")].map((name, index) => ({
        id: `*${index + 1}`,
        values: new Map<string, Value>([
          ["name", name],
          ["version", machine.versionText.split(" ", 1)[0]],
          ["disabled", false],
          ["available", index > 0 && !machine.hasStoragePackage],
        ]),
      })),
    commands: new Map(),
  };
}

/** Sensors of a device at rest, with the units that RouterOS prints (RouterOS manual, "Health"). */
const sensors: readonly (readonly [name: string, value: string, type: string])[] = [
  ["power-consumption", "50.8", "W"],
  ["cpu-temperature", "43", "C"],
  ["fan1-speed", "5654", "RPM"],
  ["fan2-speed", "5640", "RPM"],
  ["board-temperature1", "36", "C"],
  ["psu1-voltage", "12.1", "V"],
  ["psu2-voltage", "12.1", "V"],
];

/** `/system/health`; a test shows other values under the slot `health`. */
export function healthMenu(machine: Machine): Menu {
  const columns = ["name", "value", "type"];
  const properties: readonly Property[] = columns.map((name) => ({
    name,
    kind: "word",
    brief: true,
  }));
  return {
    path: "/system/health",
    singleton: false,
    properties,
    flags: [],
    rows: () =>
      sensors.map(([name, value, type], index) => ({
        id: `*${(index + 1).toString(16).toUpperCase()}`,
        values: new Map<string, Value>([
          ["name", name],
          ["value", machine.shown.get("health")?.get(name) ?? value],
          ["type", type],
        ]),
      })),
    commands: new Map(),
  };
}
