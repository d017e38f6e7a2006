import type { MethodDefinition } from "@grpc/grpc-js";
import { DriverError } from "#domain/errors.ts";

/** Takes the place of a request that cannot be read. */
export class UnreadableRequest {
  readonly reason: DriverError;
  constructor(reason: DriverError) {
    this.reason = reason;
  }
}

type AnyMethod = MethodDefinition<unknown, unknown>;

/**
 * The method with a reader that does not throw: grpc-js would answer INTERNAL, and nothing would stand in the
 * log. A request that cannot be read arrives as an `UnreadableRequest` instead.
 */
export function tolerant<Method extends AnyMethod>(method: Method): Method {
  return { ...method, requestDeserialize: (bytes: Buffer) => read(method, bytes) };
}

function read(method: AnyMethod, bytes: Buffer): unknown {
  try {
    return method.requestDeserialize(bytes);
  } catch (error) {
    return new UnreadableRequest(refusal(error));
  }
}

/** Every int64 that the CO sends is a size in bytes; the generated code reads them as numbers. */
function refusal(cause: unknown): DriverError {
  const state = cause instanceof Error ? cause.message : String(cause);
  if (!state.includes("MAX_SAFE_INTEGER"))
    return new DriverError("invalid-argument", `Cannot read the request: ${state}`, { cause });
  return new DriverError(
    "out-of-range",
    `Cannot read the request: a size in it exceeds ${Number.MAX_SAFE_INTEGER} bytes, more than any volume can have`,
    { cause },
  );
}
