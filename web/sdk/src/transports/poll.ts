// Receiving by long poll (docs/protocol.md, section 2.2), where a proxy holds event streams back.

import { readEnvelope } from "../envelope.js";
import type { Listening } from "./http.js";

const WAIT_S = 25;
/** How much later than asked for an answer may come. */
const SLACK_MS = 10_000;

/** One poll. With `deadlineMs` the server answers at once, and must do so within that time. */
export async function poll(listening: Listening, deadlineMs?: number): Promise<void> {
  const waitS = deadlineMs === undefined ? WAIT_S : 0;
  const timeout = AbortSignal.timeout(deadlineMs ?? WAIT_S * 1000 + SLACK_MS);
  const signal = AbortSignal.any([listening.signal, timeout]);
  const response = await listening.get(`poll?rx=${listening.received()}&wait_s=${waitS}`, signal);
  const envelopes: unknown = await response.json();
  if (!Array.isArray(envelopes)) throw new TypeError("a poll is answered with an array");
  listening.alive();
  for (const value of envelopes) {
    const envelope = readEnvelope(value);
    if (envelope) listening.receive(envelope);
  }
}
