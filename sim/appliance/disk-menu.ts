import type { Menu, MenuCommand } from "#sim/console/menu.ts";
import { addDisk, checkAddArgument } from "./disk-add.ts";
import { diskArguments, settingOf } from "./disk-arguments.ts";
import { copyDisk } from "./disk-copy.ts";
import { diskColumns, diskFlags, diskProperties } from "./disk-properties.ts";
import { removeDisks } from "./disk-remove.ts";
import { DiskRows } from "./disk-rows.ts";
import { setDisks, unsetDisks } from "./disk-set.ts";
import { atParse } from "./failure.ts";
import type { Machine } from "./machine.ts";
import { monitorTraffic } from "./monitor-traffic.ts";

const none: ReadonlySet<string> = new Set();

/** `/disk`. */
export function diskMenu(machine: Machine): Menu {
  const settable = diskArguments(machine.version, machine.hasStoragePackage);
  const rows = new DiskRows(machine);
  const item = { takesItems: true, arguments: none };
  const disabled = (value: boolean): MenuCommand => ({
    ...item,
    run: (call) => setDisks({ ...call, arguments: new Map([["disabled", value]]) }, machine),
  });
  const unset: MenuCommand = {
    takesItems: true,
    arguments: new Set(["value-name"]),
    run: (call) => unsetDisks(call, machine),
  };
  return {
    path: "/disk",
    singleton: false,
    properties: diskProperties(machine.version),
    columns: diskColumns,
    flags: diskFlags,
    rows: () => rows.list(),
    commands: new Map<string, MenuCommand>([
      ["add", addCommand(settable, machine)],
      ["set", setCommand(settable, machine)],
      ["remove", { ...item, run: (call) => removeDisks(call, machine) }],
      ["enable", disabled(false)],
      ["disable", disabled(true)],
      ["comment", commentCommand(machine)],
      ["unset", unset],
      ["reset", unset],
      ["copy", copyCommand(machine)],
      ["monitor-traffic", { ...item, run: (call) => monitorTraffic(call, machine) }],
    ]),
  };
}

function addCommand(settable: ReadonlySet<string>, machine: Machine): MenuCommand {
  return {
    takesItems: false,
    arguments: new Set([...settable, "type", "copy-from"]),
    check: (name, value) => atParse(() => checkAddArgument(name, value)),
    run: (call) => addDisk(call, machine),
  };
}

function setCommand(settable: ReadonlySet<string>, machine: Machine): MenuCommand {
  return {
    takesItems: true,
    arguments: settable,
    check: (name, value) => atParse(() => void settingOf(name, value)),
    run: (call) => setDisks(call, machine),
  };
}

function commentCommand(machine: Machine): MenuCommand {
  return {
    takesItems: true,
    arguments: new Set(["comment"]),
    run: (call) => setDisks(call, machine),
  };
}

function copyCommand(machine: Machine): MenuCommand {
  return {
    takesItems: false,
    arguments: new Set(["src", "dst"]),
    run: (call) => copyDisk(call, machine),
  };
}
