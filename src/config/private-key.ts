import { readFile, stat } from "node:fs/promises";
import { Secret } from "#lib/secret.ts";
import { ConfigError } from "./config-error.ts";

export interface PrivateKey {
  readonly key: Secret;
  /** What should be mended, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the private key of an appliance's user.
 * @param setting - path of the setting that names the file, for messages.
 * @throws {ConfigError} when the file cannot be read or holds no private key.
 */
export async function readPrivateKey(file: string, setting: string): Promise<PrivateKey> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "no such file" : String(cause.code);
    throw new ConfigError([`${setting}: "${file}" cannot be read (${reason})`], { cause });
  });
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(text))
    throw new ConfigError([`${setting}: "${file}" holds no private key in PEM or OpenSSH form`]);
  const { mode } = await stat(file);
  // A group may read it: with fsGroup Kubernetes mounts secrets that way.
  const open = (mode & 0o007) !== 0;
  const warning = `Private key "${file}" may be read by everybody on this machine, mode ${octal(mode)}`;
  return { key: new Secret(text), warnings: open ? [warning] : [] };
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
