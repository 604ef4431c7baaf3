// The one line that says how the call stands, and the tone that goes with it.

import type { Call } from "@peerline/sdk";

export type StatusWord =
  | "none"
  | "calling"
  | "ringing"
  | "connected"
  | "busy"
  | "declined"
  | "noAnswer"
  | "ended"
  | "reconnecting"
  | "notAvailable";

export type Tone = "ring" | "ringback" | null;

type Standing = Pick<Call, "state" | "direction" | "endReason">;

export function statusOf(call: Standing): StatusWord {
  switch (call.state) {
    case "incoming":
      return "none";
    case "calling":
      return "calling";
    case "ringing":
      return "ringing";
    case "connecting":
      // Accepted, but not a word is heard yet. The caller still reads what was true last.
      return call.direction === "out" ? "ringing" : "none";
    case "connected":
      return "connected";
    case "reconnecting":
      return "reconnecting";
    case "ended":
      return endStatus(call.endReason);
  }
}

/** The words of protocol.md, sections 7 and 11, as a person reads them. */
export function endStatus(reason: string | null): StatusWord {
  switch (reason) {
    case "busy":
    case "dnd":
      return "busy";
    case "declined":
      return "declined";
    case "timeout":
      return "noAnswer";
    case "offline":
      return "notAvailable";
    case "merged":
    case "elsewhere":
      // The conversation goes on: in another call, or on another device.
      return "none";
    default:
      return "ended";
  }
}

export function toneOf(call: Standing | null): Tone {
  if (call?.state === "incoming") return "ring";
  if (call?.state === "ringing" && call.direction === "out") return "ringback";
  return null;
}
