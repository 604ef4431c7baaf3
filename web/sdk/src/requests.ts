// Requests that wait for their answer (docs/protocol.md, section 3: `id` and `re`).

import type { Body, Envelope } from "./envelope.js";
import { PeerlineError } from "./error.js";

interface Waiting {
  message: Envelope;
  resolve(body: Body): void;
  reject(error: PeerlineError): void;
}

/** Said anew by whoever hears of a new session: the old question is not asked again. */
const SAID_ANEW = new Set(["watch", "sync"]);

export class Requests {
  #waiting = new Map<string, Waiting>();
  #count = 0;

  /**
   * The message with its id, and the answer to come. A promise is told of it only after the messages that arrived
   * with it; `inOrder` is told before them.
   */
  ask(message: Envelope, inOrder?: (body: Body) => void): { message: Envelope; answer: Promise<Body> } {
    const id = `q${++this.#count}`;
    const named = { ...message, id };
    const answer = new Promise<Body>((resolve, reject) =>
      this.#waiting.set(id, {
        message: named,
        resolve: (body) => {
          inOrder?.(body);
          resolve(body);
        },
        reject,
      }),
    );
    return { message: named, answer };
  }

  /** An `ok` or `err` with `re`; an answer to nothing is ignored. */
  answer(envelope: Envelope): void {
    const waiting = this.#waiting.get(envelope.re ?? "");
    if (!waiting) return;
    this.#waiting.delete(envelope.re ?? "");
    if (envelope.t === "ok") waiting.resolve(envelope.d ?? {});
    else waiting.reject(PeerlineError.from(envelope.d));
  }

  /** What to ask again in a new session, in order; requests are safe to repeat. */
  unanswered(): Envelope[] {
    for (const [id, { message, reject }] of [...this.#waiting]) {
      if (!SAID_ANEW.has(message.t)) continue;
      this.#waiting.delete(id);
      reject(new PeerlineError("lost", "the session was lost; it is asked anew"));
    }
    return [...this.#waiting.values()].map(({ message }) => message);
  }

  /** Nothing will be answered any more. */
  fail(error: PeerlineError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}
