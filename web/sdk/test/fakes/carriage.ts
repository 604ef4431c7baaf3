// A carriage whose other end is the test.

import type { Envelope } from "../../src/envelope.js";
import type { Hello, Welcome } from "../../src/protocol.js";
import type { Carriage, CarriageEnd, CarriageOwner, Opened } from "../../src/transports/carriage.js";
import type { TransportKind } from "../../src/types.js";

export class FakeCarriage implements Carriage {
  readonly sent: Envelope[] = [];
  owner: CarriageOwner | null = null;
  probes = 0;
  hasLeft = false;
  isClosed = false;

  constructor(
    readonly hello: Hello,
    readonly kind: TransportKind = "websocket",
  ) {}

  start(owner: CarriageOwner): void {
    this.owner = owner;
  }
  send(envelope: Envelope): void {
    this.sent.push(envelope);
  }
  probe(): void {
    this.probes++;
  }
  leave(): void {
    this.hasLeft = true;
  }
  close(): void {
    this.isClosed = true;
  }

  // The server's part.
  say(...envelopes: Envelope[]): void {
    for (const envelope of envelopes) this.owner?.receive(envelope);
  }
  end(end: CarriageEnd = { act: "resume", why: "lost" }): void {
    this.owner?.ended(end);
  }
  /** Messages of a type, without their numbers. */
  said(t: string): Envelope[] {
    return this.sent.filter((envelope) => envelope.t === t);
  }
  last(t: string): Envelope {
    const envelope = this.said(t).at(-1);
    if (!envelope) throw new Error(`no ${t} was sent`);
    return envelope;
  }
}

export const welcome = (more: Partial<Welcome> = {}): Welcome => ({
  v: 1,
  sid: "sid",
  key: "key",
  epoch: "e",
  res: false,
  rx: 0,
  hb_s: 20,
  grace_s: 60,
  now: 0,
  me: { u: "ann", n: "Ann", rights: [] },
  ice: { servers: [{ urls: ["stun:localhost:3478"] }], ttl_s: 60 },
  lim: { frame: 65536, rate: 50, burst: 200 },
  feat: [],
  ...more,
});

/** Opens fake carriages; what the server says to each hello is `answer`'s choice. */
export class FakeServer {
  readonly carriages: FakeCarriage[] = [];
  readonly tried: TransportKind[][] = [];
  answer: (hello: Hello) => Welcome | Error = () => welcome();

  readonly open = (kinds: TransportKind[], _base: URL, hello: () => Hello): Promise<Opened> => {
    this.tried.push(kinds);
    const said = hello();
    const answer = this.answer(said);
    if (answer instanceof Error) return Promise.reject(answer);
    const carriage = new FakeCarriage(said, kinds[0]);
    this.carriages.push(carriage);
    return Promise.resolve({ carriage, welcome: answer });
  };

  get now(): FakeCarriage {
    const carriage = this.carriages.at(-1);
    if (!carriage) throw new Error("nobody has connected");
    return carriage;
  }
}
