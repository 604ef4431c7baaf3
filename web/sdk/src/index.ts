// Peerline's web SDK: everything a page may use.

export { connect, Client, type ClientEvents } from "./client.js";
export { Call, type CallEvents } from "./call.js";
export { PeerlineError } from "./error.js";
export {
  STEP_KINDS,
  type CallEndReason,
  type CallState,
  type CallStats,
  type CandidateKind,
  type ChatMessage,
  type ClientState,
  type ConnectOptions,
  type FileState,
  type FileTransfer,
  type HistoryEntry,
  type Limits,
  type Media,
  type MissedCall,
  type Person,
  type Place,
  type Presence,
  type Step,
  type StepCandidate,
  type StepKind,
  type StreamStats,
  type TransportKind,
} from "./types.js";
