import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sh } from "./world.ts";

/**
 * What kubelet itself makes of a raw block volume once it is published, and takes away before it unpublishes it: a bind mount of
 * it, and on that a loop device, which keeps the volume's device open. Source: Kubernetes, pkg/volume/util/util.go,
 * `MapBlockVolume` and `UnmapBlockVolume`; volumepathhandler/volume_path_handler_linux.go, `AttachFileDevice`.
 */
export class KubeletLoop {
  readonly path: string;

  /** @param published - `…/volumeDevices/publish/<volume>/<pod>` */
  constructor(published: string) {
    const [volume, pod] = [basename(dirname(published)), basename(published)];
    this.path = join(dirname(published), "../..", volume, "dev", pod);
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(this.path, "");
    sh(`mount --bind ${published} ${this.path} && losetup -f ${this.path}`);
  }

  /** The kernel's name for it, `loop0`. Kubelet too finds it by what it lies on. */
  get name(): string {
    const file = sh(`grep -lxF ${this.path} /sys/block/loop*/loop/backing_file`);
    return file.split("/")[3] ?? "";
  }

  remove(): void {
    sh(`losetup -d /dev/${this.name} && umount ${this.path}`);
    rmSync(this.path);
  }
}
