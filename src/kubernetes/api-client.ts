import { readFile } from "node:fs/promises";
import { Agent, type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DriverError } from "#domain/errors.ts";
import { type Context, withTimeout } from "#lib/context.ts";

export interface ApiClientOptions {
  readonly host: string;
  readonly port: number;
  /** Where kubelet keeps `token` and `ca.crt` of the pod's service account. */
  readonly serviceAccount: string;
  /** For one request, milliseconds. */
  readonly timeoutMs: number;
}

/** Kubernetes documentation, "Accessing the Kubernetes API from a Pod". */
export const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Reads objects from the Kubernetes API as the pod's service account. */
export class ApiClient implements Disposable {
  readonly #options: ApiClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /**
   * @param path - `/apis/storage.k8s.io/v1/csinodes/worker-1`
   * @returns the object as it came, unchecked; `undefined` when there is none.
   * @throws {DriverError} `permission-denied` when the service account lacks the right, otherwise `unavailable`.
   */
  async get(path: string, ctx: Context): Promise<unknown> {
    using limited = withTimeout(ctx, this.#options.timeoutMs);
    const { status, body } = await this.#fetch(path, limited);
    if (status === 404) return undefined;
    if (status === 200) return parse(path, body);
    const kind = status === 401 || status === 403 ? "permission-denied" : "unavailable";
    throw failure(kind, path, `the API answered ${status}${messageOf(body)}`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #fetch(path: string, { signal }: Context): Promise<Reply> {
    try {
      return await this.#send({ path, signal, ...(await this.#credentials()) });
    } catch (cause) {
      throw failure("unavailable", path, reasonOf(cause), { cause });
    }
  }

  /** Read anew each time: kubelet replaces the token about once an hour. */
  async #credentials(): Promise<Pick<RequestOptions, "ca" | "headers">> {
    const { serviceAccount } = this.#options;
    const ca = await readFile(join(serviceAccount, "ca.crt"));
    const token = (await readFile(join(serviceAccount, "token"), "utf8")).trim();
    return { ca, headers: { authorization: `Bearer ${token}`, accept: "application/json" } };
  }

  #send(options: RequestOptions): Promise<Reply> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, host, port, agent: this.#agent });
      sent.once("error", reject);
      sent.once("response", (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      sent.end();
    });
  }
}

function parse(path: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw failure("unavailable", path, "the API answered no JSON", { cause });
  }
}

/** The API explains refusals in a Status object. */
function messageOf(body: string): string {
  const [, message] = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body) ?? [];
  return message === undefined ? "" : ` (${message.replaceAll('\\"', '"')})`;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const late = cause.name === "TimeoutError" || isTimeout(cause.cause);
  return late ? "no answer in time" : cause.message;
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}

function failure(
  kind: "permission-denied" | "unavailable",
  path: string,
  state: string,
  options?: ErrorOptions,
): DriverError {
  return new DriverError(kind, `Cannot read "${path}" from Kubernetes: ${state}`, options);
}
