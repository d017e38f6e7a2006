import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { BackEnd } from "./back-end.ts";
import { DirectoryFiles } from "./directory-files.ts";
import { directorySubvolumes } from "./directory-subvolumes.ts";
import { SymlinkFabric } from "./symlink-fabric.ts";

/** Real files: images below `data`, one directory per mount point; exports as links in `<state>/exports`. */
export async function directoryBackEnd(directories: {
  readonly data: string;
  readonly state: string;
}): Promise<BackEnd> {
  await mkdir(directories.data, { recursive: true });
  const files = new DirectoryFiles(directories.data);
  const subvolumes = await directorySubvolumes(directories.data, files);
  const exports = join(directories.state, "exports");
  return { files, subvolumes, fabric: new SymlinkFabric(exports, (path) => files.hostPath(path)) };
}
