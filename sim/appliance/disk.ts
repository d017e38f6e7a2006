export type Setting = string | number | boolean;

export type Settings = ReadonlyMap<string, Setting>;

/** One item of `/disk`. Immutable: a change makes a new one with the same number. */
export interface Disk {
  readonly number: number;
  readonly type: "file" | "raid" | "hardware";
  /** Values of settable properties by their RouterOS names; `file-path` with its leading slash. */
  readonly settings: Settings;
  /** Read-only properties of array and hardware items: model, state, member facts. */
  readonly facts: Settings;
  /** Set on the item that carries a mounted file system. */
  readonly mountPoint: string | undefined;
}

export function slotOf(disk: Disk): string {
  return String(disk.settings.get("slot"));
}

/** A disabled item keeps its settings and serves nobody. */
export function isExported({ settings }: Disk): boolean {
  return settings.get("nvme-tcp-export") === true && settings.get("disabled") !== true;
}

/** The NQN it has or would have: its own, else its slot (RouterOS manual, NVMe over TCP). */
export function nqnOf(disk: Disk): string {
  const own = disk.settings.get("nvme-tcp-server-nqn");
  return typeof own === "string" && own !== "" ? own : slotOf(disk);
}

/** Canonical path of the backing file; `undefined` for items that have none. */
export function backingPath({ settings }: Disk): string | undefined {
  const path = settings.get("file-path");
  return typeof path === "string" ? path.replace(/^\//, "") : undefined;
}

/** Usable bytes of a file disk. */
export function sizeOf({ settings }: Disk): number {
  return Number(settings.get("file-size") ?? 0);
}
