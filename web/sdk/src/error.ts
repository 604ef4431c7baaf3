// Every refusal as one error with a stable code (docs/protocol.md, section 11).

import type { Err } from "./protocol.js";

export class PeerlineError extends Error {
  override readonly name = "PeerlineError";
  readonly code: string;
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly retryMs: number | undefined;

  constructor(code: string, message: string, more: { hint?: string; retryMs?: number } = {}) {
    super(message);
    this.code = code;
    this.hint = more.hint;
    this.retryMs = more.retryMs;
  }

  /** From the body of an `err`, which may be anything. */
  static from(body: Partial<Err> | undefined): PeerlineError {
    const more: { hint?: string; retryMs?: number } = {};
    if (typeof body?.hint === "string") more.hint = body.hint;
    if (typeof body?.retry_ms === "number") more.retryMs = body.retry_ms;
    const code = typeof body?.code === "string" ? body.code : "error";
    return new PeerlineError(code, typeof body?.msg === "string" ? body.msg : code, more);
  }
}
