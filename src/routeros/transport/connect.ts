import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { Client, type ConnectConfig } from "ssh2";
import { DriverError } from "#domain/errors.ts";
import { abortable } from "#lib/abortable.ts";
import { timeLimit } from "#lib/time-limit.ts";
import { connectFailure } from "./connect-failure.ts";
import { Connection } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { fingerprint } from "./host-key.ts";

/** TCP finds out about a dead peer of an idle connection; the kernel repeats it each second, ten times. */
const keepAliveDelayMs = 15_000;

/**
 * Opens one SSH connection and proves that the host has the pinned key.
 * @throws {DriverError} `unavailable`, `failed-precondition` for another host key or an unusable private
 * key, `permission-denied` when RouterOS does not accept the key.
 */
export async function connect(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
  using limit = timeLimit(endpoint.connectTimeoutMs, signal);
  const socket = openSocket(endpoint);
  const client = new Client();
  client.on("error", ignore);
  let presented: string | undefined;
  const onHostKey = (key: Buffer) => {
    presented = fingerprint(key);
    return presented === endpoint.hostKey;
  };
  try {
    await abortable(once(socket, "connect"), limit.signal);
    await abortable(handshake(client, clientConfig(endpoint, socket, onHostKey)), limit.signal);
    return new Connection(client, socket, endpoint);
  } catch (error) {
    socket.destroy();
    if (error instanceof DriverError) throw error;
    throw connectFailure(endpoint, { error, presented });
  }
}

/** Nagle's algorithm costs a SSH command 40 ms and more, so it is off. */
function openSocket({ address, port }: Endpoint): Socket {
  const socket = connectSocket({
    host: address,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
  });
  return socket.on("error", ignore);
}

/** RouterOS leaves keepalive@openssh.com unanswered, so ssh2's own keep-alive stays off. */
function clientConfig(
  endpoint: Endpoint,
  socket: Socket,
  onHostKey: (key: Buffer) => boolean,
): ConnectConfig {
  return {
    sock: socket,
    username: endpoint.user,
    privateKey: endpoint.privateKey.reveal(),
    authHandler: ["publickey"],
    hostVerifier: onHostKey,
    algorithms: { serverHostKey: ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"] },
    readyTimeout: 0,
    keepaliveInterval: 0,
  };
}

async function handshake(client: Client, config: ConnectConfig): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.once("ready", resolve);
  client.once("error", reject);
  client.once("close", () => reject(new Error("the connection was closed during the handshake")));
  try {
    client.connect(config);
  } catch (error) {
    // ssh2 throws here for a private key that it cannot read; the text does not quote the key.
    reject(unusableKey(config.username, error));
  }
  await promise;
}

function unusableKey(user: string | undefined, error: unknown): DriverError {
  const reason = error instanceof Error ? error.message : String(error);
  return new DriverError(
    "failed-precondition",
    `Cannot use the private key of user "${user}": ${reason}`,
    { cause: error },
  );
}

/** Failures reach the caller by other ways; an "error" event without a listener would end the process. */
function ignore(): void {}
