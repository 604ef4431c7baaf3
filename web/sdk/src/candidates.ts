// Trickle ICE (RFC 8838): what is found within 50 ms goes out as one message.

import { PC } from "./bodies.js";
import type { Cand, Candidate } from "./protocol.js";

const GATHER_MS = 50;

export class CandidateBatch {
  #found: Candidate[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly g: number,
    private readonly send: (cand: Cand) => void,
  ) {}

  add(candidate: RTCIceCandidate): void {
    const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
    this.#found.push({ candidate: candidate.candidate, sdpMid, sdpMLineIndex, usernameFragment });
    this.#timer ??= setTimeout(() => this.#flush(false), GATHER_MS);
  }

  /** Gathering is complete. */
  complete(): void {
    this.#flush(true);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#found = [];
  }

  #flush(isEnd: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.send({ pc: PC, g: this.g, c: this.#found.splice(0), ...(isEnd && { end: true }) });
  }
}
