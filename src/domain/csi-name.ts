import { base32 } from "#lib/base32.ts";
import { uuidBytes, uuidV5Bytes } from "#lib/uuid.ts";
import { DriverError } from "./errors.ts";

/** Namespace of the UUIDv5 of CSI names that carry no UUID. Never change it: ids depend on it. */
const csiNames = Buffer.from("6f1c5a1e1d7f4f0c9a3be3f0a4c3d2b1", "hex");

/** CSI spec, "Size Limits": strings have at most 128 bytes unless noted otherwise. */
const maxNameBytes = 128;

/** CSI spec, CreateVolumeRequest.name: control characters other than tab, line feed and return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the rule is about
const bannedCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/**
 * 26 characters base32 that stand for a CSI name: its UUID when the name is exactly `<uuidPrefix><uuid>`,
 * else the UUIDv5 of the whole name.
 * @param thing - For messages: `volume`.
 * @throws {DriverError} `invalid-argument` for an empty name, one over 128 bytes or with control characters.
 */
export function digestOfName(
  name: string,
  { thing, uuidPrefix }: { readonly thing: string; readonly uuidPrefix: string },
): string {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0)
    throw new DriverError("invalid-argument", `Cannot create a ${thing}: name is empty`);
  if (bytes > maxNameBytes)
    throw new DriverError(
      "invalid-argument",
      `Cannot create a ${thing}: name has ${bytes} bytes, the limit is ${maxNameBytes}`,
    );
  if (bannedCharacters.test(name))
    throw new DriverError(
      "invalid-argument",
      `Cannot create ${thing} ${JSON.stringify(name)}: its name has a control character`,
    );
  const uuid = name.startsWith(uuidPrefix) ? uuidBytes(name.slice(uuidPrefix.length)) : undefined;
  return base32(uuid ?? uuidV5Bytes(name, csiNames));
}
