// Trickle ICE (RFC 8838): the first candidates go out as soon as they are found, later ones together every 50 ms.

import { PC } from "./bodies.js";
import type { Cand, Candidate } from "./protocol.js";

/** Those of this machine are found within a few milliseconds; with them the other side can begin. */
const FIRST_MS = 5;
const GATHER_MS = 50;
/** Longest time for which a description waits for its first candidate. */
const HOLD_MS = 20;

export class CandidateBatch {
  #found: Candidate[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isFirst = true;
  #isComplete = false;
  /** Set while candidates are held back: tells that one is there. */
  #arrived: (() => void) | null = null;

  constructor(
    private readonly g: number,
    private readonly send: (cand: Cand) => void,
  ) {}

  add(candidate: RTCIceCandidate): void {
    const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    this.#found.push({ candidate: candidate.candidate, sdpMid, sdpMLineIndex, usernameFragment });
    if (this.#arrived) this.#arrived();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#isFirst ? FIRST_MS : GATHER_MS);
  }

  /** Gathering is complete. */
  complete(): void {
    this.#isComplete = true;
    if (this.#arrived) this.#arrived();
    else this.#flush();
  }

  /** Hold candidates back until `release`. Settles when there is one, or no hope of one soon. */
  hold(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
      setTimeout(resolve, HOLD_MS);
    });
  }

  release(): void {
    this.#arrived = null;
    if (this.#found.length > 0 || this.#isComplete) this.#flush();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#found = [];
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const isEnd = this.#isComplete;
    // The next gathering, after an ICE restart, has its own first candidates and its own end.
    this.#isFirst = isEnd;
    this.#isComplete = false;
    this.send({ pc: PC, g: this.g, c: this.#found.splice(0), ...(isEnd && { end: true }) });
  }
}
