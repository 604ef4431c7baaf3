// Each page tells the other its steps over the data channel `steps`, so that the inspector shows both sides.
// Kinds and times only, no payloads; the two clocks are compared by pings over the same channel.

import { isObject } from "./envelope.js";
import type { StepLog } from "./steps.js";
import { type Place, type Step, STEP_KINDS, type StepCandidate, type StepKind } from "./types.js";

export const STEPS_LABEL = "steps";
const PINGS = 4;
const GATHER_MS = 30;
/** Far below what one message of a data channel may hold. */
const PER_MESSAGE = 50;
const MAX_HELD = 2000;

interface ToldStep {
  kind: StepKind;
  at: number;
  from: Place;
  to: Place;
  candidate?: StepCandidate;
}

/** What the other page calls "me" is "peer" here, and the other way round. */
const SEEN_FROM_HERE: Record<Place, Place> = { me: "peer", peer: "me", server: "server" };

export class StepExchange {
  #log: StepLog;
  #channel: RTCDataChannel | null = null;
  #untold: ToldStep[] = [];
  #held: ToldStep[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pongs = 0;
  #best = { rtt: Infinity, offset: 0 };

  constructor(log: StepLog) {
    this.#log = log;
  }

  /** A step done here. */
  tell(step: Step): void {
    const { kind, at, from, to, candidate } = step;
    this.#untold.push({ kind, at, from, to, ...(candidate && { candidate }) });
    if (this.#untold.length > MAX_HELD) this.#untold.shift();
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  open(channel: RTCDataChannel): void {
    this.#channel = channel;
    this.#pongs = 0;
    this.#best = { rtt: Infinity, offset: 0 };
    channel.onopen = () => {
      this.#send({ t: "ping", c: this.#log.now() });
      this.#flush();
    };
    channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#channel?.readyState === "open" && this.#untold.length > 0) {
      this.#send({ t: "steps", steps: this.#untold.splice(0, PER_MESSAGE) });
    }
  }

  #send(message: object): void {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  #receive(data: unknown): void {
    const message = readJson(data);
    if (message?.t === "ping" && typeof message.c === "number") {
      this.#send({ t: "pong", c: message.c, at: this.#log.now() });
    } else if (message?.t === "pong" && typeof message.c === "number" && typeof message.at === "number") {
      this.#compare(message.c, message.at);
    } else if (message?.t === "steps" && Array.isArray(message.steps)) {
      const steps = message.steps.slice(0, PER_MESSAGE).map(readStep);
      for (const step of steps) if (step) this.#held.push(step);
      this.#held.splice(MAX_HELD);
      this.#release();
    }
  }

  /** The ping that came back fastest tells best how far the two clocks are apart. */
  #compare(pinged: number, theirs: number): void {
    const now = this.#log.now();
    const rtt = now - pinged;
    if (rtt < this.#best.rtt) this.#best = { rtt, offset: theirs - (pinged + now) / 2 };
    if (++this.#pongs < PINGS) this.#send({ t: "ping", c: this.#log.now() });
    this.#release();
  }

  #release(): void {
    if (this.#pongs < PINGS) return;
    for (const { at, from, to, ...rest } of this.#held.splice(0)) {
      const seen = { from: SEEN_FROM_HERE[from], to: SEEN_FROM_HERE[to] };
      this.#log.add({ ...rest, ...seen, at: at - this.#best.offset, side: "remote" });
    }
  }
}

/** A message of the other page: an object, or null if it is anything else. */
export function readJson(data: unknown): Record<string, unknown> | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isPlace = (place: unknown): place is Place => place === "me" || place === "peer" || place === "server";
const isKind = (kind: unknown): kind is StepKind => STEP_KINDS.includes(kind as StepKind);

function readStep(value: unknown): ToldStep | null {
  if (!isObject(value)) return null;
  const { kind, at, from, to } = value;
  if (!isKind(kind) || typeof at !== "number" || !isPlace(from) || !isPlace(to)) return null;
  const candidate = readLabel(value.candidate);
  return { kind, at, from, to, ...(candidate && { candidate }) };
}

function readLabel(value: unknown): StepCandidate | null {
  if (!isObject(value)) return null;
  const { kind, label, protocol, mdns } = value;
  if (kind !== "host" && kind !== "srflx" && kind !== "prflx" && kind !== "relay") return null;
  if (label !== "local" && label !== "public" && label !== "relayed") return null;
  if (protocol !== "udp" && protocol !== "tcp") return null;
  return { kind, label, protocol, mdns: mdns === true };
}
