import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Command, Console } from "./console.ts";

/** What it takes to boot a machine. */
export interface Hardware {
  /** QEMU's program, and the arguments by which it finds its files. */
  readonly emulator: readonly string[];
  /** Folder made by prepare.sh: `vmlinux`, `initrd.cpio`. */
  readonly kernel: string;
}

/** A machine to boot, and what it may use. */
export interface MachineOptions extends Hardware {
  /** More words for the kernel's command line. */
  readonly parameters?: string;
  readonly memoryMiB: number;
  /** Size of an empty disk, `/dev/vda` in the machine. */
  readonly diskMiB: number;
}

/** A command that loses its power again and again is broken. */
const mostBoots = 2;

/** A kernel under plain QEMU emulation (no KVM needed), which runs one command after another. */
export class Machine implements Disposable {
  readonly #options: MachineOptions;
  readonly #remains = new Remains();
  #console: Console | undefined;

  /** It boots with its first command. */
  constructor(options: MachineOptions) {
    this.#options = options;
    const disk = join(this.#remains.folder, "disk.img");
    writeFileSync(disk, "");
    truncateSync(disk, options.diskMiB * 1024 * 1024);
  }

  /**
   * A machine that says `MACHINE-AGAIN` and then loses its power is booted once more, with the same command and the disk as it was.
   * @returns the command's exit status; 124 when the limit was reached, 125 when the machine did not come up, or went down.
   */
  async run(command: Command): Promise<number> {
    for (let boot = 0; boot < mostBoots; boot++) {
      this.#console ??= await this.#boot();
      const status = await this.#console.run(command);
      if (status !== "again") return status;
      this.#console = undefined;
    }
    return 125;
  }

  async #boot(): Promise<Console> {
    const { folder, children } = this.#remains;
    this.#remains.endProcesses();
    rmSync(join(folder, "root.sock"), { force: true });
    children.push(shareRoot(folder));
    await appears(join(folder, "root.sock"));
    const qemu = startQemu(folder, this.#options);
    children.push(qemu);
    return new Console(qemu);
  }

  [Symbol.dispose](): void {
    this.#remains[Symbol.dispose]();
  }
}

/** What a machine must not leave, also when this process is told to end: its processes and its folder. */
class Remains implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "rds-csi-machine-"));
  readonly children: ChildProcess[] = [];
  readonly #end = () => this[Symbol.dispose]();

  constructor() {
    process.once("exit", this.#end);
  }

  endProcesses(): void {
    for (const child of this.children.splice(0)) child.kill("SIGKILL");
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#end);
    this.endProcesses();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A read-only bind mount in a namespace of its own: the machine cannot write even if it remounts. Its copies of mounts of
 * loop devices go: they would keep these in use after tests have unmounted them.
 */
function shareRoot(folder: string): ChildProcess {
  mkdirSync(join(folder, "root"), { recursive: true });
  const script = `findmnt -rno SOURCE,TARGET | sed -n 's|^/dev/loop[^ ]* ||p' | xargs -r -n 1 umount -l
    mount --bind / "$0/root" && mount -o remount,bind,ro "$0/root" &&
    exec /usr/lib/qemu/virtiofsd --socket-path="$0/root.sock" -o source="$0/root" -o cache=always \
      -o sandbox=chroot -o log_level=err --thread-pool-size=0 -f`;
  return spawn("unshare", ["-m", "bash", "-c", script, folder], { stdio: "ignore" });
}

/** Without what is slow to emulate: wide registers, copying byte by byte, and walls between kernel and programs. */
const processor = "max,-avx,-avx2,-avx512f,-xsave,-erms,-fsrm,-fsgsbase,-smap,-smep";

/**
 * Of the time stamp counter, which the machine has from its host. Without it the machine's kernel measures the rate
 * when it boots, and on a busy host wrong: its time has run four times too fast, and all limits were over too soon.
 * Only a host that was told the rate by its hypervisor shows it as that of its processor.
 */
function clockRate(): string[] {
  const text = readFileSync("/proc/cpuinfo", "latin1");
  const [, megahertz] = /^cpu MHz\s*: ([\d.]+)$/m.exec(text) ?? [];
  const isTold =
    /^flags\s*:.* constant_tsc .*\bhypervisor\b/m.test(text) && /\btsc_known_freq\b/.test(text);
  return isTold && megahertz !== undefined
    ? [`tsc_early_khz=${Math.round(Number(megahertz) * 1_000)}`]
    : [];
}

/**
 * `init_on_alloc=1`: virtiofsd writes what it reads right into the machine's memory, and QEMU does not see it. Where such a page
 * had held code before, QEMU went on running that (seen: mkfs.xfs, dead of SIGSEGV at the same place each time it was started).
 * A page that is zeroed by the machine itself when it is allocated has lost its code in QEMU, too.
 */
const boot =
  "console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=1 random.trust_cpu=on tsc=reliable no_timer_check";

function startQemu(
  folder: string,
  { emulator, kernel, parameters = "", memoryMiB }: MachineOptions,
): ChildProcess {
  const [program = "", ...files] = emulator;
  const disk = join(folder, "disk.img");
  const append = [boot, ...clockRate(), parameters].join(" ");
  return spawn(
    program,
    [
      ...files,
      ...["-accel", "tcg,thread=single,tb-size=512", "-M", "q35", "-cpu", processor],
      // Two processors take turns in one thread of the host: run in parallel, they lose the race of code that one of
      // them replaces while the other runs it (seen: "Oops: int3" in the kernel's own code, and V8 in WebAssembly).
      ...["-smp", "2"],
      ...[
        "-m",
        `${memoryMiB}`,
        "-nodefaults",
        "-no-reboot",
        "-display",
        "none",
        "-serial",
        "stdio",
      ],
      ...[
        "-object",
        `memory-backend-memfd,id=mem,size=${memoryMiB}M,share=on`,
        "-numa",
        "node,memdev=mem",
      ],
      ...["-chardev", `socket,id=root,path=${join(folder, "root.sock")}`],
      ...["-device", "vhost-user-fs-pci,chardev=root,tag=root,queue-size=1024"],
      ...["-drive", `if=none,id=disk,file=${disk},format=raw,cache=unsafe,discard=unmap`],
      ...["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"],
      ...[
        "-kernel",
        join(kernel, "vmlinux"),
        "-initrd",
        join(kernel, "initrd.cpio"),
        "-append",
        append,
      ],
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
}

async function appears(path: string): Promise<void> {
  for (let wait = 0; wait < 500 && !existsSync(path); wait++) await delay(20);
  if (!existsSync(path))
    throw new Error(
      "Cannot share the root with the machine: virtiofsd did not start (root needed)",
    );
}
