import type { BackEnd, ExportFabric, FileStore, SubvolumeStore } from "./back-end.ts";

const done = async (): Promise<void> => {};

/** Keeps no bytes at all: the appliance's own books are everything there is. */
export function memoryBackEnd(): BackEnd {
  const files: FileStore = {
    makeDirectory: done,
    createImage: done,
    growImage: done,
    writeText: done,
    copy: done,
    move: done,
    remove: done,
    writtenBytes: async () => 0,
    usedOfFileSystem: async () => 0,
  };
  const subvolumes: SubvolumeStore = {
    make: done,
    snapshot: done,
    setReadOnly: done,
    remove: done,
  };
  const fabric: ExportFabric = {
    publish: done,
    withdraw: done,
    resized: done,
    replaceAll: done,
    close: done,
  };
  return { files, subvolumes, fabric };
}
