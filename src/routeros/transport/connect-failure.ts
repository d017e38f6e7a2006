import { DriverError } from "#domain/errors.ts";
import type { Endpoint } from "./endpoint.ts";

/** What is known when a connection could not be made. */
export interface ConnectAttempt {
  readonly error: unknown;
  /** Fingerprint the host showed, if it came that far. */
  readonly presented: string | undefined;
}

/** Socket errors an operator meets, in words. Source: errno(3). */
const socketStates: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "no answer",
  ENOTFOUND: "its name is unknown",
  EAI_AGAIN: "its name cannot be looked up now",
};

/** Says in one sentence why the appliance could not be connected to, and what kind of failure that is. */
export function connectFailure(endpoint: Endpoint, attempt: ConnectAttempt): DriverError {
  const { error, presented } = attempt;
  const act = `Cannot connect to appliance "${endpoint.name}" at ${endpoint.address} port ${endpoint.port}`;
  if (presented !== undefined && presented !== endpoint.hostKey)
    return new DriverError(
      "failed-precondition",
      `${act}: its host key is "${presented}", expected "${endpoint.hostKey}"`,
      { cause: error },
    );
  if (detail(error, "level") === "client-authentication")
    return new DriverError(
      "permission-denied",
      `${act}: RouterOS does not accept the key of user "${endpoint.user}"`,
      { cause: error },
    );
  return new DriverError("unavailable", `${act}: ${stateOf(error, endpoint)}`, { cause: error });
}

function stateOf(error: unknown, endpoint: Endpoint): string {
  if (detail(error, "name") === "TimeoutError")
    return `no answer within ${endpoint.connectTimeoutMs / 1000} s`;
  const state = socketStates[detail(error, "code") ?? ""];
  return state ?? (error instanceof Error ? error.message : String(error));
}

function detail(error: unknown, key: "level" | "code" | "name"): string | undefined {
  const value: unknown =
    error instanceof Error && key in error ? Reflect.get(error, key) : undefined;
  return typeof value === "string" ? value : undefined;
}
