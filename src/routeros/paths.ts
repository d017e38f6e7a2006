/**
 * The one form in which paths are compared: no slash at either end, single ones between. `/disk` prints
 * `/pool/a.img` where `/file` prints `pool/a.img` (observed on RDS2216).
 */
export function canonicalPath(path: string): string {
  return segmentsOf(path).join("/");
}

/** Whether `path` is `folder` or lies in it: by segments, so that `pool/csi-evil` is not in `pool/csi`. */
export function isWithin(path: string, folder: string): boolean {
  const inner = segmentsOf(path);
  return segmentsOf(folder).every((segment, index) => inner[index] === segment);
}

/** Text as a POSIX extended regular expression that matches nothing but the text, for RouterOS' `~`. */
export function literalPattern(text: string): string {
  return text.replace(/[.[\]()*+?{}|^$\\]/g, "\\$&");
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}
