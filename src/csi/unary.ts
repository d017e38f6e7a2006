import { type handleUnaryCall, type ServerUnaryCall, status } from "@grpc/grpc-js";
import type { Log } from "#lib/log.ts";
import { logOutcome, subjectFields } from "./call-log.ts";
import { callSignal } from "./call-signal.ts";
import type { Handler } from "./handler.ts";
import { loggable } from "./loggable.ts";
import { UnreadableRequest } from "./request-reader.ts";
import { type FailureStatus, failureStatus } from "./status.ts";

/** One call of a method. */
export interface Call<Request, Response> {
  /** `CreateVolume` */
  readonly rpc: string;
  readonly handler: Handler<Request, Response>;
  /** Already bears the id of the call. */
  readonly log: Log;
  /** Ends the call when the server will not wait for it any longer. */
  readonly stop: AbortSignal;
}

type Answer<Response> = { readonly response: Response } | { readonly failure: FailureStatus };

/**
 * Adapts an async handler to grpc-js: signal, logging, and the translation of failures.
 * @param begin - called for each call.
 * @param enter - called with each call's promise, which never rejects, so that a shutdown can wait for it.
 */
export function unary<Request, Response>(
  begin: () => Call<Request, Response>,
  enter: (call: Promise<void>) => void,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answered = answer(begin(), call).then((result) => {
      if ("response" in result) callback(null, result.response);
      else callback(presentable(result.failure));
    });
    enter(answered);
  };
}

async function answer<Request, Response>(
  { rpc, handler, log, stop }: Call<Request, Response>,
  call: ServerUnaryCall<Request, Response>,
): Promise<Answer<Response>> {
  const callLog = log.child({ rpc, ...subjectFields(call.request) });
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  using caller = callSignal(call, stop);
  callLog.debug({ request: loggable(call.request) }, "Call received");
  try {
    if (call.request instanceof UnreadableRequest) throw call.request.reason;
    const response = await handler(call.request, { signal: caller.signal, log: callLog });
    callLog.debug({ response: loggable(response) }, "Call handled");
    logOutcome(callLog, rpc, { code: status.OK, durationMs: durationMs() });
    return { response };
  } catch (error) {
    const failure = failureStatus(error);
    logOutcome(callLog, rpc, { code: failure.code, durationMs: durationMs(), error });
    return { failure };
  }
}

/** Details travel in a header: too long a one ends the connection, and with it every other call. */
const longestDetails = 1_000;

/**
 * Details as one line of bounded length, for they may quote what the CO or RouterOS sent. grpc-js passes the
 * text through encodeURI, which throws on half of a surrogate pair.
 */
function presentable({ code, details }: FailureStatus): FailureStatus {
  const line = details.replaceAll(/\p{Cc}+/gu, " ");
  const shown = line.length > longestDetails ? `${line.slice(0, longestDetails)}…` : line;
  return { code, details: shown.toWellFormed() };
}
