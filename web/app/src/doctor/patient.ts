// Who is examined: where the server is, what it told us, and what the checks have found out so far.

import { relayTransport, type Transport } from "./ice-url";
import type { Identity } from "./identity";

/** What was measured, for the picture of the path. Times in milliseconds. */
export interface Facts {
  roundTrips: { what: "WebSocket" | "HTTP" | "relay"; ms: number }[];
  /** What STUN servers saw of us; `isTranslated` where the browser shows that its own address is another. */
  mapped: { address: string; port: number; isTranslated: boolean }[];
  nat: "none" | "cone" | "symmetric" | "unknown" | null;
  isStunSilent: boolean;
  relayed: Partial<Record<Transport, string>>;
}

/** The part of `welcome` that we need (docs/protocol.md, section 4). */
export interface Welcome {
  now: number;
  sid: string;
  key: string;
  ice: { servers: { urls: string[]; username?: string; credential?: string }[] };
}

export class Patient {
  facts: Facts = { roundTrips: [], mapped: [], nat: null, isStunSilent: false, relayed: {} };
  iceServers: RTCIceServer[] = [];
  /** How far the server's clock is ahead of ours, in milliseconds; null while nobody was let in. */
  clockAheadMs: number | null = null;

  constructor(
    /** The address below which the server is mounted. */
    readonly base: URL,
    readonly identity: Identity,
    readonly token: string | null,
    readonly newConnection: (configuration: RTCConfiguration) => RTCPeerConnection = (configuration) =>
      new RTCPeerConnection(configuration),
  ) {}

  /** The first message; `dev` is a device of its own for each try. */
  hello(dev: string): object {
    const who = this.token ? { tok: this.token } : { name: this.identity.name, own: this.identity.own };
    return { t: "hello", d: { v: [1], dev, ...who } };
  }

  /** `asked`: when we said hello. */
  welcomed(welcome: Welcome, asked: number): void {
    this.clockAheadMs = welcome.now - (asked + Date.now()) / 2;
    this.iceServers = welcome.ice.servers;
  }

  /** Each URL by itself. */
  get urls(): { url: string; server: RTCIceServer }[] {
    return this.iceServers.flatMap((server) =>
      [server.urls].flat().map((url) => ({ url, server: { ...server, urls: [url] } })),
    );
  }

  /** A TURN server that is spoken to like this. */
  relay(transport: Transport): RTCIceServer | null {
    return this.urls.find(({ url }) => relayTransport(url) === transport)?.server ?? null;
  }

  get hasRelay(): boolean {
    return this.urls.some(({ url }) => relayTransport(url) !== null);
  }

  /** Whether page and server are on one computer. */
  get isLocal(): boolean {
    return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(this.base.hostname);
  }
}
