// The session over a WebSocket (docs/protocol.md, section 2.1), with pings as sign of life (section 4).

import { type Envelope, readFrame } from "../envelope.js";
import { PeerlineError } from "../error.js";
import { SUBPROTOCOL, type Welcome } from "../protocol.js";
import {
  type Carriage,
  type CarriageEnd,
  type CarriageOwner,
  OPEN_MS,
  type Open,
  PROBE_MS,
  UnreachableError,
} from "./carriage.js";
import { batch } from "./frame.js";

const BYE_CODE = 1000;

/** What a close code asks for (section 2.1); any other means a lost network: resume. */
const ENDS: Record<number, CarriageEnd> = {
  4400: { act: "rejoin", why: "protocol" },
  4410: { act: "rejoin", why: "gone" },
  4429: { act: "rejoin", why: "flood" },
  4440: { act: "stop", why: "replaced" },
};

export const openWebSocket: Open = (base, hello) =>
  new Promise((resolve, reject) => {
    const url = new URL("signal", base);
    url.protocol = url.protocol.replace("http", "ws");
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, [SUBPROTOCOL]);
    } catch (error) {
      reject(new UnreachableError(String(error)));
      return;
    }
    const fail = (error: Error) => {
      clearTimeout(deadline);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      reject(error);
    };
    const deadline = setTimeout(() => fail(new UnreachableError("no welcome in time")), OPEN_MS);
    socket.onopen = () => socket.send(JSON.stringify({ t: "hello", d: hello }));
    socket.onclose = () => fail(new UnreachableError("the WebSocket was closed"));
    socket.onmessage = (message: MessageEvent<unknown>) => {
      const [first, ...rest] = read(message);
      if (first?.t === "err") {
        fail(PeerlineError.from(first.d));
      } else if (first?.t === "welcome") {
        clearTimeout(deadline);
        const welcome = first.d as unknown as Welcome;
        resolve({ carriage: new WebSocketCarriage(socket, welcome.hb_s, rest), welcome });
      } else {
        fail(new UnreachableError("not a server of this protocol"));
      }
    };
  });

const read = (message: MessageEvent<unknown>): Envelope[] =>
  typeof message.data === "string" ? readFrame(message.data) : [];

class WebSocketCarriage implements Carriage {
  readonly kind = "websocket";
  #socket: WebSocket;
  #early: Envelope[];
  #out: Envelope[] = [];
  #owner: CarriageOwner | null = null;
  #heartbeat: ReturnType<typeof setInterval>;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, heartbeatS: number, early: Envelope[]) {
    this.#socket = socket;
    this.#early = early;
    this.#heartbeat = setInterval(() => this.probe(), heartbeatS * 1000);
    socket.onmessage = (message: MessageEvent<unknown>) => {
      for (const envelope of read(message)) this.#receive(envelope);
    };
    socket.onclose = (event) => this.#end(ENDS[event.code] ?? { act: "resume", why: "lost" });
  }

  start(owner: CarriageOwner): void {
    this.#owner = owner;
    for (const envelope of this.#early.splice(0)) this.#receive(envelope);
  }

  send(envelope: Envelope): void {
    // What is said in the same moment arrives in the same moment.
    if (this.#out.push(envelope) === 1) queueMicrotask(() => this.#flush());
  }

  probe(): void {
    if (this.#deadline !== undefined) return;
    this.send({ t: "ping", d: { ts: Date.now() } });
    this.#deadline = setTimeout(() => this.#end({ act: "resume", why: "silent" }), PROBE_MS);
  }

  leave(): void {
    this.send({ t: "bye" });
    this.#flush();
    this.#drop(BYE_CODE);
  }

  close(): void {
    this.#drop();
  }

  #flush(): void {
    const out = this.#out.splice(0);
    while (out.length > 0 && this.#socket.readyState === WebSocket.OPEN) {
      const [frame, count] = batch(out);
      this.#socket.send(frame);
      out.splice(0, count);
    }
  }

  #receive(envelope: Envelope): void {
    // Whatever arrives shows that the other side lives.
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    if (envelope.t === "pong") return;
    if (envelope.t === "ping") this.send({ t: "pong", d: envelope.d ?? {} });
    else if (this.#owner) this.#owner.receive(envelope);
    else this.#early.push(envelope);
  }

  #end(end: CarriageEnd): void {
    const owner = this.#owner;
    this.#drop();
    owner?.ended(end);
  }

  #drop(code?: number): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#deadline);
    this.#owner = null;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(code);
  }
}
