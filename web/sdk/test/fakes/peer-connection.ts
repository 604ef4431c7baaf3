// A peer connection's signaling state machine (W3C WebRTC 1.0, section 4.4.1) without any media: descriptions are
// texts that say who made them and when. Operations are chained and take a while, as in a browser.

import { below, type Random } from "../random.js";

let count = 0;

export class FakePeerConnection {
  signalingState: RTCSignalingState = "stable";
  connectionState: RTCPeerConnectionState = "new";
  localDescription: RTCSessionDescriptionInit | null = null;
  remoteDescription: RTCSessionDescriptionInit | null = null;
  onnegotiationneeded: (() => void) | null = null;
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  readonly candidates: string[] = [];
  /** What happened, for assertions on the order. */
  readonly history: string[] = [];
  rollbacks = 0;
  isClosed = false;
  #stableLocal: RTCSessionDescriptionInit | null = null;
  #chain: Promise<unknown> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly random: Random = () => 0,
  ) {}

  get asConnection(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }

  createOffer(options: { iceRestart?: boolean } = {}): Promise<RTCSessionDescriptionInit> {
    return this.#operate(() => {
      if (this.signalingState !== "stable" && this.signalingState !== "have-local-offer") throw invalid();
      return {
        type: "offer",
        sdp: `offer ${++count} of ${this.name}${options.iceRestart ? " restart" : ""}`,
      };
    });
  }

  createAnswer(): Promise<RTCSessionDescriptionInit> {
    return this.#operate(() => {
      if (this.signalingState !== "have-remote-offer") throw invalid();
      return { type: "answer", sdp: `answer ${++count} of ${this.name} to ${this.remoteDescription?.sdp}` };
    });
  }

  setLocalDescription(description: RTCSessionDescriptionInit): Promise<void> {
    return this.#operate(() => {
      const { type } = description;
      const isFine =
        type === "offer"
          ? this.signalingState === "stable" || this.signalingState === "have-local-offer"
          : this.signalingState === "have-remote-offer";
      if (!isFine) throw invalid();
      this.localDescription = description;
      this.#turn(type === "offer" ? "have-local-offer" : "stable", `local ${type}`);
    });
  }

  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    return this.#operate(() => {
      const { type } = description;
      if (type === "offer") {
        if (this.signalingState === "have-local-offer") {
          this.rollbacks++;
          this.localDescription = this.#stableLocal;
        } else if (this.signalingState !== "stable") throw invalid();
      } else if (this.signalingState !== "have-local-offer") throw invalid();
      this.remoteDescription = description;
      this.#turn(type === "offer" ? "have-remote-offer" : "stable", `remote ${type}`);
    });
  }

  addIceCandidate({ candidate }: RTCIceCandidateInit): Promise<void> {
    return this.#operate(() => {
      if (!this.remoteDescription) throw invalid();
      this.candidates.push(candidate ?? "");
    });
  }

  close(): void {
    this.isClosed = true;
    this.signalingState = "closed";
  }

  #turn(state: RTCSignalingState, what: string): void {
    this.signalingState = state;
    this.history.push(what);
    if (state === "stable") this.#stableLocal = this.localDescription;
  }

  #operate<T>(act: () => T): Promise<T> {
    const done = this.#chain.then(async () => {
      await new Promise((resolve) => setTimeout(resolve, below(this.random, 4)));
      if (this.isClosed) return new Promise<never>(() => undefined);
      return act();
    });
    this.#chain = done.catch(() => undefined);
    return done;
  }
}

const invalid = () => new DOMException("not in this state", "InvalidStateError");
