const pad = (value: number): string => String(value).padStart(2, "0");

/** `2025-11-11 14:32:41`: local time without a zone, as RouterOS 7.16 and later print it. */
export function localTime(date: Date): string {
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
  return `${day} ${time}`;
}
