import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import { abortable } from "#lib/abortable.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { timeLimit } from "#lib/time-limit.ts";

export type ToolKind = "format" | "check";

/** What rewrites the disk of a volume, and may take hours for it. */
export interface Tool {
  readonly kind: ToolKind;
  /** For messages: `mkfs of ext4 on "/dev/dm-3"` */
  readonly name: string;
  /** Why it runs, for messages, where that is bad news of its own. */
  readonly reason?: string;
  /** Ends soon after the signal that it gets. */
  readonly run: (ctx: Context) => Promise<void>;
}

interface Begun {
  readonly tool: Tool;
  readonly since: string;
  readonly stop: AbortController;
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
}

interface Outcome {
  readonly failure?: unknown;
}

/** Kubelet gives a call two minutes; an answer before that shows in the pod's events, one after it does not. */
const patienceMs = 90_000;

/**
 * Tools that outlive the call which began them: the next call for the same NQN waits for the tool and takes its result, once.
 * There is one at a time for an NQN. It stays here until its result is taken or the volume leaves the node, so that there
 * are no more than volumes which are being staged. A plugin that is killed takes its tools with it: the record tells that
 * mkfs ran; of a check nothing tells but what it left in the file system.
 */
export class LastingTools implements AsyncDisposable {
  readonly #begun = new Map<Nqn, Begun>();
  readonly #clock: Clock;
  readonly #patienceMs: number;

  /** @param patience - Milliseconds that one call waits for a tool. */
  constructor(clock: Clock, patience = patienceMs) {
    this.#clock = clock;
    this.#patienceMs = patience;
  }

  /** Whether a tool runs for this NQN, or has ended and nobody has taken its result. */
  has(nqn: Nqn): boolean {
    return this.#begun.has(nqn);
  }

  /**
   * Begins a tool and waits for it. Only the call itself is bound to `ctx.signal`.
   * @throws what the tool throws; {DriverError} `operation-pending` when the tool goes on without the call.
   */
  async run(nqn: Nqn, tool: Tool, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    const other = this.#begun.get(nqn);
    if (other !== undefined) throw pending(nqn, other);
    const stop = new AbortController();
    const outcome = outcomeOf(tool, { signal: stop.signal, log: ctx.log });
    const since = this.#clock.now().toISOString();
    this.#begun.set(nqn, { tool, since, stop, outcome });
    await this.join(nqn, ctx);
  }

  /**
   * Waits for the tool that an earlier call has begun, if there is one, and takes its result.
   * @returns what has ended well; `undefined` when there was no tool.
   * @throws as `run`.
   */
  async join(nqn: Nqn, ctx: Context): Promise<ToolKind | undefined> {
    const begun = this.#begun.get(nqn);
    if (begun === undefined) return undefined;
    using patience = timeLimit(this.#patienceMs, ctx.signal);
    const ended = await abortable(begun.outcome, patience.signal).catch(() => undefined);
    if (ended === undefined) throw pending(nqn, begun);
    this.#begun.delete(nqn);
    if ("failure" in ended) throw ended.failure;
    return begun.tool.kind;
  }

  /** Ends the tool of a volume that leaves, and drops its result. A process that cannot be ended keeps its device open. */
  async end(nqn: Nqn, ctx: Context): Promise<void> {
    const begun = this.#begun.get(nqn);
    if (begun === undefined) return;
    const { tool, since, stop, outcome } = begun;
    ctx.log.warn({ nqn, tool: tool.name, since }, "Ending the tool of a volume that leaves");
    stop.abort();
    await abortable(outcome, ctx.signal);
    this.#begun.delete(nqn);
  }

  /** Ends all of them: the process is about to go. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#begun.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ outcome }) => outcome));
  }
}

async function outcomeOf({ run, name }: Tool, ctx: Context): Promise<Outcome> {
  try {
    await run(ctx);
    return {};
  } catch (failure) {
    ctx.log.warn({ tool: name, error: String(failure) }, "A tool did not end well");
    return { failure };
  }
}

function pending(nqn: Nqn, { tool, since }: Begun): DriverError {
  const reason = tool.reason === undefined ? "" : `${tool.reason}; `;
  return new DriverError(
    "operation-pending",
    `Cannot stage "${nqn}" yet: ${reason}${tool.name} has been running since ${since}; it goes on, and a later call takes its result`,
  );
}
