import { once } from "node:events";
import { connect } from "node:net";
import ssh2, { type ClientChannel, type ConnectConfig } from "ssh2";
import type { Simulator } from "#sim/simulator.ts";

/** What one exec request gave; `undefined` as exit status when the server sent none. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitStatus: number | undefined;
}

/** A real SSH client of a simulator. */
export class TestClient implements Disposable {
  readonly ssh: ssh2.Client;
  #lost = Promise.withResolvers<never>();

  /** @throws what ssh2 says when the login fails. */
  static async connect(simulator: Simulator, options: ConnectConfig = {}): Promise<TestClient> {
    const sock = connect({ port: simulator.port, noDelay: true });
    const ssh = new ssh2.Client();
    const client = new TestClient(ssh);
    const privateKey = simulator.clientKey?.privateKey;
    ssh.connect({ sock, username: "csi", ...(privateKey && { privateKey }), ...options });
    await Promise.race([once(ssh, "ready"), client.#lost.promise]);
    return client;
  }

  private constructor(ssh: ssh2.Client) {
    this.ssh = ssh;
    this.#lost.promise.catch(() => undefined);
    ssh.on("error", (error) => this.#lost.reject(error));
    ssh.on("close", () => this.#lost.reject(new Error("connection closed")));
  }

  /** Rejects when the connection is lost first. */
  exec(line: string): Promise<ExecResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
    // Listeners at once: answer and exit status may stand in the packet that opens the channel.
    this.ssh.exec(line, (error, channel) => (error ? reject(error) : collect(channel, resolve)));
    return Promise.race([promise, this.#lost.promise]);
  }

  /** What a line printed that must have ended well, without trailing blank space. */
  async print(line: string): Promise<string> {
    const { stdout, stderr, exitStatus } = await this.exec(line);
    if (exitStatus !== 0 || stderr !== "") throw new Error(`"${line}" failed: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** Resolves when the connection is gone. */
  async closed(): Promise<void> {
    await this.#lost.promise.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.ssh.destroy();
  }
}

function collect(channel: ClientChannel, done: (result: ExecResult) => void): void {
  let [stdout, stderr, exitStatus] = ["", "", undefined as number | undefined];
  channel.on("data", (data: Buffer) => {
    stdout += data.toString("utf8");
  });
  channel.stderr.on("data", (data: Buffer) => {
    stderr += data.toString("utf8");
  });
  channel.on("exit", (status: number) => {
    exitStatus = status;
  });
  channel.on("close", () => done({ stdout, stderr, exitStatus }));
}
