// The session over HTTP (docs/protocol.md, section 2.2): POST sends; an event stream or a long poll receives.

import { type Envelope, isObject, readEnvelope } from "../envelope.js";
import { PeerlineError } from "../error.js";
import type { Hello, Welcome } from "../protocol.js";
import {
  type Carriage,
  type CarriageEnd,
  type CarriageOwner,
  OPEN_MS,
  type Opened,
  PROBE_MS,
  UnreachableError,
} from "./carriage.js";
import { batch } from "./frame.js";
import { poll } from "./poll.js";
import { BufferedError, listenToEvents } from "./sse.js";

const POST_MS = 10_000;
const FLOOD_PAUSE_MS = 1000;
const MAX_EMPTY = 2;

/** What receiving needs of the session it receives for. */
export interface Listening {
  signal: AbortSignal;
  received(): number;
  receive(envelope: Envelope): void;
  /** Something came, be it only a heartbeat. */
  alive(): void;
  /** GET below the session's address; throws unless the answer is 200. */
  get(path: string, signal: AbortSignal): Promise<Response>;
}

/** An answer that is not 200. */
class StatusError extends Error {
  constructor(readonly status: number) {
    super(`HTTP status ${status}`);
  }
}

export async function openHttp(kind: "sse" | "poll", base: URL, hello: Hello): Promise<Opened> {
  let answer: Envelope | null;
  try {
    const response = await fetch(new URL("signal/sessions", base), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ t: "hello", d: hello }),
      signal: AbortSignal.timeout(OPEN_MS),
    });
    answer = readEnvelope(await response.json());
  } catch (error) {
    throw new UnreachableError(String(error));
  }
  if (answer?.t === "err") throw PeerlineError.from(answer.d);
  if (answer?.t !== "welcome") throw new UnreachableError("not a server of this protocol");
  const welcome = answer.d as unknown as Welcome;
  return { carriage: new HttpCarriage(kind, base, welcome), welcome };
}

class HttpCarriage implements Carriage {
  kind: "sse" | "poll";
  #base: URL;
  #key: string;
  #owner: CarriageOwner | null = null;
  #out: Envelope[] = [];
  #isPosting = false;
  #isProbing = false;
  #hasReceived = false;
  #empty = 0;
  #life = new AbortController();
  /** Aborted to open the stream or poll anew. */
  #turn = new AbortController();

  constructor(kind: "sse" | "poll", base: URL, welcome: Welcome) {
    this.kind = kind;
    this.#base = new URL(`signal/sessions/${encodeURIComponent(welcome.sid)}/`, base);
    this.#key = welcome.key;
  }

  start(owner: CarriageOwner): void {
    this.#owner = owner;
    void this.#listen();
  }

  send(envelope: Envelope): void {
    this.#out.push(envelope);
    // What is said in the same moment goes in one request.
    if (!this.#isPosting) {
      this.#isPosting = true;
      queueMicrotask(() => void this.#post());
    }
  }

  probe(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.#turn.abort();
  }

  leave(): void {
    const url = new URL("bye", this.#base);
    const body = JSON.stringify({ key: this.#key });
    const isSent = (globalThis.navigator as Navigator | undefined)?.sendBeacon?.(url, body) ?? false;
    if (!isSent) void fetch(url, { method: "POST", body, keepalive: true }).catch(() => undefined);
    this.close();
  }

  close(): void {
    this.#owner = null;
    this.#life.abort();
  }

  /** Receive until the end, one stream or poll after the other. */
  async #listen(): Promise<void> {
    while (this.#owner) {
      const turn = (this.#turn = new AbortController());
      const listening: Listening = {
        signal: AbortSignal.any([this.#life.signal, turn.signal]),
        received: () => this.#owner?.received() ?? 0,
        receive: (envelope) => this.#owner?.receive(envelope),
        alive: () => {
          this.#isProbing = false;
          this.#hasReceived = true;
          this.#empty = 0;
        },
        get: (path, signal) => this.#request(path, { signal }),
      };
      const deadlineMs = this.#isProbing ? PROBE_MS : undefined;
      try {
        await (this.kind === "poll" ? poll(listening, deadlineMs) : listenToEvents(listening, deadlineMs));
        // Proxies end streams now and then; one that ends again and again without a word is no stream.
        if (++this.#empty > MAX_EMPTY) throw new UnreachableError("the stream brings nothing");
      } catch (error) {
        if (turn.signal.aborted) continue;
        if (error instanceof BufferedError && !this.#hasReceived) {
          this.kind = "poll";
          this.#owner?.turned("poll");
        } else {
          this.#fail(error);
        }
      }
    }
  }

  /** POSTs of one session are sent one after the other. */
  async #post(): Promise<void> {
    try {
      while (this.#out.length > 0 && this.#owner) {
        const [body, count] = batch(this.#out);
        try {
          const answer: unknown = await (
            await this.#request("messages", {
              method: "POST",
              headers: { "Content-Type": "application/json" },
              body,
              signal: AbortSignal.any([this.#life.signal, AbortSignal.timeout(POST_MS)]),
            })
          ).json();
          this.#out.splice(0, count);
          if (isObject(answer) && Number.isSafeInteger(answer.a)) {
            this.#owner?.receive({ t: "ack", a: answer.a as number });
          }
        } catch (error) {
          if (!(error instanceof StatusError && error.status === 429)) throw error;
          await new Promise((resolve) => setTimeout(resolve, FLOOD_PAUSE_MS));
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isPosting = false;
    }
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), Authorization: `Bearer ${this.#key}` };
    const response = await fetch(new URL(path, this.#base), { ...init, headers, cache: "no-store" });
    if (!response.ok) throw new StatusError(response.status);
    return response;
  }

  #fail(error: unknown): void {
    const isOver = error instanceof StatusError && [401, 410, 413].includes(error.status);
    this.#end(isOver ? { act: "rejoin", why: "gone" } : { act: "resume", why: "lost" });
  }

  #end(end: CarriageEnd): void {
    const owner = this.#owner;
    this.close();
    owner?.ended(end);
  }
}
