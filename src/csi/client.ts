import { Client, credentials, type ServiceDefinition } from "@grpc/grpc-js";
import { ControllerService, IdentityService, NodeService } from "./gen/csi.ts";
import type { UnaryMethod } from "./service-handlers.ts";

/** Every call of a service as a function. It throws grpc-js' `ServiceError`, with code and message. */
export type CallsOf<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends UnaryMethod<infer Request, infer Response>
    ? (request: Request) => Promise<Response>
    : never;
};

/** The other side of the sockets, as sidecars and kubelet call it; for the demo and for tests. */
export class CsiClient implements Disposable {
  readonly identity: CallsOf<IdentityService>;
  readonly controller: CallsOf<ControllerService>;
  readonly node: CallsOf<NodeService>;
  readonly #client: Client;

  /** @param address - `unix:///csi/csi.sock`; connects at the first call. */
  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
    this.identity = callsOf(this.#client, IdentityService);
    this.controller = callsOf(this.#client, ControllerService);
    this.node = callsOf(this.#client, NodeService);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function callsOf<Service extends ServiceDefinition>(
  client: Client,
  service: Service,
): CallsOf<Service> {
  const calls = Object.entries(service).map(([name, method]) => [
    name,
    (request: unknown) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = method;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          (error, response) => (error ? reject(error) : resolve(response)),
        );
      }),
  ]);
  return Object.fromEntries(calls);
}
