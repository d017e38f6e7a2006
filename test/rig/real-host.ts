import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Nqn } from "#domain/nqn.ts";
import { systemClock } from "#lib/clock.ts";
import { LinuxBlockDevices } from "#linux/block-devices.ts";
import { deviceNumberOf } from "#linux/device-node.ts";
import { LinuxDirectReads } from "#linux/direct-read.ts";
import { createExec } from "#linux/exec.ts";
import { LinuxFilesystems } from "#linux/filesystems/linux-filesystems.ts";
import { LinuxHostPaths } from "#linux/host-paths.ts";
import { LoopInitiator } from "#linux/loop/loop-initiator.ts";
import { LoopRecords } from "#linux/loop/loop-record.ts";
import { Losetup } from "#linux/loop/losetup.ts";
import { LinuxMounts } from "#linux/mounts.ts";
import { FileStageRecords } from "#linux/stage-records.ts";
import { Sysfs } from "#linux/sysfs.ts";
import type { NodeHost } from "#node/host.ts";
import { LastingTools } from "#node/lasting-tools.ts";
import { VolumeHealth } from "#node/volume-health.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/**
 * This machine as a node: the real adapters, and one exported image on a loop device. Mounts and devices go
 * when it is disposed, whatever happened.
 */
export class RealHost implements Disposable {
  readonly #folder = temporaryFolder();
  readonly folder = this.#folder.path;
  readonly image = join(this.folder, "disk.img");
  readonly nqn = "nqn.2000-02.com.mikrotik:pvc-real.1-abcdefgh" as Nqn;
  readonly host: NodeHost;
  readonly #exports = join(this.folder, "exports");

  constructor(sizeBytes: number) {
    const exportsFolder = this.#exports;
    mkdirSync(exportsFolder);
    writeFileSync(this.image, "");
    truncateSync(this.image, sizeBytes);
    symlinkSync(this.image, join(exportsFolder, this.nqn));
    const exec = createExec();
    const sysfs = new Sysfs("/sys");
    const devices = new LinuxBlockDevices(exec, sysfs);
    this.host = {
      initiator: new LoopInitiator({
        losetup: new Losetup(exec),
        records: new LoopRecords(join(this.folder, "loops")),
        bootIdFile: "/proc/sys/kernel/random/boot_id",
        exportsFolder,
        host: { sysfs, dev: "/dev", deviceNumberOf },
        clock: systemClock,
      }),
      devices,
      filesystems: new LinuxFilesystems({ exec, devices, sysfs }),
      reads: new LinuxDirectReads(exec),
      mounts: new LinuxMounts(exec),
      paths: new LinuxHostPaths(exec),
      records: new FileStageRecords(join(this.folder, "volumes")),
      holds: undefined,
      tools: new LastingTools(systemClock),
      health: new VolumeHealth(),
      clock: systemClock,
      deviceWaitMilliseconds: 5_000,
    };
  }

  /** Exports another image, of what is in this one now, as an appliance copies it under whoever writes to it. */
  exportCopy(nqn: Nqn, sizeBytes: number): string {
    const copy = join(this.folder, "copy.img");
    copyAtOnce(this.image, copy);
    truncateSync(copy, sizeBytes);
    symlinkSync(copy, join(this.#exports, nqn));
    return copy;
  }

  /** Loop devices on the image, one a line. */
  loops(image = this.image): string {
    const args = ["--noheadings", "-O", "NAME", "-j", image];
    return execFileSync("losetup", args, { encoding: "utf8" }).trim();
  }

  [Symbol.dispose](): void {
    const table = readFileSync("/proc/self/mountinfo", "utf8").split("\n").toReversed();
    for (const [, path] of table.map((line) => /^\d+ \d+ \S+ \S+ (\S+)/.exec(line) ?? []))
      if (path?.startsWith(this.folder)) execFileSync("umount", [path]);
    const images = readdirSync(this.#exports).map((name) =>
      readlinkSync(join(this.#exports, name)),
    );
    for (const device of images.flatMap((image) => this.loops(image).split("\n")))
      if (device !== "") execFileSync("losetup", ["-d", device]);
    this.#folder[Symbol.dispose]();
  }
}

/** Copying takes a while: what was written to meanwhile, as by the kernel's own threads, is copied again. */
function copyAtOnce(image: string, copy: string): void {
  for (let attempt = 0; attempt < 20; attempt++) {
    execFileSync("cp", ["--sparse=always", image, copy]);
    if (spawnSync("cmp", ["--silent", image, copy]).status === 0) return;
  }
  throw new Error(`Cannot copy "${image}": it does not stop changing`);
}
