// The ring tone and the ring-back tone, made of oscillators (W3C Web Audio): no sound files.

import type { Tone } from "../state/status";

/** [frequency in Hz, start in s, length in s] of each note; `every_s` is the time until it begins again. */
const MELODIES = {
  ring: {
    every_s: 3,
    volume: 0.22,
    notes: [
      [659.3, 0, 0.22],
      [830.6, 0.2, 0.22],
      [987.8, 0.4, 0.5],
      [830.6, 0.9, 0.5],
    ],
  },
  // One second in five, as European exchanges do it.
  ringback: { every_s: 5, volume: 0.08, notes: [[425, 0, 1]] },
} as const;

export class Tones {
  #context: AudioContext | null = null;
  #playing: Tone = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #out: GainNode | null = null;

  /** Goes over to `tone`; null is silence. */
  play(tone: Tone): void {
    if (tone === this.#playing) return;
    this.#stop();
    this.#playing = tone;
    if (tone) void this.#start(tone).catch(() => {});
  }

  /** Fails, or waits for ever, where there is no sound or the browser allows none yet: dialog and title show the call all the same. */
  async #start(tone: NonNullable<Tone>): Promise<void> {
    const context = (this.#context ??= new AudioContext());
    const out = new GainNode(context);
    out.connect(context.destination);
    this.#out = out;
    await context.resume();
    if (this.#out !== out) return;
    round(context, out, tone);
    this.#timer = setInterval(() => round(context, out, tone), MELODIES[tone].every_s * 1000);
  }

  #stop(): void {
    clearInterval(this.#timer);
    // Cuts off what is scheduled, too.
    this.#out?.disconnect();
    this.#out = null;
    void this.#context?.suspend().catch(() => {});
  }
}

function round(context: AudioContext, out: GainNode, tone: NonNullable<Tone>): void {
  const { notes, volume } = MELODIES[tone];
  for (const [frequency, start, length] of notes) {
    const at = context.currentTime + 0.02 + start;
    const oscillator = new OscillatorNode(context, { type: "sine", frequency });
    const envelope = new GainNode(context, { gain: 0 });
    // Soft edges: a tone that begins at once clicks.
    envelope.gain.setValueAtTime(0, at);
    envelope.gain.linearRampToValueAtTime(volume, at + 0.03);
    envelope.gain.setValueAtTime(volume, at + length - 0.08);
    envelope.gain.linearRampToValueAtTime(0, at + length);
    oscillator.connect(envelope).connect(out);
    oscillator.start(at);
    oscillator.stop(at + length);
  }
}
