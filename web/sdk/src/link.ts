// The peer connection of a call through its generations: tracks, data channels, limits, recovery
// (docs/protocol.md, sections 8, 9 and 13).

import { limitSenders, mergeLimits, withLimits } from "./bandwidth.js";
import { PC, readCand, readDesc } from "./bodies.js";
import { Chat, CHAT_LABEL } from "./chat.js";
import { conceal, expose } from "./connections.js";
import type { Body } from "./envelope.js";
import { StepExchange, STEPS_LABEL } from "./exchange.js";
import { FILE_LABEL, Files } from "./files.js";
import type { LocalMedia } from "./media.js";
import { Negotiation } from "./negotiation.js";
import { Recovery } from "./recovery.js";
import type { Cand, Desc, Restart } from "./protocol.js";
import type { StepLog } from "./steps.js";
import type { Limits, Media } from "./types.js";

export interface LinkOptions {
  isOfferer: boolean;
  /** After a crash of the page: the connection that was there is gone. */
  isReturn: boolean;
  /** What this side wants to send; as the offerer, what it offers. */
  wanted(): Media;
  media: LocalMedia;
  log: StepLog;
  configuration(): RTCConfiguration;
  send(t: "desc", d: Desc): void;
  send(t: "cand", d: Cand): void;
  send(t: "restart", d: Restart): void;
  changed(): void;
  turned(state: RTCPeerConnectionState): void;
  giveUp(why: "ice_lost" | "ice_failed" | "error"): void;
}

export class Link {
  readonly remoteStream = new MediaStream();
  readonly chat: Chat;
  readonly files: Files;
  limits: Limits = { audio: null, video: null };
  #options: LinkOptions;
  #exchange: StepExchange;
  #recovery: Recovery;
  #negotiation: Negotiation | null = null;
  /** Highest generation known; 0: none yet, or forgotten in a crash. */
  #g = 0;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.chat = new Chat(options.changed);
    this.files = new Files(options.changed);
    this.#exchange = new StepExchange(options.log);
    this.#recovery = new Recovery(
      { restart: (why) => this.#negotiation?.restart(why), giveUp: (why) => options.giveUp(why) },
      options.isReturn,
    );
  }

  get pc(): RTCPeerConnection | null {
    return this.#negotiation?.pc ?? null;
  }

  get exchange(): StepExchange {
    return this.#exchange;
  }

  /** Both sides are there. */
  up(): void {
    if (this.#options.isOfferer) void this.#begin(1);
    else this.#connect(1, true);
  }

  /** Both sides are there again; `isFresh` means that one of them lost its peer connection (section 9). */
  upAgain(isFresh: boolean): void {
    this.#recovery.again();
    if (!isFresh && this.#negotiation) return this.#negotiation.restartAnew();
    // The callee follows the offer of the new generation.
    if (this.#options.isOfferer) void this.#begin((this.#g || Math.floor(Date.now() / 1000)) + 1);
  }

  receive(t: string, d: Body): void {
    if (t === "desc") this.#receiveDesc(d);
    else if (t === "cand") this.#receiveCand(d);
    else if (d.pc !== PC) return;
    else if (t === "renego") this.#negotiation?.negotiate();
    else if (t === "restart" && this.#options.isOfferer) this.#negotiation?.restart("lost");
  }

  /** The network of this device has changed. */
  network(): void {
    this.#recovery.network();
  }

  /** The next ICE restart gathers with fresh credentials; what is connected stays so. */
  renewIce(): void {
    this.pc?.setConfiguration(this.#options.configuration());
  }

  /** Each change renegotiates: the other side learns of it from `b=AS`. */
  setLimits(change: Partial<Limits>): void {
    this.limits = mergeLimits(this.limits, change);
    this.#options.log.did("limits", this.limits);
    if (this.pc) void limitSenders(this.pc, this.limits);
    this.#negotiation?.negotiate();
    this.#options.changed();
  }

  close(): void {
    this.#isClosed = true;
    this.#recovery.stop();
    this.files.close();
    this.#disconnect();
  }

  /** As the offerer: a connection of generation `g` with our tracks, as soon as they are there. */
  async #begin(g: number): Promise<void> {
    this.#g = g;
    const { media, wanted } = this.#options;
    await media.ready;
    if (this.#isClosed || this.#g !== g) return;
    const pc = this.#connect(g, false);
    media.attach(pc, wanted(), true);
    this.#open(pc.createDataChannel(CHAT_LABEL));
    this.#open(pc.createDataChannel(STEPS_LABEL));
  }

  /** `isFollowing`: the other side offers first, our tracks come with the answer. */
  #connect(g: number, isFollowing: boolean): RTCPeerConnection {
    this.#disconnect();
    this.#g = g;
    const { isOfferer, log, media, wanted, send, configuration } = this.#options;
    const pc = new RTCPeerConnection(configuration());
    expose(pc, log.steps);
    pc.ontrack = ({ track }) => {
      log.did("track", { kind: track.kind });
      this.remoteStream.addTrack(track);
      this.#options.changed();
    };
    pc.oniceconnectionstatechange = () => log.did("iceState", pc.iceConnectionState);
    pc.onconnectionstatechange = () => this.#turned(pc.connectionState);
    pc.ondatachannel = ({ channel }) => this.#open(channel);
    this.#negotiation = new Negotiation({
      pc,
      g,
      isOfferer,
      isFollowing,
      log,
      outgoing: (sdp) => withLimits(sdp, this.limits),
      sendDesc: (desc) => send("desc", desc),
      sendCand: (cand) => send("cand", cand),
      askRestart: (restart) => send("restart", restart),
      prepare: async () => {
        await media.ready;
        if (!this.#isClosed && this.pc === pc) media.attach(pc, wanted(), false);
      },
      settled: () => {
        this.#recovery.described();
        void limitSenders(pc, this.limits);
      },
      failed: (error) => this.#failed(pc, error),
    });
    this.#options.turned(pc.connectionState);
    return pc;
  }

  #disconnect(): void {
    const negotiation = this.#negotiation;
    if (!negotiation) return;
    this.#negotiation = null;
    const { pc } = negotiation;
    pc.ontrack = pc.oniceconnectionstatechange = pc.onconnectionstatechange = pc.ondatachannel = null;
    negotiation.close();
    conceal(pc);
    for (const track of this.remoteStream.getTracks()) this.remoteStream.removeTrack(track);
  }

  #open(channel: RTCDataChannel): void {
    if (channel.label === CHAT_LABEL) this.chat.open(channel);
    else if (channel.label === STEPS_LABEL) this.#exchange.open(channel);
    else if (channel.label === FILE_LABEL) this.files.accept(channel);
    else channel.close();
  }

  #turned(state: RTCPeerConnectionState): void {
    const { log } = this.#options;
    log.did("connectionState", state);
    if (state === "connected") log.did("connected");
    this.#recovery.turned(state);
    this.#options.turned(state);
  }

  #receiveDesc(d: Body): void {
    const desc = readDesc(d);
    if (!desc || desc.g < this.#g) return;
    // The other side began anew.
    if (desc.g > this.#g && desc.sdp.type === "offer") this.#connect(desc.g, true);
    if (desc.g === this.#g) this.#negotiation?.receiveDesc(desc);
  }

  #receiveCand(d: Body): void {
    const cand = readCand(d);
    if (cand?.g === this.#g) this.#negotiation?.receiveCand(cand);
  }

  /** A description that cannot be used: without a connection there is nothing to go on with. */
  #failed(pc: RTCPeerConnection, error: unknown): void {
    console.warn("peerline: negotiation failed", error);
    if (pc.connectionState === "new") this.#options.giveUp("error");
  }
}
