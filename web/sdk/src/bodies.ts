// What the other page says about the connection, checked: the server passes these bodies on unread (section 8).

import { type Body, isObject } from "./envelope.js";
import type { Cand, Candidate, Desc } from "./protocol.js";

export const PC = "p2p";
const MAX_CANDIDATES = 256;

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export function readDesc(d: Body): Desc | null {
  const { pc, g, n, sdp } = d;
  if (pc !== PC || !isNumber(g) || !isNumber(n) || !isObject(sdp)) return null;
  if ((sdp.type !== "offer" && sdp.type !== "answer") || typeof sdp.sdp !== "string") return null;
  return { pc, g, n, sdp: { type: sdp.type, sdp: sdp.sdp } };
}

export function readCand(d: Body): Cand | null {
  const { pc, g, c } = d;
  if (pc !== PC || !isNumber(g) || !Array.isArray(c) || c.length > MAX_CANDIDATES) return null;
  const candidates = c.map(readInit).filter((one) => one !== null);
  return { pc, g, c: candidates, ...(d.end === true && { end: true }) };
}

function readInit(value: unknown): Candidate | null {
  if (!isObject(value) || typeof value.candidate !== "string") return null;
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = value;
  return {
    candidate,
    sdpMid: typeof sdpMid === "string" ? sdpMid : null,
    sdpMLineIndex: isNumber(sdpMLineIndex) ? sdpMLineIndex : null,
    usernameFragment: typeof usernameFragment === "string" ? usernameFragment : null,
  };
}
