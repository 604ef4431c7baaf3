// Puts the steps of the two sides into one list, as they happened.

import type { Step, StepKind } from "@peerline/sdk";

/** What arrives on one side, and what the other must have done before. */
const CAUSE: Partial<Record<StepKind, StepKind>> = {
  ring: "call",
  up: "accept",
  offerReceived: "offerSent",
  answerReceived: "answerSent",
  candidatesReceived: "candidatesSent",
  infoReceived: "infoSent",
};

/** The other side's clock is only estimated; by more than this it is never wrong. */
const CLOCK_ERROR_MS = 250;

/**
 * By time, but never against the order in which one side did its own steps, and never an arrival before its departure:
 * these two are sure, while the difference of the two clocks is an estimate.
 */
export function inOrder(steps: readonly Step[]): Step[] {
  const local = new Queue(steps.filter((step) => step.side === "local"));
  const remote = new Queue(steps.filter((step) => step.side === "remote"));
  const merged: Step[] = [];
  while (local.first && remote.first) {
    const [next, other] = remote.first.at < local.first.at ? [remote, local] : [local, remote];
    merged.push((next.waitsFor(other) ? other : next).take());
  }
  return [...merged, ...local.rest(), ...remote.rest()];
}

/** What one side did, in its order, and how often it has done what so far. */
class Queue {
  readonly #taken = new Map<StepKind, number>();
  #next = 0;

  constructor(readonly steps: Step[]) {}

  get first(): Step | undefined {
    return this.steps[this.#next];
  }

  take(): Step {
    const step = this.steps[this.#next++]!;
    this.#taken.set(step.kind, this.count(step.kind) + 1);
    return step;
  }

  count(kind: StepKind): number {
    return this.#taken.get(kind) ?? 0;
  }

  rest(): Step[] {
    return this.steps.slice(this.#next);
  }

  /** Whether the first step is an arrival whose departure on the other side is still to come, shortly. */
  waitsFor(other: Queue): boolean {
    const { first } = this;
    const cause = first && CAUSE[first.kind];
    if (!cause || other.count(cause) > this.count(first.kind)) return false;
    return other.departsBy(cause, first.at + CLOCK_ERROR_MS);
  }

  departsBy(kind: StepKind, latest: number): boolean {
    for (let place = this.#next; place < this.steps.length && this.steps[place]!.at <= latest; place++) {
      if (this.steps[place]!.kind === kind) return true;
    }
    return false;
  }
}
