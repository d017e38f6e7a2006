import { setTimeout as delay } from "node:timers/promises";
import {
  type CallOptions,
  type Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";

type Method<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

/** As long as the CSI sidecars and kubelet wait, unless told otherwise. */
const limitMs = 120_000;

/** Calls a driver's socket as kubelet and sidecars do. @throws {ServiceError} */
export function rpc<Request, Response>(
  client: Client,
  method: Method<Request, Response>,
  request: Request,
  timeoutMs = limitMs,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + timeoutMs;
    method.call(client, request, new Metadata(), { deadline }, (error, response) =>
      error === null ? resolve(response) : reject(error),
    );
  });
}

/**
 * As `rpc`, and again while another call for the volume, or the watch, is busy with it (ABORTED): as kubelet does, sooner.
 */
export async function patientRpc<Request, Response>(
  client: Client,
  method: Method<Request, Response>,
  request: Request,
  timeoutMs = limitMs,
): Promise<Response> {
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await rpc(client, method, request, Math.max(endsAt - Date.now(), 1));
    } catch (error) {
      const isBusy = error instanceof Error && "code" in error && error.code === status.ABORTED;
      if (!isBusy || Date.now() > endsAt) throw error;
    }
    await delay(500);
  }
}

/** A client of the socket at `path`. */
export function clientOf<C extends Client>(
  Constructor: new (address: string, security: ReturnType<typeof credentials.createInsecure>) => C,
  path: string,
): C {
  return new Constructor(`unix://${path}`, credentials.createInsecure());
}
