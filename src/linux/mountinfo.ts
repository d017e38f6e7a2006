import type { Mount } from "#domain/ports/mounts.ts";

/** One line of mountinfo with all its fields. */
export interface MountInfo extends Mount {
  readonly id: number;
  readonly parentId: number;
  /** Optional fields, which tell of propagation: `shared:7`, `master:2`; none for a private mount. */
  readonly propagation: readonly string[];
}

/**
 * Reads `/proc/self/mountinfo`, the kernel's octal escapes undone; later mounts come later, so that of
 * several at one target the last is on top. Source: proc_pid_mountinfo(5).
 * @throws {SyntaxError} naming the first line that is not a mount.
 */
export function parseMountInfo(text: string): MountInfo[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    const mount = parseLine(line);
    if (mount === undefined)
      throw new SyntaxError(`Cannot read mountinfo line ${index + 1}: "${line}"`);
    return mount;
  });
}

const pattern =
  /^(?<id>\d+) (?<parentId>\d+) (?<majorMinor>\d+:\d+) (?<root>[^ ]+) (?<target>[^ ]+) (?<options>[^ ]+)(?<propagation>(?: [^ ]+)*?) - (?<fsType>[^ ]+) (?<source>[^ ]*) (?<superOptions>[^ ]*)$/;

function parseLine(line: string): MountInfo | undefined {
  const fields = pattern.exec(line)?.groups;
  if (fields === undefined) return undefined;
  const field = (name: string) => fields[name] ?? "";
  return {
    id: Number(field("id")),
    parentId: Number(field("parentId")),
    majorMinor: field("majorMinor"),
    root: unescapeOctal(field("root")),
    target: unescapeOctal(field("target")),
    options: words(field("options"), ","),
    propagation: words(field("propagation"), " "),
    fsType: unescapeOctal(field("fsType")),
    source: unescapeOctal(field("source")),
    superOptions: words(field("superOptions"), ","),
  };
}

function words(text: string, separator: string): string[] {
  return text
    .split(separator)
    .filter((word) => word !== "")
    .map(unescapeOctal);
}

/** The kernel escapes space, tab, newline, backslash and `#` as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
