import type { FsType } from "#domain/access-mode.ts";
import type { DeviceContent } from "#domain/ports/filesystems.ts";

/** What a volume's image holds; it lives on the appliance and outlasts every connection to it. */
export class FakeDisk {
  sizeBytes: number;
  content: DeviceContent = { kind: "blank" };
  /** Bytes of the device that the file system uses. */
  filesystemBytes = 0;
  /** What pods have written, by name. */
  readonly files = new Map<string, string>();
  /** mkfs has begun and not ended: nothing can mount it. */
  isHalfMade = false;
  /** Mounted for writing when its node died: the kernel replays the journal at the next mount. */
  isJournalDirty = false;
  /** Cannot be mounted before it was checked. */
  isDamaged = false;
  /** What an ext4 has met since its last check. */
  errors = 0;
  /** How often a file system was made. */
  formats = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  /** What the appliance copies from it now, in the middle of all writing: also the UUID, and the journal as it is. */
  copy(sizeBytes = this.sizeBytes): FakeDisk {
    const { content, filesystemBytes, formats } = this;
    const made = { content, filesystemBytes, formats, isJournalDirty: true };
    const copy = Object.assign(new FakeDisk(sizeBytes), made);
    for (const [name, text] of this.files) copy.files.set(name, text);
    return copy;
  }

  /** Makes a file system in one go, as another node would bring it. */
  format(fsType: FsType): void {
    this.beginFormat();
    this.endFormat(fsType);
  }

  beginFormat(): void {
    this.files.clear();
    this.isHalfMade = true;
    this.content = { kind: "other", description: "unknown data" };
  }

  endFormat(fsType: FsType): void {
    this.formats++;
    this.isHalfMade = false;
    this.isJournalDirty = false;
    this.isDamaged = false;
    this.errors = 0;
    this.filesystemBytes = this.sizeBytes;
    this.content = { kind: "filesystem", fsType, uuid: `uuid-${this.formats}` };
  }
}
