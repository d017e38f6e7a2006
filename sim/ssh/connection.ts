import type { Socket } from "node:net";
import type { ServerChannel, Session, Connection as SshConnection } from "ssh2";
import type { Switches } from "#sim/appliance/switches.ts";
import { ignoreKeepalive } from "./ignore-keepalive.ts";
import type { Reply } from "./line-runner.ts";
import { SessionGate } from "./session-gate.ts";
import type { User, Users } from "./users.ts";

export interface ConnectionOptions {
  readonly users: Users;
  readonly switches: Switches;
  /** Runs a command line for a user; the signal ends with the connection. */
  readonly run: (line: string, user: User, signal: AbortSignal) => Promise<Reply>;
  readonly onLogin: () => void;
  /** A bug of the simulator, as opposed to anything a client can cause. */
  readonly onBug: (error: unknown) => void;
}

/** One SSH connection: public key login, then exec channels with one console line each. */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #gate: SessionGate;
  readonly #ended = new AbortController();

  constructor(ssh: SshConnection, socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#gate = new SessionGate(options.switches);
    ignoreKeepalive(ssh, () => options.switches.get("keepalive") === "ignored");
    ssh.on("error", () => this.cut());
    ssh.on("close", () => this.#ended.abort());
    this.#awaitLogin(ssh);
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#ended.abort();
    this.#socket.destroy();
  }

  #awaitLogin(ssh: SshConnection): void {
    let user: User | undefined;
    ssh.on("authentication", (context) => {
      if (context.method !== "publickey") return context.reject(["publickey"]);
      user = this.#options.users.authenticate(context);
      return user === undefined ? context.reject(["publickey"]) : context.accept();
    });
    ssh.on("ready", () => {
      this.#options.onLogin();
      ssh.on("session", (accept, reject) => {
        if (user === undefined || !this.#gate.admits()) return reject();
        return this.#serve(accept(), user);
      });
    });
  }

  #serve(session: Session, user: User): void {
    this.#gate.opened();
    session.once("close", () => this.#gate.closed());
    session.on("pty", (_accept, reject) => reject?.());
    session.on("env", (_accept, reject) => reject?.());
    session.on("shell", (accept) => refuseShell(accept()));
    session.on("exec", (accept, reject, { command }) => {
      if (command.startsWith("-")) return reject();
      const channel = accept();
      // A client that goes away in the middle is its own affair.
      channel.on("error", () => undefined);
      channel.resume();
      return void this.#gate.run(() => this.#run(command, channel, user));
    });
  }

  async #run(line: string, channel: ServerChannel, user: User): Promise<void> {
    try {
      this.#reply(await this.#options.run(line, user, this.#ended.signal), channel);
    } catch (error) {
      this.#options.onBug(error);
      this.cut();
    }
  }

  #reply(reply: Reply, channel: ServerChannel): void {
    if (reply.kind === "cut") this.cut();
    if (reply.kind !== "answer" || this.#ended.signal.aborted) return;
    if (reply.stderr !== "") channel.stderr.write(reply.stderr);
    channel.write(reply.stdout);
    if (reply.exitStatus !== undefined) channel.exit(reply.exitStatus);
    channel.end();
  }
}

function refuseShell(channel: ServerChannel): void {
  channel.write("This simulator runs single commands: ssh <user>@<host> '/disk print'\r\n");
  channel.exit(1);
  channel.end();
}
