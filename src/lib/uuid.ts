import { createHash } from "node:crypto";

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The 16 bytes of a UUID in its lower-case text form, or `undefined` for any other text. */
export function uuidBytes(text: string): Buffer | undefined {
  return pattern.test(text) ? Buffer.from(text.replaceAll("-", ""), "hex") : undefined;
}

/** The 16 bytes of a name-based UUID, version 5. Source: RFC 9562, section 5.5. */
export function uuidV5Bytes(name: string, namespace: Uint8Array): Buffer {
  const bytes = createHash("sha1").update(namespace).update(name, "utf8").digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes;
}
