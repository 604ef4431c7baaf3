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
  | { shape: "arrow"; left: number; right: number; points: "left" | "right" | "both" };

export function drawingOf(step: Pick<Step, "from" | "to" | "side" | "kind">): Drawing {
  // From here on the two talk directly: the one line that passes the server by.
  if (step.kind === "connected") return { shape: "arrow", left: 0, right: LANES.length - 1, points: "both" };
  const { from, to } = routeOf(step);
  const start = laneOf(from);
  const end = laneOf(to);
  if (start === end) return { shape: "label", lane: start };
  return {
    shape: "arrow",
    left: Math.min(start, end),
    right: Math.max(start, end),
    points: end > start ? "right" : "left",
  };
}

/** What the two pages send each other goes through the server: one sees it leave to the server, the other come from it. */
export function routeOf(step: Pick<Step, "from" | "to" | "side">): { from: Place; to: Place } {
  const { from, to } = step;
  if (from === to || from === "server" || to === "server") return { from, to };
  const doer: Place = step.side === "local" ? "me" : "peer";
  return from === doer ? { from, to: "server" } : { from: "server", to };
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
