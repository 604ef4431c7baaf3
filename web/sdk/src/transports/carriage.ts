// What carries a session's messages: one WebSocket, or HTTP requests (docs/protocol.md, section 2).

import type { Envelope } from "../envelope.js";
import type { Hello, Welcome } from "../protocol.js";
import type { TransportKind } from "../types.js";

/** How long a lost network may go unnoticed after a reason to look. */
export const PROBE_MS = 3000;
/** How long a transport may take to bring the `welcome`. */
export const OPEN_MS = 4000;

/** What follows the end of a carriage: resume the session, say hello anew, or stay away. */
export interface CarriageEnd {
  act: "resume" | "rejoin" | "stop";
  why: string;
}

/** The session, as its carriage sees it. */
export interface CarriageOwner {
  /** The highest sequence number received. */
  received(): number;
  receive(envelope: Envelope): void;
  /** Told once, unless the owner closed it. */
  ended(end: CarriageEnd): void;
  /** The kind has changed: server-sent events turned out to be buffered on the way. */
  turned(kind: TransportKind): void;
}

export interface Carriage {
  readonly kind: TransportKind;
  /** From now on messages go to `owner`; those that came before are handed over first. */
  start(owner: CarriageOwner): void;
  /** Never throws: what does not arrive is sent again after the resume. */
  send(envelope: Envelope): void;
  /** There is reason to doubt that it is alive: make sure within three seconds. */
  probe(): void;
  /** Say bye, for the session ends with this. */
  leave(): void;
  /** Drop it without a word; the session goes on elsewhere. */
  close(): void;
}

export interface Opened {
  carriage: Carriage;
  welcome: Welcome;
}

/** How one transport is opened: throws UnreachableError if it does not work here, PeerlineError if refused. */
export type Open = (base: URL, hello: Hello) => Promise<Opened>;

/** This transport does not get through. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}
