// Generated from src/peerline/signaling/messages.py by `make protocol`. Do not edit.
// The protocol in prose: docs/protocol.md.

export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = "peerline.v1.json";
export const MAX_FRAME_BYTES = 65536;
export const MAX_BATCH = 64;

export type Medium = "a" | "v";
export type ShownPresence = "online" | "call" | "away" | "dnd" | "offline";
export type EndReason = "hangup" | "declined" | "busy" | "cancelled" | "timeout" | "offline" | "dnd" | "merged" | "ice_failed" | "ice_lost" | "media" | "error" | "lost";

/** A person as others see them: canonical form `u`, name `n`. */
export interface Who {
  u: string;
  n: string;
}

/** The session to take up again; `rx` is the highest sequence number received. */
export interface Resume {
  sid: string;
  key: string;
  rx: number;
}

/** First frame (section 4). */
export interface Hello {
  v: number[];
  dev: string;
  name?: string;
  own?: string;
  tok?: string;
  res?: Resume;
}

/** `pres` from a client (section 6). */
export interface SetPresence {
  st: "away" | "dnd" | "online";
}

/** `watch` and `unwatch` (section 6). */
export interface Watch {
}

/** `call` (section 7); `to` is `u/` and a canonical name. */
export interface PlaceCall {
  to: string;
  media: ("a" | "v")[];
  ttl_ms?: number;
}

/** `rung`: a device says that it is alerting. */
export interface Rung {
}

/** `accept` with the media the callee wants to send. */
export interface Accept {
  media: ("a" | "v")[];
}

/** `decline`, for the person or for this device alone. */
export interface Decline {
  scope?: "device" | "user";
  why?: "busy" | "later" | "no";
}

/** `cancel`, by the caller before `up`. */
export interface Cancel {
}

/** `end`, by either party. */
export interface End {
  why?: "error" | "hangup" | "ice_failed" | "ice_lost" | "media";
}

/** A call as a returning client remembers it (section 9). */
export interface KnownCall {
  call: string;
  peer: string;
  role: "callee" | "caller";
  live: boolean;
  media?: ("a" | "v")[];
}

/** `sync`: the calls a returning client still has. */
export interface Sync {
  calls: KnownCall[];
}

/** `history` (section 10). */
export interface AskHistory {
  before?: number;
  limit?: number;
}

/** `seen`: these missed calls were seen. */
export interface Seen {
  calls: string[];
}

/** Who the server takes the client for. */
export interface Me {
  u: string;
  n: string;
  rights: string[];
}

/** As in W3C RTCIceServer. */
export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/** What goes into RTCPeerConnection's iceServers, and for how long it is good. */
export interface Ice {
  servers: IceServer[];
  ttl_s: number;
}

/** Frame size in bytes, messages per second, burst. */
export interface LimitsTold {
  frame: number;
  rate: number;
  burst: number;
}

/** The answer to `hello`. */
export interface Welcome {
  v: number;
  sid: string;
  key: string;
  epoch: string;
  res: boolean;
  rx: number;
  hb_s: number;
  grace_s: number;
  now: number;
  me: Me;
  ice: Ice;
  lim: LimitsTold;
  feat: string[];
}

/** The server ends the socket or the session, and says what to do about it. */
export interface Bye {
  why: "drain" | "expired" | "flood" | "gone" | "replaced" | "slow";
  act: "rejoin" | "resume" | "stop";
  in_ms?: number;
}

/** A refusal (section 11). */
export interface Err {
  code: string;
  msg: string;
  hint?: string;
  retry_ms?: number;
}

/** All that people see of each other. */
export interface PersonShown {
  u: string;
  n: string;
  st: "away" | "call" | "dnd" | "offline" | "online";
}

/** Answer to `watch`, and `pres` from the server. */
export interface People {
  people: PersonShown[];
}

/** Answer to `call`: when it stops ringing. */
export interface Ringing {
  exp: number;
}

/** `ring`. */
export interface Ring {
  media: ("a" | "v")[];
  exp: number;
  now: number;
}

/** `up`: both sides are there. */
export interface Up {
  peer: Who;
  polite: boolean;
  media: ("a" | "v")[];
  again: boolean;
  fresh: boolean;
}

/** `stop`: stop ringing. */
export interface Stop {
  why: "cancelled" | "declined" | "elsewhere" | "merged" | "offline" | "timeout";
}

/** `end` from the server. */
export interface Ended {
  why: "busy" | "cancelled" | "declined" | "dnd" | "error" | "hangup" | "ice_failed" | "ice_lost" | "lost" | "media" | "merged" | "offline" | "timeout";
  into?: string;
}

/** Answer to `sync`. */
export interface Synced {
  calls: Record<string, "gone" | "ok" | "wait">;
}

/** One call as one of its two people sees it; times in milliseconds since 1970. */
export interface HistoryEntry {
  call: string;
  dir: "in" | "out";
  peer: Who;
  media: ("a" | "v")[];
  started: number;
  answered: number | null;
  ended: number | null;
  why: string | null;
}

/** Answer to `history`, newest first. */
export interface History {
  calls: HistoryEntry[];
}

/** A call that was not answered. */
export interface MissedCall {
  call: string;
  from: Who;
  media: ("a" | "v")[];
  at: number;
  why: string;
}

/** `missed`. */
export interface Missed {
  calls: MissedCall[];
}

/** As in W3C RTCSessionDescriptionInit. */
export interface SessionDescription {
  type: "answer" | "offer" | "pranswer" | "rollback";
  sdp: string;
}

/** `desc`: generation `g` of the peer connection, negotiation `n` within it. */
export interface Desc {
  pc: string;
  g: number;
  n: number;
  sdp: SessionDescription;
}

/** As in W3C RTCIceCandidateInit. */
export interface Candidate {
  candidate: string;
  sdpMid: string | null;
  sdpMLineIndex: number | null;
  usernameFragment: string | null;
}

/** `cand`: a batch of candidates; `end` once, when gathering is complete. */
export interface Cand {
  pc: string;
  g: number;
  c: Candidate[];
  end?: boolean;
}

/** `renego`: please make an offer. */
export interface Renego {
  pc: string;
  why: string;
}

/** `restart`: please make an offer with an ICE restart. */
export interface Restart {
  pc: string;
  why: "lost" | "net" | "server";
}

/** What a client sends, by type. */
export interface ClientBodies {
  hello: Hello;
  pres: SetPresence;
  watch: Watch;
  unwatch: Watch;
  call: PlaceCall;
  rung: Rung;
  accept: Accept;
  decline: Decline;
  cancel: Cancel;
  end: End;
  sync: Sync;
  history: AskHistory;
  seen: Seen;
}

/** What the server sends of itself, by type. */
export interface ServerBodies {
  welcome: Welcome;
  bye: Bye;
  err: Err;
  pres: People;
  ring: Ring;
  up: Up;
  stop: Stop;
  end: Ended;
  missed: Missed;
  ice: Ice;
}

/** What the two parties of a call send each other, by type. */
export interface PartyBodies {
  desc: Desc;
  cand: Cand;
  renego: Renego;
  restart: Restart;
}

/** The body of `ok`, by the type of the request. */
export interface Answers {
  call: Ringing;
  watch: People;
  sync: Synced;
  history: History;
}
