// What to do while the connection is down: when to restart ICE, and when to give up (docs/protocol.md, section 8).

import type { Restart } from "./protocol.js";

/** A connection that was there and does not come back in this time is lost. */
export const LOST_MS = 18_000;
/** One that never came. */
export const NEVER_MS = 30_000;
/** A short disturbance heals by itself; after this long ICE looks for a new way. */
const PATIENCE_MS = 3000;
/** A change of network this short before explains the disturbance: no patience then. */
const NETWORK_MS = 10_000;

export interface RecoveryActs {
  restart(why: Restart["why"]): void;
  giveUp(why: "ice_lost" | "ice_failed"): void;
}

export class Recovery {
  #acts: RecoveryActs;
  #wasUp = false;
  #isDown = false;
  #networkAt = -Infinity;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(acts: RecoveryActs, wasUp = false) {
    this.#acts = acts;
    this.#wasUp = wasUp;
  }

  /** Both descriptions are set: without any candidate connectionState would stay `new` for ever. */
  described(): void {
    if (!this.#wasUp) this.#within(NEVER_MS);
  }

  /** connectionState has changed. */
  turned(state: RTCPeerConnectionState): void {
    if (state === "connected") {
      this.stop();
      this.#wasUp = true;
    } else if (state === "connecting") {
      if (!this.#isDown) this.#within(this.#wasUp ? LOST_MS : NEVER_MS);
    } else if (state === "disconnected") {
      this.#down();
      if (performance.now() - this.#networkAt < NETWORK_MS) this.#acts.restart("net");
      else this.#patience ??= setTimeout(() => this.#acts.restart("lost"), PATIENCE_MS);
    } else if (state === "failed") {
      this.#down();
      this.#acts.restart("lost");
    }
  }

  /** The network of this device has changed. */
  network(): void {
    this.#networkAt = performance.now();
    if (this.#isDown) this.#acts.restart("net");
  }

  /** The other side has come back: time begins anew. */
  again(): void {
    if (this.#deadline === undefined) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#within(LOST_MS);
  }

  stop(): void {
    this.#isDown = false;
    clearTimeout(this.#deadline);
    clearTimeout(this.#patience);
    this.#deadline = this.#patience = undefined;
  }

  #down(): void {
    this.#isDown = true;
    this.#within(LOST_MS);
  }

  #within(ms: number): void {
    this.#deadline ??= setTimeout(() => this.#acts.giveUp(this.#wasUp ? "ice_lost" : "ice_failed"), ms);
  }
}
