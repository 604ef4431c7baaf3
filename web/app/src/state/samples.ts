// One measurement a second of a call (W3C webrtc-stats through the SDK), and the last minute of them for the drawings.

import type { Call, CallStats } from "@peerline/sdk";
import { useEffect, useMemo } from "preact/hooks";
import { Observable, useObservable } from "./observable";

const INTERVAL_MS = 1000;
const KEPT = 60;

export class Samples extends Observable {
  kept: CallStats[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(readonly call: Pick<Call, "stats">) {
    super();
  }

  get latest(): CallStats | null {
    return this.kept.at(-1) ?? null;
  }

  start(): () => void {
    const measure = async (): Promise<void> => {
      try {
        this.add(await this.call.stats());
      } catch {
        // No connection to measure yet, or no longer.
      }
      if (this.#timer !== null) this.#timer = setTimeout(measure, INTERVAL_MS);
    };
    this.#timer = setTimeout(measure, 0);
    return () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
    };
  }

  add(sample: CallStats): void {
    this.kept = [...this.kept, sample].slice(-KEPT);
    this.changed();
  }
}

/** Measures `call` as long as the component is there. The SDK's rates count from sample to sample, so one place measures. */
export function useSamples(call: Call): Samples {
  const samples = useMemo(() => new Samples(call), [call]);
  useEffect(() => samples.start(), [samples]);
  return samples;
}

export function useLatestSample(samples: Samples): CallStats | null {
  return useObservable(samples).latest;
}
