// Camera, microphone, streams and peer connections of a browser that has none.

import { vi } from "vitest";
import { FakePeerConnection } from "./peer-connection.js";

let count = 0;

export class FakeTrack {
  readonly id = `track ${++count}`;
  enabled = true;
  readyState = "live";
  onended: (() => void) | null = null;
  constructor(
    readonly kind: "audio" | "video",
    readonly label: string,
    readonly deviceId = label,
  ) {}
  getSettings() {
    return { deviceId: this.deviceId };
  }
  stop(): void {
    this.readyState = "ended";
  }
  /** Pulled out by the person. */
  unplug(): void {
    this.readyState = "ended";
    this.onended?.();
  }
}

export class FakeStream {
  #tracks: FakeTrack[];
  constructor(tracks: FakeTrack[] = []) {
    this.#tracks = [...tracks];
  }
  getTracks = () => [...this.#tracks];
  getAudioTracks = () => this.#tracks.filter((track) => track.kind === "audio");
  getVideoTracks = () => this.#tracks.filter((track) => track.kind === "video");
  addTrack(track: FakeTrack): void {
    if (!this.#tracks.includes(track)) this.#tracks.push(track);
  }
  removeTrack(track: FakeTrack): void {
    this.#tracks = this.#tracks.filter((one) => one !== track);
  }
}

type Wish = { deviceId?: { exact: string } } | boolean;

/** getUserMedia with the devices that `has` lists. */
export class FakeDevices extends EventTarget {
  has = { audio: true, video: true };
  readonly opened: FakeTrack[] = [];
  readonly asked: { audio: boolean; video: boolean }[] = [];
  /** Set to let the person take their time. */
  gate: Promise<void> = Promise.resolve();
  screen: "shown" | "dismissed" = "shown";

  async getUserMedia({ audio, video }: { audio: Wish; video: Wish }): Promise<FakeStream> {
    this.asked.push({ audio: audio !== false, video: video !== false });
    await this.gate;
    const tracks: FakeTrack[] = [];
    for (const [kind, wish] of Object.entries({ audio, video }) as ["audio" | "video", Wish][]) {
      if (wish === false) continue;
      if (!this.has[kind]) throw new DOMException(`no ${kind}`, "NotFoundError");
      const exact = typeof wish === "object" ? wish.deviceId?.exact : undefined;
      if (exact === "missing") throw new DOMException("no such device", "OverconstrainedError");
      tracks.push(new FakeTrack(kind, exact ?? `default ${kind}`));
    }
    this.opened.push(...tracks);
    return new FakeStream(tracks);
  }

  getDisplayMedia(): Promise<FakeStream> {
    if (this.screen === "dismissed") return Promise.reject(new DOMException("dismissed", "NotAllowedError"));
    const track = new FakeTrack("video", "screen");
    this.opened.push(track);
    return Promise.resolve(new FakeStream([track]));
  }
}

interface FakeTransceiver {
  direction: string;
  receiver: { track: FakeTrack };
  sender: {
    track: FakeTrack | null;
    replaceTrack(track: FakeTrack | null): Promise<void>;
    setStreams(): void;
    getParameters(): { encodings: object[] };
    setParameters(): Promise<void>;
  };
}

export class FakeRtc extends FakePeerConnection {
  static readonly made: FakeRtc[] = [];
  readonly transceivers: FakeTransceiver[] = [];
  readonly channels: string[] = [];
  onconnectionstatechange: (() => void) | null = null;
  iceConnectionState = "new";

  constructor(readonly configuration: RTCConfiguration = {}) {
    super(`pc ${FakeRtc.made.length}`);
    FakeRtc.made.push(this);
  }
  static get last(): FakeRtc {
    return FakeRtc.made.at(-1) as FakeRtc;
  }

  addTrack(track: FakeTrack): FakeTransceiver["sender"] {
    return this.#add(track.kind, "sendrecv", track).sender;
  }
  addTransceiver(kind: "audio" | "video", { direction }: { direction: string }): FakeTransceiver {
    return this.#add(kind, direction, null);
  }
  getTransceivers = () => this.transceivers;
  createDataChannel(label: string): object {
    this.channels.push(label);
    this.#needNegotiation();
    return { label };
  }
  getStats = () => Promise.resolve(new Map());

  turn(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  #add(kind: "audio" | "video", direction: string, track: FakeTrack | null): FakeTransceiver {
    const transceiver: FakeTransceiver = {
      direction,
      receiver: { track: new FakeTrack(kind, "remote") },
      sender: {
        track,
        replaceTrack(other) {
          this.track = other;
          return Promise.resolve();
        },
        setStreams: () => undefined,
        getParameters: () => ({ encodings: [{}] }),
        setParameters: () => Promise.resolve(),
      },
    };
    this.transceivers.push(transceiver);
    this.#needNegotiation();
    return transceiver;
  }
  #needNegotiation(): void {
    queueMicrotask(() => this.signalingState === "stable" && this.onnegotiationneeded?.());
  }
}

/** Put the fakes where a browser has its own. */
export function stubBrowser(): FakeDevices {
  const devices = new FakeDevices();
  FakeRtc.made.length = 0;
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("RTCPeerConnection", FakeRtc);
  vi.stubGlobal("navigator", { mediaDevices: devices });
  return devices;
}

export class MemoryStorage {
  #items = new Map<string, string>();
  getItem = (name: string) => this.#items.get(name) ?? null;
  setItem = (name: string, value: string) => void this.#items.set(name, value);
  removeItem = (name: string) => void this.#items.delete(name);
}
