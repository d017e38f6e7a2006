import { backingPath, type Disk, isExported, nqnOf, slotOf } from "./disk.ts";
import { itemId } from "./numbering.ts";

/** The items of `/disk` in list order, found by id, slot, backing file and exported NQN. */
export class Disks {
  readonly #byId = new Map<string, Disk>();
  readonly #bySlot = new Map<string, Disk>();
  readonly #byPath = new Map<string, Disk>();
  readonly #byNqn = new Map<string, Disk>();

  get all(): Iterable<Disk> {
    return this.#byId.values();
  }

  get(id: string): Disk | undefined {
    return this.#byId.get(id);
  }

  withSlot(slot: string): Disk | undefined {
    return this.#bySlot.get(slot);
  }

  withFile(path: string): Disk | undefined {
    return this.#byPath.get(path);
  }

  /** The item that is exported under `nqn` now. */
  exportedAs(nqn: string): Disk | undefined {
    return this.#byNqn.get(nqn);
  }

  /** Adds an item, or puts a changed one in the place of the former. */
  put(disk: Disk): void {
    const id = itemId(disk.number);
    this.#unindex(this.#byId.get(id));
    this.#byId.set(id, disk);
    this.#bySlot.set(slotOf(disk), disk);
    const path = backingPath(disk);
    if (path !== undefined) this.#byPath.set(path, disk);
    if (isExported(disk)) this.#byNqn.set(nqnOf(disk), disk);
  }

  delete(disk: Disk): void {
    this.#unindex(disk);
    this.#byId.delete(itemId(disk.number));
  }

  #unindex(disk: Disk | undefined): void {
    if (disk === undefined) return;
    this.#bySlot.delete(slotOf(disk));
    const path = backingPath(disk);
    if (path !== undefined) this.#byPath.delete(path);
    if (isExported(disk)) this.#byNqn.delete(nqnOf(disk));
  }
}
