import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { relayBox } from "./programs.ts";

/** A box on the way to a target's NVMe/TCP, which breaks connections when it is told to; a process of its own, `relay-box.ts`. */
export class Relay implements Disposable {
  readonly #child: ChildProcess;

  /** @param at - Where hosts connect, which it hands on to `target`. */
  static async start(at: string, target: string): Promise<Relay> {
    const [node = "", ...program] = relayBox;
    const child = spawn(node, [...program, at, target], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    await once(child, "message");
    return new Relay(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Breaks all connections, each as soon as its last queue is connected again, until `endTreachery`. */
  beginTreachery(): void {
    this.#child.send("treacherous");
    this.#child.send("cut");
  }

  endTreachery(): void {
    this.#child.send("honest");
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
