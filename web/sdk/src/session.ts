// One device's conversation with the server, over as many sockets as it takes (docs/protocol.md, sections 4 and 5).

import { ACK_EVERY, Delivery } from "./delivery.js";
import { Emitter } from "./emitter.js";
import type { Body, Envelope } from "./envelope.js";
import { PeerlineError } from "./error.js";
import {
  type Answers,
  type Bye,
  type ClientBodies,
  type Hello,
  type Ice,
  MAX_FRAME_BYTES,
  type PartyBodies,
  PROTOCOL_VERSION,
  type Welcome,
} from "./protocol.js";
import { Requests } from "./requests.js";
import { type Carriage, type CarriageEnd, UnreachableError } from "./transports/carriage.js";
import { openFirst, order, remember, remembered, type Wish } from "./transports/choice.js";
import type { ClientState, TransportKind } from "./types.js";

const ACK_MS = 1000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
/** So often the transport that worked is tried alone: a server that restarts would else push us to a lesser one. */
const LOYAL_TRIES = 4;
/** Room for the numbers that are put onto a message. */
const STAMP_BYTES = 64;

/** `info` between the two pages: what we use of it, and what others may put in. */
export type Info = { k: string } & Body;
export type Sendable = Omit<ClientBodies, "hello"> & PartyBodies & { info: Info };
export type Answer<T> = T extends keyof Answers ? Answers[T] : Body;

export interface SessionOptions {
  base: URL;
  wish: Wish;
  /** Who says hello; `v` and `res` are added here. */
  identity: Omit<Hello, "v" | "res">;
  /** How a carriage is opened; tests bring their own. */
  open?: typeof openFirst;
}

export interface SessionEvents {
  /** A new session: everything the server should know is to be said anew. Unanswered requests follow by themselves. */
  fresh: [welcome: Welcome];
  message: [envelope: Envelope];
  state: [state: ClientState, why?: string];
}

export class Session {
  readonly events = new Emitter<SessionEvents>(["message"]);
  #options: SessionOptions;
  #state: ClientState = "reconnecting";
  #kind: TransportKind = "websocket";
  #delivery = new Delivery();
  #requests = new Requests();
  #carriage: Carriage | null = null;
  #resume: { sid: string; key: string } | null = null;
  #welcome!: Welcome;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | null = null;
  /** Counts connection attempts: an old one that comes late is not wanted any more. */
  #attempt = 0;

  private constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Say hello once. Throws PeerlineError: the server's refusal, or `unavailable`. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    try {
      await session.#connectOnce(order(options.wish, remembered(options.base)));
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      const hint = "Is the server running, and is this its address?";
      throw new PeerlineError("unavailable", `${options.base.href} does not answer`, { hint });
    }
    return session;
  }

  get state(): ClientState {
    return this.#state;
  }

  get transport(): TransportKind {
    return this.#kind;
  }

  get welcome(): Welcome {
    return this.#welcome;
  }

  /** Fresh credentials for the TURN server, before the old ones end. */
  renewIce(ice: Ice): void {
    this.#welcome = { ...this.#welcome, ice };
  }

  /** Send once, in order, whatever happens to the socket. */
  send<T extends keyof Sendable>(t: T, d: Sendable[T], call?: string): void {
    this.#push({ t, ...(call !== undefined && { call }), d: { ...d } });
  }

  /** Send and wait for `ok`. Rejects with the PeerlineError of an `err`. `inOrder`: see Requests. */
  request<T extends keyof Sendable>(
    t: T,
    d: Sendable[T],
    call?: string,
    inOrder?: (answer: Answer<T>) => void,
  ): Promise<Answer<T>> {
    if (this.#state === "closed") return Promise.reject(new PeerlineError("closed", "signed out"));
    const { message, answer } = this.#requests.ask(
      { t, ...(call !== undefined && { call }), d: { ...d } },
      inOrder as ((answer: Body) => void) | undefined,
    );
    this.#push(message);
    return answer as unknown as Promise<Answer<T>>;
  }

  /** There is reason to doubt the connection: make sure of it, or hurry with the next one. */
  check(): void {
    if (this.#wake) this.#wake();
    else this.#carriage?.probe();
  }

  /** Bye: the session and its calls end at once. */
  close(why?: string): void {
    if (this.#state === "closed") return;
    this.#leave();
    this.#requests.fail(new PeerlineError("closed", "signed out"));
    this.#turn("closed", why);
  }

  /** The page goes into the cache: bye, but it may come back with `restore`. */
  suspend(): void {
    if (this.#state === "closed") return;
    this.#leave();
    this.#turn("reconnecting");
  }

  /** Back again: a new session. */
  restore(): void {
    if (this.#state !== "closed" && !this.#carriage) void this.#reconnect();
  }

  #leave(): void {
    this.#attempt++;
    this.#wake?.();
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#carriage?.leave();
    this.#carriage = null;
    this.#resume = null;
  }

  #push(message: Envelope): void {
    if (this.#state === "closed") return;
    const bytes = new TextEncoder().encode(JSON.stringify(message)).length + STAMP_BYTES;
    if (bytes > MAX_FRAME_BYTES)
      throw new PeerlineError("too_large", `${message.t} is over ${MAX_FRAME_BYTES} bytes`);
    const envelope = this.#delivery.push(message, bytes);
    if (this.#delivery.hasOverflowed) this.#lose({ act: "rejoin", why: "gone" });
    else this.#transmit(envelope);
  }

  #transmit(envelope: Envelope): void {
    if (!this.#carriage) return;
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#carriage.send(this.#delivery.stamp(envelope));
  }

  #receive(envelope: Envelope): void {
    if (envelope.t === "bye") return this.#dismissed((envelope.d ?? {}) as Partial<Bye>);
    const verdict = this.#delivery.receive(envelope);
    if (verdict === "gap") return this.#lose({ act: "resume", why: "gap" });
    if (verdict === "drop" || envelope.t === "ack") return;
    this.#acknowledgeSoon();
    if (envelope.re !== undefined) this.#requests.answer(envelope);
    else this.events.emit("message", envelope);
  }

  #acknowledgeSoon(): void {
    const acknowledge = () => this.#transmit({ t: "ack" });
    if (this.#delivery.untold >= ACK_EVERY) acknowledge();
    else if (this.#delivery.untold > 0) this.#ackTimer ??= setTimeout(acknowledge, ACK_MS);
  }

  /** The server said bye, and what to do about it. */
  #dismissed(bye: Partial<Bye>): void {
    const act = bye.act === "stop" || bye.act === "rejoin" ? bye.act : "resume";
    this.#lose({ act, why: bye.why ?? "bye" }, bye.in_ms);
  }

  #lose(end: CarriageEnd, pauseMs = 0): void {
    this.#carriage?.close();
    this.#carriage = null;
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (end.act !== "resume") this.#resume = null;
    if (end.act === "stop") this.#stop(end.why);
    else void this.#reconnect(pauseMs, end.why);
  }

  #stop(why: string): void {
    this.#requests.fail(new PeerlineError("closed", why));
    this.#turn("closed", why);
  }

  /** Connect until it works, is refused for good, or is not wanted any more. */
  async #reconnect(pauseMs = 0, why?: string): Promise<void> {
    const attempt = ++this.#attempt;
    this.#turn("reconnecting", why);
    for (let failures = 0; ; failures++) {
      if (pauseMs > 0) await this.#pause(pauseMs);
      if (attempt !== this.#attempt) return;
      const { wish, base } = this.#options;
      try {
        await this.#connectOnce(failures < LOYAL_TRIES ? [this.#kind] : order(wish, remembered(base)));
        return;
      } catch (error) {
        if (attempt !== this.#attempt) return;
        pauseMs = backoff(failures);
        if (error instanceof PeerlineError) {
          if (error.code !== "rate" && error.code !== "unavailable") return this.#stop(error.code);
          pauseMs = Math.max(pauseMs, error.retryMs ?? 0);
        }
      }
    }
  }

  /** Wait, but not when the network comes back or the page is looked at. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        this.#wake = null;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #connectOnce(kinds: TransportKind[]): Promise<void> {
    const attempt = this.#attempt;
    const { base, open = openFirst } = this.#options;
    const { carriage, welcome } = await open(kinds, base, () => this.#hello());
    if (attempt !== this.#attempt) return carriage.leave();
    const again = welcome.res ? this.#delivery.resume(welcome.rx) : [];
    if (again === null) {
      // Its numbers cannot be: only a new session helps.
      carriage.close();
      this.#resume = null;
      throw new UnreachableError("the session cannot be resumed");
    }
    this.#carriage = carriage;
    this.#kind = carriage.kind;
    this.#resume = { sid: welcome.sid, key: welcome.key };
    this.#welcome = welcome;
    if (welcome.res) again.forEach((envelope) => this.#transmit(envelope));
    else this.#begin(welcome);
    this.#turn("connected");
    carriage.start({
      received: () => this.#delivery.received,
      receive: (envelope) => this.#receive(envelope),
      ended: (end) => this.#lose(end),
      turned: (kind) => {
        this.#kind = kind;
        remember(base, kind);
      },
    });
  }

  /** A new session: number from 1, say everything anew, then ask again what was not answered. */
  #begin(welcome: Welcome): void {
    this.#delivery = new Delivery();
    const open = this.#requests.unanswered();
    this.events.emit("fresh", welcome);
    for (const message of open) this.#push(message);
  }

  #hello(): Hello {
    const hello: Hello = { v: [PROTOCOL_VERSION], ...this.#options.identity };
    if (this.#resume) hello.res = { ...this.#resume, rx: this.#delivery.received };
    return hello;
  }

  #turn(state: ClientState, why?: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.events.emit("state", state, why);
  }
}

/** 0.2 s, doubled with each failure up to 5 s; a random half of it, so that not all come back at once. */
export function backoff(failures: number, random = Math.random()): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
  return longest * (0.5 + random / 2);
}
