// One call as the page sees it: its state, its media, and what can be done with it (docs/protocol.md, section 7).

import { Emitter } from "./emitter.js";
import type { Body } from "./envelope.js";
import { PeerlineError } from "./error.js";
import type { CallOptions, Heritage, Line } from "./line.js";
import { Link } from "./link.js";
import { LocalMedia } from "./media.js";
import type { End, Up } from "./protocol.js";
import { forgetCall, rememberCall } from "./remembered.js";
import { SendingNews } from "./sending.js";
import type { Sendable } from "./session.js";
import { StatsSampler } from "./stats.js";
import { StepLog } from "./steps.js";
import type {
  CallEndReason,
  CallState,
  CallStats,
  ChatMessage,
  FileTransfer,
  Limits,
  Media,
  Step,
} from "./types.js";

export interface CallEvents {
  /** Something about the call is different: read what you show. */
  change: [];
  step: [step: Step];
}

export class Call {
  readonly id: string;
  readonly direction: "in" | "out";
  #line: Line;
  #events = new Emitter<CallEvents>();
  #peer: { u: string; n: string };
  #offered: Media;
  /** What we want to send. */
  #wanted: Media;
  #state: CallState;
  #endReason: CallEndReason | null = null;
  #wasConnected = false;
  #isUp = false;
  #log: StepLog;
  #localMedia: LocalMedia;
  #link: Link;
  #remote = { audio: false, video: false };
  #news: SendingNews;
  #sampler = new StatsSampler();
  #isChanging = false;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #isPlaced = false;
  /** @internal How often it was told to ring: a new session tells it again. */
  timesRung = 0;

  /** @internal Calls come from `client.call()` and from the event `incoming`. */
  constructor(line: Line, options: CallOptions) {
    const { id, direction, peer, state, media, heritage } = options;
    this.#line = line;
    this.id = id;
    this.direction = direction;
    this.#peer = peer;
    this.#state = state;
    this.#offered = media;
    this.#wanted = heritage?.wanted ?? media;
    const changed = () => this.#changed();
    this.#log = heritage?.log ?? new StepLog();
    this.#localMedia = heritage?.media ?? new LocalMedia(this.#log, changed);
    heritage?.media.serve(changed);
    // A call that begins as `reconnecting` is the one that a crashed page was in.
    this.#wasConnected = this.#isUp = state === "reconnecting";
    this.#news = new SendingNews(({ audio, video }) => {
      line.send("info", { k: "mute", audio, video }, id);
      this.#log.sent("infoSent", "peer", { audio, video });
    });
    this.#link = new Link({
      isOfferer: direction === "out",
      isReturn: this.#isUp,
      wanted: () => this.#wanted,
      media: this.#localMedia,
      log: this.#log,
      configuration: () => line.configuration(),
      send: <T extends "desc" | "cand" | "restart">(t: T, d: Sendable[T]) => line.send(t, d, id),
      changed,
      turned: (connection) => this.#turned(connection),
      giveUp: (why) => this.#end(why, why),
    });
    this.#log.listener = (step) => {
      if (step.side === "local") this.#link.exchange.tell(step);
      this.#events.emit("step", step);
    };
  }

  on<K extends keyof CallEvents>(event: K, listener: (...args: CallEvents[K]) => void): () => void {
    return this.#events.on(event, listener);
  }

  get peer(): { readonly u: string; readonly n: string } {
    return this.#peer;
  }

  /** What the other side sends or offers to send. */
  get media(): Media {
    return this.#offered;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Why it ended: a word of the protocol, or the code of the refusal. */
  get endReason(): CallEndReason | null {
    return this.#endReason;
  }

  get localStream(): MediaStream {
    return this.#localMedia.stream;
  }

  get remoteStream(): MediaStream {
    return this.#link.remoteStream;
  }

  get pc(): RTCPeerConnection | null {
    return this.#link.pc;
  }

  /** Why camera, microphone or screen are missing. The call goes on with what there is. */
  get mediaError(): DOMException | null {
    return this.#localMedia.error;
  }

  get microphone(): { readonly muted: boolean; readonly deviceId: string | null } {
    return { muted: this.#localMedia.isMuted, deviceId: this.#localMedia.deviceId("audio") };
  }

  get camera(): { readonly off: boolean; readonly deviceId: string | null } {
    return { off: this.#localMedia.isCameraOff, deviceId: this.#localMedia.deviceId("video") };
  }

  /** Whether the screen is shown in place of the camera. */
  get screen(): boolean {
    return this.#localMedia.isSharing;
  }

  /** What the other side says that it does not send. */
  get remoteMuted(): { readonly audio: boolean; readonly video: boolean } {
    return this.#remote;
  }

  get limits(): Readonly<Limits> {
    return this.#link.limits;
  }

  get chat(): readonly ChatMessage[] {
    return this.#link.chat.messages;
  }

  get files(): readonly FileTransfer[] {
    return this.#link.files.transfers;
  }

  /** The inspector's log, sorted by time. */
  get steps(): readonly Step[] {
    return this.#log.steps;
  }

  /** Take the call. Never rejects: if it is gone meanwhile, the state says so. */
  async accept(media: Media): Promise<void> {
    if (this.#state !== "incoming") return;
    this.#wanted = media;
    this.#turn("connecting");
    this.#line.entered(this);
    this.#log.sent("accept", "server", { media });
    void this.#localMedia.open(media);
    try {
      await this.#line.request("accept", { media }, this.id);
    } catch (error) {
      this.finish(codeOf(error));
    }
  }

  decline(): void {
    if (this.#state !== "incoming") return;
    this.#log.sent("decline", "server");
    this.#ask("decline", {});
    this.finish("declined");
  }

  /** End the call; before the other side answered: cancel it. */
  hangup(): void {
    if (this.#state === "incoming") return this.decline();
    if (this.#isUp || this.direction === "in") return this.#end("hangup", "hangup");
    if (this.#state === "ended") return;
    this.#log.sent("cancel", "server");
    // They may have answered in this very moment: then it is a hang-up.
    this.#line.request("cancel", {}, this.id).catch((error: unknown) => {
      if (codeOf(error) === "conflict") this.#ask("end", { why: "hangup" });
    });
    this.finish("cancelled");
  }

  setMuted(muted: boolean): void {
    this.#localMedia.setMuted(muted);
  }

  /** Off releases the camera. Never rejects: see `mediaError`. */
  setCameraOff(off: boolean): Promise<void> {
    return this.#localMedia.setCameraOff(off);
  }

  shareScreen(on: boolean): Promise<void> {
    return this.#localMedia.shareScreen(on);
  }

  selectDevice(kind: "audioinput" | "videoinput", deviceId: string): Promise<void> {
    return this.#localMedia.selectDevice(kind, deviceId);
  }

  /** Limits in kbit/s for both directions; null lifts one. Each change renegotiates. */
  setLimits(limits: Partial<Limits>): void {
    if (this.#state !== "ended") this.#link.setLimits(limits);
  }

  /** Say something; before the channel is open it waits. */
  send(text: string): void {
    if (this.#state !== "ended") this.#link.chat.send(text);
  }

  sendFile(file: File): FileTransfer {
    return this.#link.files.send(this.pc, file);
  }

  /** A sample of the statistics; its rates count since the sample before. */
  async stats(): Promise<CallStats> {
    const report = await this.pc?.getStats();
    return this.#sampler.sample((report as Iterable<[string, unknown]> | undefined) ?? [], performance.now());
  }

  // What the client tells its calls -------------------------------------------------------------------

  /** @internal Whether it is to be told to a server that may have forgotten it. */
  get isUp(): boolean {
    return this.#isUp && this.#state !== "ended";
  }

  /** @internal What we want to send. */
  get wanted(): Media {
    return this.#wanted;
  }

  /** @internal */
  get log(): StepLog {
    return this.#log;
  }

  /** @internal Place the call. Camera and microphone are opened meanwhile. */
  place(): void {
    void this.#localMedia.open(this.#wanted);
    this.#request();
  }

  /** @internal A server that started anew knows nothing of a call that was not answered yet. */
  sessionIsNew(): void {
    if (!this.#isPlaced || this.#isUp) return;
    this.#isPlaced = false;
    this.#request();
  }

  /** @internal It rings here, for so long at most. */
  rings(ttlMs: number): void {
    this.#log.got("ring", "server", { media: this.#offered });
    this.#line.send("rung", {}, this.id);
    this.#log.sent("rung", "server");
    this.timesRung++;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#state === "incoming" && this.finish("timeout"), ttlMs);
  }

  /** @internal It rings there. */
  rung(): void {
    this.#log.got("rung", "peer");
    if (this.#state === "calling") this.#turn("ringing");
  }

  /** @internal Another call of ours goes on as this one, which needs no accepting any more. */
  bequeath(): Heritage {
    return { media: this.#localMedia, log: this.#log, wanted: this.#wanted };
  }

  /** @internal Merged into another call, which has our camera now. */
  merged(): void {
    this.#finish("merged", false);
  }

  /** @internal Come back after a crash of the page. */
  comeBack(): void {
    void this.#localMedia.open(this.#wanted);
  }

  /** @internal Both sides are there. */
  up(up: Up): void {
    if (this.#state === "ended" || this.#state === "incoming") return;
    this.#log.got("up", "server", up);
    this.#peer = up.peer;
    this.#offered = up.media;
    if (!up.again) this.#remote = { audio: !up.media.includes("a"), video: !up.media.includes("v") };
    this.#isUp = true;
    this.#remember();
    if (up.again) this.#link.upAgain(up.fresh);
    else this.#link.up();
    // At first they take us at our word (`media`); one who comes back knows nothing.
    this.#news.begin(up.again ? null : this.#wanted);
    void this.#localMedia.ready.then(() => this.isUp && this.#news.start(this.#localMedia.sending));
    this.#changed();
  }

  /** @internal What the other side says about the connection. */
  receive(t: string, d: Body): void {
    if (!this.isUp) return;
    if (t !== "info") return this.#link.receive(t, d);
    this.#log.got("infoReceived", "peer", d);
    if (d.k !== "mute") return;
    this.#remote = { audio: d.audio !== true, video: d.video !== true };
    this.#changed();
  }

  /** @internal The network of this device has changed. */
  network(): void {
    this.#link.network();
  }

  /** @internal There are fresh credentials for the relay. */
  renewIce(): void {
    this.#link.renewIce();
  }

  /** @internal It is over; nothing is to be said about it. */
  finish(why: CallEndReason): void {
    this.#finish(why, true);
  }

  #request(): void {
    const body = { to: `u/${this.#peer.u}`, media: this.#wanted };
    this.#log.sent("call", "server", body);
    this.#line.request("call", body, this.id).then(
      () => (this.#isPlaced = true),
      (error: unknown) => {
        if (!this.#isUp) this.finish(codeOf(error));
      },
    );
  }

  #end(why: NonNullable<End["why"]>, reason: CallEndReason): void {
    if (this.#state === "ended") return;
    this.#log.sent("end", "server", { why });
    this.#ask("end", { why });
    this.finish(reason);
  }

  #finish(why: CallEndReason, isMediaOurs: boolean): void {
    if (this.#state === "ended") return;
    clearTimeout(this.#expiry);
    this.#link.close();
    if (isMediaOurs) this.#localMedia.close();
    forgetCall(this.id);
    this.#endReason = why;
    this.#turn("ended");
    this.#line.ended(this);
  }

  /** Ask what may as well be refused: the call is over either way. */
  #ask<T extends keyof Sendable>(t: T, d: Sendable[T]): void {
    this.#line.request(t, d, this.id).catch(() => undefined);
  }

  #turned(connection: RTCPeerConnectionState): void {
    if (this.#state === "ended") return;
    if (connection === "connected") this.#wasConnected = true;
    if (connection === "connected") this.#turn("connected");
    else this.#turn(this.#wasConnected ? "reconnecting" : "connecting");
  }

  #turn(state: CallState): void {
    this.#state = state;
    this.#changed();
  }

  #remember(): void {
    const role = this.direction === "out" ? "caller" : "callee";
    rememberCall({ call: this.id, me: this.#line.me.u, peer: this.#peer, role, media: this.#wanted });
  }

  /** Many changes of one moment are one event. */
  #changed(): void {
    if (this.#isChanging) return;
    this.#isChanging = true;
    queueMicrotask(() => {
      this.#isChanging = false;
      if (this.isUp) this.#news.update(this.#localMedia.sending);
      this.#events.emit("change");
    });
  }
}

const codeOf = (error: unknown): CallEndReason => (error instanceof PeerlineError ? error.code : "error");
