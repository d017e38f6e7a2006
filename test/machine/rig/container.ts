import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { waitFor } from "./wait-for.ts";
import { sh } from "./world.ts";

let containers = 0;

/**
 * A running container's part of a pod: a mount namespace of its own, where a volume's target path was bound once.
 * `slave` is what `mountPropagation: HostToContainer` makes of it, `private` the default of pods.
 */
export class Container implements Disposable {
  /** Where it sees the volume. */
  readonly path: string;
  readonly #child: ChildProcess;
  #output = "";

  static async start(targetPath: string, propagation: "private" | "slave"): Promise<Container> {
    const container = new Container(targetPath, propagation);
    await waitFor("the container runs", () => container.#output === "ready\n");
    return container;
  }

  private constructor(targetPath: string, propagation: "private" | "slave") {
    containers += 1;
    this.path = `/mnt/container-${containers}`;
    mkdirSync(this.path, { recursive: true });
    const script = `mount --bind '${targetPath}' ${this.path} && echo ready && exec sleep infinity`;
    const args = ["-m", "--propagation", propagation, "bash", "-c", script];
    this.#child = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
  }

  /** Runs a command in it, in the volume's folder `$v`. @throws {Error} when it fails. */
  run(command: string): string {
    return sh(`nsenter -m -r -w -t ${this.#child.pid} bash -c 'v=${this.path}; ${command}'`);
  }

  /** Its own mount goes with it. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await ended;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
