// What the SDK shows to a page: people, calls, statistics, files, and the inspector's steps.

import type { EndReason } from "./protocol.js";

export type Presence = "online" | "call" | "away" | "dnd" | "offline";
/** What a side sends: `a` audio, `v` video. */
export type Media = ("a" | "v")[];
export type TransportKind = "websocket" | "sse" | "poll";

/** All that people see of each other. */
export interface Person {
  u: string;
  n: string;
  st: Presence;
}

export interface ConnectOptions {
  /** As typed; with a token it may be left empty. */
  name: string;
  /** Where the server is mounted; by default where the page came from. */
  url?: string;
  /** `auto` tries WebSocket, server-sent events, long poll; `http` leaves WebSocket out. */
  transport?: "auto" | "websocket" | "http";
  iceTransportPolicy?: RTCIceTransportPolicy;
  /** A JWT, where the server runs with `--auth token`. */
  token?: string;
  /** Owns the name; by default kept in localStorage. */
  ownerKey?: string;
  /** Names this tab; by default kept in sessionStorage. */
  device?: string;
}

export type ClientState = "connected" | "reconnecting" | "closed";

export interface HistoryEntry {
  call: string;
  dir: "in" | "out";
  peer: { u: string; n: string };
  media: Media;
  started: number;
  answered: number | null;
  ended: number | null;
  why: string | null;
}

export interface MissedCall {
  call: string;
  from: { u: string; n: string };
  media: Media;
  at: number;
  why: string;
}

export type CallState =
  "incoming" | "calling" | "ringing" | "connecting" | "connected" | "reconnecting" | "ended";

/** Why a call ended: the protocol's words, or the code of the refusal. */
export type CallEndReason = EndReason | (string & {});

export interface ChatMessage {
  id: string;
  mine: boolean;
  text: string;
  at: number;
}

export type FileState = "waiting" | "moving" | "checking" | "ok" | "bad" | "cancelled" | "failed";

export interface FileTransfer {
  readonly id: string;
  readonly mine: boolean;
  readonly name: string;
  readonly size: number;
  readonly type: string;
  /** Bytes sent or received so far. */
  readonly done: number;
  readonly state: FileState;
  /** The received file, once it is `ok`. */
  readonly blob: Blob | null;
  cancel(): void;
}

/** Limits in kbit/s; null: none. */
export interface Limits {
  audio: number | null;
  video: number | null;
}

export type CandidateKind = "host" | "srflx" | "prflx" | "relay";

export interface StreamStats {
  bitrateKbps: number | null;
  packetsLost: number;
  lossPct: number | null;
  jitterMs: number | null;
  codec: string | null;
  width?: number;
  height?: number;
  fps?: number;
  packets: number;
  bytes: number;
}

export interface CallStats {
  at: number;
  rttMs: number | null;
  pair: { local: CandidateKind; remote: CandidateKind; protocol: string; relayed: boolean } | null;
  audio: { in: StreamStats; out: StreamStats };
  video: { in: StreamStats; out: StreamStats };
}

export type Place = "me" | "peer" | "server";

export interface StepCandidate {
  kind: CandidateKind;
  label: "local" | "public" | "relayed";
  protocol: string;
  mdns: boolean;
}

/** One step of a call, as the inspector draws it. */
export interface Step {
  /** Counts up in the order in which the steps became known. */
  n: number;
  /** Milliseconds since the call began here; the other page's steps are put onto the same clock. */
  at: number;
  kind: StepKind;
  /** Who did it: this page, or the other one. */
  side: "local" | "remote";
  /** The same place twice: something done inside. */
  from: Place;
  to: Place;
  payload?: unknown;
  candidate?: StepCandidate;
}

export const STEP_KINDS = [
  "call",
  "ring",
  "rung",
  "accept",
  "up",
  "decline",
  "cancel",
  "end",
  "getUserMedia",
  "addTrack",
  "negotiationneeded",
  "createOffer",
  "createAnswer",
  "setLocalDescription",
  "setRemoteDescription",
  "offerSent",
  "offerReceived",
  "answerSent",
  "answerReceived",
  "candidateGathered",
  "candidatesSent",
  "candidatesReceived",
  "candidateAdded",
  "gatheringComplete",
  "track",
  "iceState",
  "connectionState",
  "connected",
  "iceRestart",
  "rollback",
  "limits",
  "infoSent",
  "infoReceived",
  "peerStep",
] as const;

export type StepKind = (typeof STEP_KINDS)[number];
