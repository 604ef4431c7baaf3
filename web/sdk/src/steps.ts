// The inspector's log: every step of a call with its time, on both sides.

import { type Place, type Step, type StepCandidate, type StepKind } from "./types.js";

/** A call that renegotiates for days must not fill the memory. */
const MAX_STEPS = 2000;

export class StepLog {
  /** Sorted by time. */
  readonly steps: Step[] = [];
  /** Called with each new step. */
  listener: (step: Step) => void = () => undefined;
  #count = 0;
  #start = performance.now();

  /** Milliseconds since the call began. */
  now(): number {
    return performance.now() - this.#start;
  }

  /** Something done inside. */
  did(kind: StepKind, payload?: unknown, candidate?: StepCandidate | null): void {
    this.#note(kind, "me", "me", payload, candidate);
  }

  sent(kind: StepKind, to: Place, payload?: unknown): void {
    this.#note(kind, "me", to, payload);
  }

  got(kind: StepKind, from: Place, payload?: unknown): void {
    this.#note(kind, from, "me", payload);
  }

  /** A step of the other page, its time already on our clock. */
  add(step: Omit<Step, "n">): void {
    const entry: Step = { n: ++this.#count, ...step };
    let place = this.steps.length;
    while (place > 0 && (this.steps[place - 1] as Step).at > entry.at) place--;
    this.steps.splice(place, 0, entry);
    if (this.steps.length > MAX_STEPS) this.steps.shift();
    this.listener(entry);
  }

  #note(kind: StepKind, from: Place, to: Place, payload?: unknown, candidate?: StepCandidate | null): void {
    const more = { ...(payload !== undefined && { payload }), ...(candidate && { candidate }) };
    this.add({ at: this.now(), kind, side: "local", from, to, ...more });
  }
}
