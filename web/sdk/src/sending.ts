// Tells the other side what this one sends: `info` with `k` `mute` (docs/protocol.md, section 8).

import type { Media } from "./types.js";

export interface Sending {
  audio: boolean;
  video: boolean;
}

export class SendingNews {
  #tell: (sending: Sending) => void;
  #believed: Sending | null = null;
  #isOn = false;

  constructor(tell: (sending: Sending) => void) {
    this.#tell = tell;
  }

  /** The other side is there and believes that we send this; null: it knows nothing. */
  begin(believed: Media | null): void {
    this.#believed = believed && { audio: believed.includes("a"), video: believed.includes("v") };
    this.#isOn = false;
  }

  /** Camera and microphone are settled: from now on what differs is told. */
  start(now: Sending): void {
    this.#isOn = true;
    this.update(now);
  }

  update(now: Sending): void {
    const { audio, video } = now;
    if (!this.#isOn || (this.#believed?.audio === audio && this.#believed.video === video)) return;
    this.#believed = { audio, video };
    this.#tell({ audio, video });
  }
}
