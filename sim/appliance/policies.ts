import { ConsoleError } from "#sim/console/console-error.ts";

/** The policies of RouterOS user groups. */
export const policies = [
  "local",
  "telnet",
  "ssh",
  "ftp",
  "reboot",
  "read",
  "write",
  "policy",
  "test",
  "winbox",
  "password",
  "web",
  "sniff",
  "sensitive",
  "api",
  "romon",
  "rest-api",
] as const;

export type Policy = (typeof policies)[number];

const reading = new Set(["print", "find", "get", "monitor-traffic"]);

/**
 * Checks a command against the policies of a user. All groups may work on files (RouterOS manual,
 * "User"); `/system/resource` needs `test` as well (observed on RDS2216, RouterOS 7.24.4, over REST).
 * @throws {ConsoleError} `not enough permissions (9)`.
 */
export function requirePolicies(granted: ReadonlySet<Policy>, path: string, command: string): void {
  for (const policy of neededPolicies(path, command))
    if (!granted.has(policy)) throw new ConsoleError("run-time", "not enough permissions (9)");
}

function neededPolicies(path: string, command: string): readonly Policy[] {
  if (path === "/file") return [];
  if (path === "/system/resource") return ["read", "test"];
  return reading.has(command) ? ["read"] : ["write"];
}
