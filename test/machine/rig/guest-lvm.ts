import { mkdirSync } from "node:fs";
import { sh } from "./world.ts";

const folder = "/mnt/guest";
const volume = "/dev/mapper/guest-root";
/** The guest's own udev is not this machine's. */
const config = "activation{udev_sync=0 udev_rules=0} backup{backup=0 archive=0}";

/** By the kernel's name for it: `dm-0`. */
export function diskAt(path: string): string {
  return sh(`basename $(readlink /sys/dev/block/$(stat -c %Hr:%Lr ${path}))`).trim();
}

/** LVM of a virtual machine on the one disk that it has, played on this kernel: volume group `guest` with an ext4 in its volume `root`. */
export class GuestLvm {
  #options = "";

  /** @param path - Where a pod has its raw block volume. @returns where the file system is mounted. */
  create(path: string): string {
    const disk = this.#useDisk(path);
    sh(`lvm pvcreate -y ${this.#options} ${disk} && lvm vgcreate ${this.#options} guest ${disk}`);
    sh(`lvm lvcreate -y ${this.#options} -l 100%FREE -n root guest && mkfs.ext4 -q -F ${volume}`);
    return this.#mount();
  }

  /** Finds it all as it was left, and its file system whole. @returns as `create`. */
  start(path: string): string {
    this.#useDisk(path);
    sh(`lvm vgchange ${this.#options} -ay guest && e2fsck -fn ${volume}`);
    return this.#mount();
  }

  shutDown(): void {
    sh(`if mountpoint -q ${folder}; then umount ${folder}; fi`);
    sh(`lvm vgchange ${this.#options} -an guest`);
  }

  /** By the name that LVM knows it by, and no other disk. */
  #useDisk(path: string): string {
    const disk = diskAt(path);
    this.#options = `--devices /dev/${disk} --config '${config}'`;
    return `/dev/${disk}`;
  }

  #mount(): string {
    mkdirSync(folder, { recursive: true });
    sh(`mount ${volume} ${folder}`);
    return folder;
  }
}
