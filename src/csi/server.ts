import { chmod } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { DriverError } from "#domain/errors.ts";
import type { Log } from "#lib/log.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { ControllerService, IdentityService, NodeService } from "./gen/csi.ts";
import type { Handler } from "./handler.ts";
import { tolerant } from "./request-reader.ts";
import type { CsiServices } from "./service-handlers.ts";
import { clearSocketFile } from "./socket-file.ts";
import { unary } from "./unary.ts";

export interface CsiServerOptions {
  /** `unix:///csi/csi.sock` */
  readonly endpoint: string;
  readonly services: CsiServices;
  readonly log: Log;
  /** How long a shutdown waits for calls before it cancels them. */
  readonly drainMilliseconds: number;
}

/** How long cancelled calls may take to clean up behind themselves. */
const cleanUpMilliseconds = 2_000;

/** The sidecars of a pod may run as another user, but then share a group with us (fsGroup). */
const socketMode = 0o660;

/**
 * Serves CSI over a Unix socket. Disposing it refuses new calls, lets the running ones finish for
 * `drainMilliseconds`, and then cancels them.
 */
export class CsiServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #endpoint: Endpoint;
  readonly #log: Log;
  readonly #drainMilliseconds: number;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #callCount = 0;

  constructor({ endpoint, services, log, drainMilliseconds }: CsiServerOptions) {
    this.#endpoint = parseEndpoint(endpoint);
    this.#log = log;
    this.#drainMilliseconds = drainMilliseconds;
    // channelz keeps a record of every connection and leaks; keep-alive is needless on a socket file,
    // whose peer the kernel reports as gone at once.
    // What grpc-js would print reaches us as an error or as a status.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server({ "grpc.enable_channelz": 0 });
    this.#add(IdentityService, services.identity);
    if (services.controller) this.#add(ControllerService, services.controller);
    if (services.node) this.#add(NodeService, services.node);
  }

  /**
   * Starts to serve.
   * @returns the port of a TCP endpoint, 0 for a socket.
   * @throws {DriverError} `failed-precondition`, with the reason, when the endpoint cannot be had.
   */
  async listen(): Promise<number> {
    if (this.#endpoint.type === "tcp") return await this.#bind(this.#endpoint.address);
    const { path } = this.#endpoint;
    await clearSocketFile(path);
    await this.#bind(`unix:${path}`);
    await chmod(path, socketMode);
    this.#log.info({ socket: path }, "Serving CSI");
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    const drained = Promise.all([closed, this.#settled()]);
    if (await endsWithin(this.#drainMilliseconds, drained)) return;
    this.#log.warn({ calls: this.#running.size }, "Cancelling the calls that are still running");
    // Not forceShutdown: without channelz grpc-js 1.14 knows no sessions that it could end.
    this.#stop.abort(
      new DriverError("unavailable", "Cannot finish the call: the driver is shutting down"),
    );
    await endsWithin(cleanUpMilliseconds, drained);
  }

  async #settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #bind(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else
          reject(
            new DriverError(
              "failed-precondition",
              `Cannot listen on "${address}": ${error.message}`,
              { cause: error },
            ),
          );
      });
    });
  }

  /** grpc-js answers UNIMPLEMENTED for the methods of a service that get no function. */
  #add(definition: ServiceDefinition, handlers: object): void {
    const implementation: UntypedServiceImplementation = {};
    for (const [name, handler] of Object.entries(handlers))
      if (handler !== undefined) implementation[name] = this.#method(definition, name, handler);
    const methods = Object.entries(definition).map(([name, method]) => [name, tolerant(method)]);
    this.#server.addService(Object.fromEntries(methods), implementation);
  }

  #method(definition: ServiceDefinition, name: string, handler: Handler<unknown, unknown>) {
    const rpc = definition[name]?.path.split("/").at(-1) ?? name;
    return unary(
      () => ({
        rpc,
        handler,
        log: this.#log.child({ callId: ++this.#callCount }),
        stop: this.#stop.signal,
      }),
      (call) => {
        this.#running.add(call);
        void call.finally(() => this.#running.delete(call));
      },
    );
  }
}

async function endsWithin(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const limit = new AbortController();
  const late = delay(milliseconds, false, { signal: limit.signal }).catch(() => false);
  const ended = await Promise.race([work.then(() => true), late]);
  limit.abort();
  return ended;
}
