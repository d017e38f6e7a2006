import { once } from "node:events";
import type { Call, CallResult } from "#sim/console/menu.ts";
import { Duration, type Value } from "#sim/console/value.ts";
import { slotOf } from "./disk.ts";
import { failure } from "./failure.ts";
import type { Machine } from "./machine.ts";

type Unit = "count" | "rate" | "time";

/** In the order in which they are printed (observed on an RDS, RouterOS 7.21). */
const counters: readonly (readonly [name: string, unit: Unit])[] = [
  ["read-ops", "count"],
  ["read-ops-per-second", "count"],
  ["read-bytes", "count"],
  ["read-rate", "rate"],
  ["read-merges", "count"],
  ["read-time", "time"],
  ["write-ops", "count"],
  ["write-ops-per-second", "count"],
  ["write-bytes", "count"],
  ["write-rate", "rate"],
  ["write-merges", "count"],
  ["write-time", "time"],
  ["in-flight-ops", "count"],
  ["active-time", "time"],
  ["wait-time", "time"],
  ["discard-ops", "count"],
  ["discard-bytes", "count"],
  ["discard-merges", "count"],
  ["discard-time", "time"],
  ["flush-ops", "count"],
  ["flush-time", "time"],
];

/** The counters that can be recorded; times in milliseconds, rates in bits per second. */
export const trafficCounters: ReadonlySet<string> = new Set(counters.map(([name]) => name));

/** `/disk/monitor-traffic <items> once`: one block per item; without `once` until the session ends. */
export async function monitorTraffic(call: Call, machine: Machine): Promise<CallResult> {
  if (!call.words.has("once")) {
    if (call.words.has("as-value")) throw failure("as-value needs once");
    if (!call.signal.aborted) await once(call.signal, "abort");
    return {};
  }
  const disks = call.ids.map((id) => machine.disks.get(id)).filter((disk) => disk !== undefined);
  const records = disks.map((disk) => recordOf(slotOf(disk), machine));
  const [only] = records;
  const value = records.length === 1 && only !== undefined ? only : records;
  return { value, lines: records.flatMap(block) };
}

function recordOf(slot: string, machine: Machine): ReadonlyMap<string, Value> {
  const recorded = machine.traffic.get(slot);
  const values = counters.map(([name, unit]): [string, Value] => {
    const amount = recorded?.get(name) ?? 0;
    return [name, unit === "time" ? new Duration(amount) : amount];
  });
  return new Map<string, Value>([["slot", slot], ...values]);
}

/** Names right-aligned before the colon, values right-aligned after it, and an empty line. */
function block(record: ReadonlyMap<string, Value>): readonly string[] {
  const units = new Map(counters);
  const cells = [...record].map(([name, value]) => [name, shown(value, units.get(name))] as const);
  const width = Math.max(...cells.map(([, text]) => text.length));
  return [...cells.map(([name, text]) => `${name.padStart(22)}: ${text.padStart(width)}`), ""];
}

function shown(value: Value, unit: Unit | undefined): string {
  if (value instanceof Duration) return timeText(value.milliseconds);
  if (typeof value !== "number") return String(value);
  return unit === "rate" ? rateText(value) : String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** `48s149ms`, `0ms`. */
function timeText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${seconds > 0 ? `${seconds}s` : ""}${milliseconds % 1000}ms`;
}

/** `12.8Mbps`, `0bps`. */
function rateText(bitsPerSecond: number): string {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bitsPerSecond)) / 3));
  const amount = bitsPerSecond / 1000 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)}${["", "k", "M", "G"][power]}bps`;
}
