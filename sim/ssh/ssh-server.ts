import { once } from "node:events";
import { createServer, type Socket, type Server as TcpServer } from "node:net";
import ssh2 from "ssh2";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { HostKey } from "./host-keys.ts";

export interface Address {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

/** The SSH service of the appliance. It can be stopped and started again on the same port. */
export class SshServer {
  readonly #options: ConnectionOptions;
  readonly #address: Address;
  readonly #connections = new Map<Socket, Connection>();
  readonly #sockets = new Set<Socket>();
  #hostKeys: readonly HostKey[];
  #listener: TcpServer | undefined;
  #port: number;

  constructor(address: Address, hostKeys: readonly HostKey[], options: ConnectionOptions) {
    this.#address = address;
    this.#port = address.port;
    this.#hostKeys = hostKeys;
    this.#options = options;
  }

  /** The port it listens on, or last listened on. */
  get port(): number {
    return this.#port;
  }

  get hostKeys(): readonly HostKey[] {
    return this.#hostKeys;
  }

  /** Takes effect when the service is started the next time. */
  set hostKeys(keys: readonly HostKey[]) {
    this.#hostKeys = keys;
  }

  /** Connections of users that are open now, logged in or not. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** @throws {Error} when the address cannot be listened on. */
  async start(): Promise<void> {
    if (this.#listener !== undefined) return;
    const protocol = this.#protocol();
    // The socket is set up here, not by ssh2: without noDelay each command takes 40 ms more.
    const listener = createServer({ noDelay: true }, (socket) => this.#admit(socket, protocol));
    listener.listen({ host: this.#address.host, port: this.#port });
    await once(listener, "listening");
    const address = listener.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
    this.#listener = listener;
  }

  /** Stops listening and breaks every connection. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    const closed = once(listener, "close");
    listener.close();
    this.dropConnections();
    await closed;
  }

  /** Breaks every connection; new ones are welcome. */
  dropConnections(): void {
    for (const connection of this.#connections.values()) connection.cut();
    for (const socket of this.#sockets) socket.destroy();
  }

  #protocol(): InstanceType<typeof ssh2.Server> {
    const hostKeys = this.#hostKeys.map(({ privateKey }) => privateKey);
    // The device sends no keep-alives of its own; ssh2 can only be told to wait very long with them.
    const server = new ssh2.Server({ hostKeys, ident: "ROSSSH", keepaliveInterval: 2 ** 31 - 1 });
    server.on("connection", (ssh, { ip, port }) => {
      const socket = [...this.#sockets].find(
        ({ remoteAddress, remotePort }) => remoteAddress === ip && remotePort === port,
      );
      if (socket === undefined) return ssh.end();
      return void this.#connections.set(socket, new Connection(ssh, socket, this.#options));
    });
    return server;
  }

  #admit(socket: Socket, protocol: InstanceType<typeof ssh2.Server>): void {
    // Resets are the client's affair, and one may come before ssh2 listens for them.
    socket.on("error", () => undefined);
    if (this.#sockets.size >= this.#options.switches.get("max-sessions")) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#connections.delete(socket);
    });
    protocol.injectSocket(socket);
  }
}
