import { TextDecoder } from "node:util";

/**
 * Text of bytes that need not be UTF-8, without loss: each byte that is no part of a valid UTF-8
 * sequence becomes a lone surrogate U+DC80…U+DCFF, which `toBytes` turns back.
 */
export function fromBytes(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.includes("\uFFFD") ? fromBrokenBytes(bytes) : text;
}

/** UTF-8 of a text, and the original bytes of what `fromBytes` could not read as UTF-8. */
export function toBytes(text: string): Buffer {
  if (!/[\uDC80-\uDCFF]/u.test(text)) return Buffer.from(text, "utf8");
  const parts = text.split(/([\uDC80-\uDCFF]+)/u);
  return Buffer.concat(parts.map((part, index) => (index % 2 === 0 ? utf8(part) : raw(part))));
}

function fromBrokenBytes(bytes: Buffer): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const sequence = bytes.subarray(at, at + sequenceLength(bytes[at] ?? 0));
    const decoded = decode(decoder, sequence);
    text += decoded ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += decoded === undefined ? 1 : sequence.length;
  }
  return text;
}

function decode(decoder: TextDecoder, bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

function utf8(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

function raw(surrogates: string): Buffer {
  return Buffer.from(Array.from(surrogates, (unit) => unit.charCodeAt(0) - 0xdc00));
}
