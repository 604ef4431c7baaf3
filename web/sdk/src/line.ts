// What a call needs of the client, and what it begins with.

import type { Call } from "./call.js";
import type { LocalMedia } from "./media.js";
import type { Answer, Sendable } from "./session.js";
import type { StepLog } from "./steps.js";
import type { CallState, Media } from "./types.js";

export interface Line {
  readonly me: { readonly u: string };
  configuration(): RTCConfiguration;
  send<T extends keyof Sendable>(t: T, d: Sendable[T], call: string): void;
  request<T extends keyof Sendable>(t: T, d: Sendable[T], call: string): Promise<Answer<T>>;
  /** The device is in this call now. */
  entered(call: Call): void;
  ended(call: Call): void;
}

/** What another call leaves to the one that goes on in its place (glare). */
export interface Heritage {
  media: LocalMedia;
  log: StepLog;
  wanted: Media;
}

export interface CallOptions {
  id: string;
  direction: "in" | "out";
  peer: { u: string; n: string };
  /** `reconnecting`: the call that a crashed page was in. */
  state: CallState;
  /** What the other side offers, or what we ask for. */
  media: Media;
  heritage?: Heritage;
}
