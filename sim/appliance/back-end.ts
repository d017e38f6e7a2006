/**
 * Where the bytes of a simulated appliance live and how they reach a host. The appliance decides and
 * keeps the books; a back end only carries out. Paths are canonical and begin with a mount point.
 */
export interface BackEnd {
  readonly files: FileStore;
  readonly subvolumes: SubvolumeStore;
  readonly fabric: ExportFabric;
}

/** @throws {StoreError} when the host cannot carry a call out; the appliance then changes nothing. */
export interface FileStore {
  makeDirectory(path: string): Promise<void>;
  /** Creates an image of zeros, replacing what may have been left at `path` by a crash. */
  createImage(path: string, bytes: number): Promise<void>;
  /** Sets the length; only ever called with a larger one. */
  growImage(path: string, bytes: number): Promise<void>;
  writeText(path: string, contents: string): Promise<void>;
  /** Copies a file, or a directory with everything in it. */
  copy(source: string, target: string): Promise<void>;
  move(source: string, target: string): Promise<void>;
  /** Removes a file or a directory with everything in it. */
  remove(path: string): Promise<void>;
  /** Bytes really taken below a mount point, for the accounting `allocation=sparse`. */
  writtenBytes(mountPoint: string): Promise<number>;
  /** Bytes that the file system of this host under it calls used, for the accounting `allocation=host`. */
  usedOfFileSystem(mountPoint: string): Promise<number>;
}

/** Btrfs subvolumes. @throws {StoreError} with the text of the ioctl that failed. */
export interface SubvolumeStore {
  make(path: string): Promise<void>;
  snapshot(source: string, target: string, readOnly: boolean): Promise<void>;
  setReadOnly(path: string, readOnly: boolean): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Makes images reachable under their NQN, exactly while `nvme-tcp-export=yes`. */
export interface ExportFabric {
  publish(image: ExportedImage): Promise<void>;
  withdraw(nqn: string): Promise<void>;
  /** The image of an exported NQN has grown. */
  resized(nqn: string, bytes: number): Promise<void>;
  /** At start, and around a power cut: withdraws everything, then publishes these. */
  replaceAll(images: readonly ExportedImage[]): Promise<void>;
  /** The simulator ends: takes away what must not outlive it. */
  close(): Promise<void>;
}

export interface ExportedImage {
  readonly nqn: string;
  readonly path: string;
  readonly port: number;
  readonly bytes: number;
  /** Host that may connect; empty for any. */
  readonly allowHostName: string;
}

/** A back end could not do what the appliance asked; the message is what RouterOS would print. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}
