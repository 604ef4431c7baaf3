// Exactly once and in order over sockets that die (docs/protocol.md, section 5). No I/O, no clock, no timer.

import type { Envelope } from "./envelope.js";

export const MAX_UNACKNOWLEDGED = 1024;
export const MAX_UNACKNOWLEDGED_BYTES = 1 << 20;
/** A stand-alone acknowledgement is due after this many messages. */
export const ACK_EVERY = 32;

/** What to do with a message that arrived. */
export type Verdict = "process" | "drop" | "gap";

interface Kept {
  s: number;
  envelope: Envelope;
  bytes: number;
}

/** Both directions of one session: numbers what is sent, keeps it until acknowledged, drops what came twice. */
export class Delivery {
  #sent = 0;
  #acknowledged = 0;
  #received = 0;
  #told = 0;
  #kept: Kept[] = [];
  #keptBytes = 0;

  /** The highest contiguous number received. */
  get received(): number {
    return this.#received;
  }

  /** Too much is unacknowledged: the session is over. */
  get hasOverflowed(): boolean {
    return this.#kept.length > MAX_UNACKNOWLEDGED || this.#keptBytes > MAX_UNACKNOWLEDGED_BYTES;
  }

  /** Number of messages received that the other side was not told of. */
  get untold(): number {
    return this.#received - this.#told;
  }

  /** Number a message and keep it. `bytes` is its size as text. */
  push(message: Envelope, bytes: number): Envelope {
    const envelope = { ...message, s: ++this.#sent };
    this.#kept.push({ s: envelope.s, envelope, bytes });
    this.#keptBytes += bytes;
    return envelope;
  }

  /** Put the acknowledgement onto what goes out now. */
  stamp(envelope: Envelope): Envelope {
    this.#told = this.#received;
    return { ...envelope, a: this.#received };
  }

  /** Take note of an arrived message's numbers. `gap` means that the socket must be replaced. */
  receive(envelope: Envelope): Verdict {
    if (envelope.a !== undefined) this.acknowledge(envelope.a);
    if (envelope.s === undefined) return "process";
    if (envelope.s <= this.#received) return "drop";
    if (envelope.s > this.#received + 1) return "gap";
    this.#received = envelope.s;
    return "process";
  }

  /** The other side has everything up to `a`. A number never sent is ignored. */
  acknowledge(a: number): void {
    if (a <= this.#acknowledged || a > this.#sent) return;
    this.#acknowledged = a;
    let count = 0;
    for (const kept of this.#kept) {
      if (kept.s > a) break;
      this.#keptBytes -= kept.bytes;
      count++;
    }
    this.#kept.splice(0, count);
  }

  /**
   * The session was resumed and the other side has everything up to `rx`: what to send again, in order. Null if
   * the other side's number cannot be: then only a new session helps.
   */
  resume(rx: number): Envelope[] | null {
    if (rx < this.#acknowledged || rx > this.#sent) return null;
    this.acknowledge(rx);
    return this.#kept.map((kept) => kept.envelope);
  }
}
