// A client and calls without a server or a browser, for the page's unit tests and its preview.

import type {
  Call,
  CallState,
  CallStats,
  Client,
  ClientState,
  HistoryEntry,
  Media,
  MissedCall,
  Person,
  Presence,
  Step,
  StreamStats,
} from "@peerline/sdk";

type Listener = (...args: never[]) => void;

class Emitter {
  readonly #listeners = new Map<string, Set<Listener>>();

  on = (event: string, listener: Listener): (() => void) => {
    const known = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, known.add(listener));
    return () => void known.delete(listener);
  };

  emit(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])])
      (listener as (...all: unknown[]) => void)(...args);
  }

  listeners(): number {
    return [...this.#listeners.values()].reduce((sum, known) => sum + known.size, 0);
  }
}

export class FakeCall extends Emitter {
  state: CallState;
  endReason: string | null = null;
  localStream = typeof MediaStream === "undefined" ? ({} as MediaStream) : new MediaStream();
  remoteStream = typeof MediaStream === "undefined" ? ({} as MediaStream) : new MediaStream();
  pc = null;
  mediaError: DOMException | null = null;
  microphone = { muted: false, deviceId: null };
  camera = { off: false, deviceId: null };
  screen = false;
  remoteMuted = { audio: false, video: false };
  limits: { audio: number | null; video: number | null } = { audio: null, video: null };
  chat: { id: string; mine: boolean; text: string; at: number }[] = [];
  files: Call["files"] = [];
  steps: Step[] = [];
  accepted: Media | null = null;

  constructor(
    readonly id: string,
    readonly direction: "in" | "out",
    readonly peer: { u: string; n: string },
    readonly media: Media = ["a", "v"],
  ) {
    super();
    this.state = direction === "in" ? "incoming" : "calling";
  }

  go(state: CallState, endReason: string | null = null): void {
    this.state = state;
    this.endReason = endReason;
    this.emit("change");
  }

  step(step: Omit<Step, "n">): void {
    const whole = { ...step, n: this.steps.length + 1 };
    this.steps = [...this.steps, whole];
    this.emit("step", whole);
  }

  accept = async (media: Media) => {
    this.accepted = media;
    this.go("connecting");
  };
  decline = () => this.go("ended", "declined");
  hangup = () =>
    this.go("ended", this.state === "calling" || this.state === "ringing" ? "cancelled" : "hangup");
  setMuted = (muted: boolean) => {
    this.microphone = { ...this.microphone, muted };
    this.emit("change");
  };
  setCameraOff = async (off: boolean) => {
    this.camera = { ...this.camera, off };
    this.emit("change");
  };
  shareScreen = async (on: boolean) => {
    this.screen = on;
    this.emit("change");
  };
  selectDevice = async () => {};
  setLimits = (limits: Partial<FakeCall["limits"]>) => {
    this.limits = { ...this.limits, ...limits };
    this.emit("change");
  };
  send = (text: string) => {
    this.chat = [...this.chat, { id: String(this.chat.length), mine: true, text, at: Date.now() }];
    this.emit("change");
  };
  sendFile = (): never => {
    throw new Error("The fake sends no files.");
  };
  stats = async (): Promise<CallStats> => fakeStats();

  asCall(): Call {
    return this as unknown as Call;
  }
}

export class FakeClient extends Emitter {
  me = { u: "ann", n: "Ann", rights: [] };
  people = new Map<string, Person>([["ann", { u: "ann", n: "Ann", st: "online" }]]);
  presence: Presence = "online";
  state: ClientState = "connected";
  transport = "websocket" as const;
  currentCall: FakeCall | null = null;
  closed = false;
  acknowledged: string[] = [];
  calls: HistoryEntry[] = [];

  call = (u: string, media: Media): FakeCall => {
    const call = new FakeCall(`out-${u}`, "out", { u, n: this.people.get(u)?.n ?? u }, media);
    this.currentCall = call;
    this.emit("call", call);
    return call;
  };
  setPresence = (st: "online" | "away" | "dnd") => {
    this.presence = st;
    this.shows({ ...this.me, st });
  };
  history = async (): Promise<HistoryEntry[]> => this.calls;
  seen = (calls: string[]) => void this.acknowledged.push(...calls);
  close = () => {
    this.closed = true;
    this.goes("closed");
  };

  shows(...people: Person[]): void {
    for (const person of people) this.people.set(person.u, person);
    this.emit("people", this.people);
  }

  rings(call: FakeCall): FakeCall {
    this.emit("incoming", call);
    return call;
  }

  missed(...calls: MissedCall[]): void {
    this.emit("missed", calls);
  }

  goes(state: ClientState, why?: string): void {
    this.state = state;
    this.emit("state", state, why);
  }

  asClient(): Client {
    return this as unknown as Client;
  }
}

function fakeStats(): CallStats {
  const wobble = 0.85 + Math.random() * 0.3;
  const stream = (kbps: number, codec: string): StreamStats => ({
    bitrateKbps: kbps * wobble,
    packetsLost: 3,
    lossPct: 0.2 * wobble,
    jitterMs: 2.5 * wobble,
    codec,
    packets: 18_230,
    bytes: 9_120_000,
  });
  const picture = { width: 1280, height: 720, fps: 30 };
  return {
    at: Date.now(),
    rttMs: 24 * wobble,
    pair: { local: "host", remote: "srflx", protocol: "udp", relayed: false },
    audio: { in: stream(38, "opus"), out: stream(36, "opus") },
    video: { in: { ...stream(1210, "VP8"), ...picture }, out: { ...stream(1180, "VP8"), ...picture } },
  };
}
