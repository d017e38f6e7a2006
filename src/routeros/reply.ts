import { randomBytes } from "node:crypto";
import { type Command, command } from "./command.ts";
import { type Fault, faultOf, isParseError } from "./faults.ts";
import type { ExecResult } from "./transport/collect.ts";

/** What is certain about a command that was answered in full. */
export type Reply =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly fault: Fault };

/** A word that no output contains by chance, printed last: what comes before it is complete. */
export function newNonce(): string {
  return randomBytes(8).toString("hex");
}

/**
 * Wraps a command so that its outcome shows in its output. RouterOS gives exit status and stream of
 * failures differently from version to version, so neither is trusted.
 */
export function sealed(body: Command, nonce: string): Command {
  return command`:onerror e in={ ${body}; :put ${`${nonce}:ok`} } do={ :put (${`${nonce}:err:`} . $e) }`;
}

/**
 * Reads the outcome of a sealed command.
 * @returns `undefined` when the nonce is missing and the text is no parse error: nobody knows then
 * whether the command had its effect.
 */
export function readReply({ stdout, stderr }: ExecResult, nonce: string): Reply | undefined {
  const text = `${stdout}\n${stderr}`;
  const at = text.indexOf(`${nonce}:`);
  if (at < 0) return isParseError(text) ? { ok: false, fault: faultOf(text.trim()) } : undefined;
  const outcome = text.slice(at + nonce.length + 1);
  if (/^ok\s/.test(outcome)) return { ok: true, output: text.slice(0, at) };
  if (outcome.startsWith("err:")) return { ok: false, fault: faultOf(faultText(outcome)) };
  return undefined;
}

/** Newer versions append where in the script it happened: ` (:error; line 1)`. */
function faultText(outcome: string): string {
  const [, text = ""] = /^err:(.*?)(?: \([^()]*; line \d+\))?\s*$/s.exec(outcome) ?? [];
  return text.replaceAll(/\s+/g, " ").trim();
}
