// Where a step stands in the sequence diagram: on one of three lifelines, or as an arrow between two.

import type { Place, Step, StepKind } from "@peerline/sdk";

export const LANES: Place[] = ["me", "server", "peer"];

export type Family = "call" | "media" | "description" | "candidate" | "state";
export const FAMILIES: Family[] = ["call", "media", "description", "candidate", "state"];

const FAMILY: Record<StepKind, Family> = {
  call: "call",
  ring: "call",
  rung: "call",
  accept: "call",
  up: "call",
  decline: "call",
  cancel: "call",
  end: "call",
  infoSent: "call",
  infoReceived: "call",
  getUserMedia: "media",
  addTrack: "media",
  track: "media",
  negotiationneeded: "description",
  createOffer: "description",
  createAnswer: "description",
  setLocalDescription: "description",
  setRemoteDescription: "description",
  offerSent: "description",
  offerReceived: "description",
  answerSent: "description",
  answerReceived: "description",
  rollback: "description",
  limits: "description",
  candidateGathered: "candidate",
  candidatesSent: "candidate",
  candidatesReceived: "candidate",
  candidateAdded: "candidate",
  gatheringComplete: "candidate",
  iceRestart: "candidate",
  iceState: "state",
  connectionState: "state",
  connected: "state",
  peerStep: "state",
};

/** The other page may be newer than this one and tell of steps unknown here. */
export function familyOf(kind: string): Family {
  return Object.hasOwn(FAMILY, kind) ? FAMILY[kind as StepKind] : "state";
}

export type Drawing =
  /** Done inside: a label on the lifeline of `lane`. */
  | { shape: "label"; lane: number }
  /** A message: an arrow over the lanes `left` to `right`, both 0 to 2. */
  | { shape: "arrow"; left: number; right: number; pointsRight: boolean };

export function drawingOf(step: Pick<Step, "from" | "to">): Drawing {
  const from = laneOf(step.from);
  const to = laneOf(step.to);
  if (from === to) return { shape: "label", lane: from };
  return { shape: "arrow", left: Math.min(from, to), right: Math.max(from, to), pointsRight: to > from };
}

/** The middle of a lane, in percent of the diagram's width. */
export function laneCentre(lane: number): number {
  return ((2 * lane + 1) / (2 * LANES.length)) * 100;
}

function laneOf(place: Place): number {
  const lane = LANES.indexOf(place);
  return lane < 0 ? 1 : lane;
}

/** Seconds since the call began, to the millisecond. */
export function stepTime(at: number): string {
  return (at / 1000).toFixed(3);
}

export type CandidateLabel = "local" | "public" | "relayed";
export const CANDIDATE_LABELS: CandidateLabel[] = ["local", "public", "relayed"];

/** Whether the filter lets a step through: only candidates are ever filtered, by their label. */
export function passes(step: Pick<Step, "candidate">, hidden: ReadonlySet<CandidateLabel>): boolean {
  return !step.candidate || !hidden.has(step.candidate.label);
}
