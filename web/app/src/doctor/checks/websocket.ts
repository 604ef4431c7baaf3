// Does signaling work over WebSocket (docs/protocol.md, section 2.1)?

import { type Check, failed, Failure, ok, words } from "../check";
import { random } from "../identity";
import type { Patient } from "../patient";
import { parse, readWelcome } from "../welcome";

const PINGS = 3;

export const websocket: Check = {
  name: "websocket",
  timeoutMs: 8000,
  async examine(patient, say, signal) {
    const url = new URL("signal", patient.base);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["peerline.v1.json"]);
    signal.addEventListener("abort", () => socket.close());
    try {
      return await converse(patient, socket, say);
    } finally {
      socket.close();
    }
  },
};

async function converse(patient: Patient, socket: WebSocket, say: Parameters<Check["examine"]>[1]) {
  const inbox = new Inbox(socket);
  await inbox.opened;
  const asked = Date.now();
  socket.send(JSON.stringify(patient.hello(random(16))));
  patient.welcomed(readWelcome(await inbox.next(() => true)), asked);
  say(words("doctor.signal.signedIn", { name: patient.token ? "…" : patient.identity.name }));
  const taken: number[] = [];
  for (let ts = 0; ts < PINGS; ts++) {
    const sent = performance.now();
    socket.send(JSON.stringify({ t: "ping", d: { ts } }));
    await inbox.next((text) => parse(text)?.t === "pong");
    taken.push(performance.now() - sent);
  }
  socket.send(JSON.stringify({ t: "bye" }));
  const ms = taken.sort((a, b) => a - b)[Math.floor(PINGS / 2)]!;
  patient.facts.roundTrips.push({ what: "WebSocket", ms });
  return ok(words("doctor.signal.roundTrip", { ms: ms.toFixed(1) }));
}

/** What came over the socket, to be waited for. */
class Inbox {
  readonly opened: Promise<void>;
  #waiting: { wants: (text: string) => boolean; resolve: (text: string) => void } | null = null;
  #reject: (error: Error) => void = () => {};
  #failure: Failure | null = null;

  constructor(socket: WebSocket) {
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = () => resolve();
      this.#reject = reject;
    });
    socket.onclose = ({ code }) => {
      this.#failure = new Failure(
        failed(words("doctor.signal.noWebSocket", { code }), words("doctor.fix.upgrade")),
      );
      this.#reject(this.#failure);
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      if (!this.#waiting?.wants(data)) return;
      this.#waiting.resolve(data);
      this.#waiting = null;
    };
  }

  next(wants: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting = { wants, resolve };
      this.#reject = reject;
    });
  }
}
