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

/** What it takes to boot a machine. */
export interface Hardware {
  /** QEMU's program, and the arguments by which it finds its files. */
  readonly emulator: readonly string[];
  /** Folder made by prepare.sh: `vmlinux`, `initrd.cpio`. */
  readonly kernel: string;
  /** Folder made by daemons.sh: what a machine may put over its root, to be a host with these daemons. */
  readonly daemons: string;
}

/** A machine to boot, and what it may use. */
export interface MachineOptions extends Hardware {
  /** Bash, run as root in the machine, whose root is the host's own, read-only, under a tmpfs. */
  readonly command: string;
  /** More words for the kernel's command line. */
  readonly parameters?: string;
  readonly memoryMiB: number;
  /** Size of an empty disk, `/dev/vda` in the machine. */
  readonly diskMiB: number;
  /** The machine is switched off after this many seconds. */
  readonly limitSeconds: number;
  readonly onLine: (line: string) => void;
}

/** A program that starts machines again and again is broken. */
const mostBoots = 2;

/**
 * Boots a kernel under plain QEMU emulation (no KVM needed) and runs one command in it. A machine that says
 * `MACHINE-AGAIN` and then loses its power is booted once more, with the same command and the disk as it was.
 * @returns the command's exit status; 124 when the limit was reached, 125 when the machine did not come up.
 */
export async function runMachine(options: MachineOptions): Promise<number> {
  using remains = new Remains();
  const { folder } = remains;
  writeFileSync(join(folder, "disk.img"), "");
  truncateSync(join(folder, "disk.img"), options.diskMiB * 1024 * 1024);
  writeFileSync(join(folder, "command.sh"), options.command);
  for (let boot = 0; boot < mostBoots; boot++) {
    const status = await runOnce(remains, options);
    if (status !== "again") return status;
  }
  return 125;
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

async function runOnce(remains: Remains, options: MachineOptions): Promise<number | "again"> {
  const { folder, children } = remains;
  rmSync(join(folder, "root.sock"), { force: true });
  try {
    children.push(shareRoot(folder));
    await appears(join(folder, "root.sock"));
    const qemu = startQemu(folder, options);
    children.push(qemu);
    return await outcome(qemu, options);
  } finally {
    remains.endProcesses();
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
      ...["-fw_cfg", `name=opt/machine/command,file=${join(folder, "command.sh")}`],
      ...[
        "-kernel",
        join(kernel, "vmlinux"),
        "-initrd",
        join(kernel, "initrd.cpio"),
        "-append",
        append,
      ],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
}

async function outcome(
  qemu: ChildProcess,
  { limitSeconds, onLine }: MachineOptions,
): Promise<number | "again"> {
  let status: number | "again" = 125;
  const limit = setTimeout(() => {
    status = 124;
    qemu.kill("SIGKILL");
  }, limitSeconds * 1000);
  let rest = "";
  qemu.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split(/\r*\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const exit = /MACHINE-EXIT (\d+)/.exec(line)?.[1];
      if (line.includes("MACHINE-AGAIN")) status = "again";
      else if (exit === undefined) onLine(line);
      else status = Number(exit);
    }
  });
  await new Promise((resolve) => qemu.once("close", resolve));
  clearTimeout(limit);
  return status;
}

async function appears(path: string): Promise<void> {
  for (let wait = 0; wait < 500 && !existsSync(path); wait++) await delay(20);
  if (!existsSync(path))
    throw new Error(
      "Cannot share the root with the machine: virtiofsd did not start (root needed)",
    );
}
