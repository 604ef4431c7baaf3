// Limits on audio and video: `b=AS` tells the other side what to send (RFC 8866, section 5.8; RFC 8829, section 5.9),
// `setParameters` what this side sends.

import type { Limits } from "./types.js";

/**
 * The copy of a description that goes to the other side, with the limits written into it. The local description
 * itself stays as the browser made it: browsers refuse changed ones.
 */
export function withLimits(sdp: string, limits: Limits): string {
  const sections = sdp.split(/^(?=m=)/m);
  return sections.map((section) => limitSection(section, limits)).join("");
}

function limitSection(section: string, limits: Limits): string {
  const kind = /^m=(audio|video) /.exec(section)?.[1] as keyof Limits | undefined;
  if (!kind) return section;
  const lines = section.split("\r\n").filter((line) => !/^b=(AS|TIAS):/.test(line));
  const limit = limits[kind];
  if (limit !== null) {
    // The order is fixed: m=, i=, c=, then b= (RFC 8866, section 9).
    let place = 1;
    while (/^[ic]=/.test(lines[place] ?? "")) place++;
    lines.splice(place, 0, `b=AS:${limit}`);
  }
  return lines.join("\r\n");
}

/** The limits that a description asks for. */
export function limitsIn(sdp: string): Limits {
  const limits: Limits = { audio: null, video: null };
  for (const section of sdp.split(/^(?=m=)/m)) {
    const kind = /^m=(audio|video) /.exec(section)?.[1] as keyof Limits | undefined;
    const limit = Number(/^b=AS:(\d{1,9})\s*$/m.exec(section)?.[1]);
    if (kind && limit > 0) limits[kind] = limit;
  }
  return limits;
}

/**
 * Limit what this side sends: by its own limit, and by the other side's `b=AS`, which browsers obey for audio only
 * until their next estimate of the bandwidth. Where there is no `maxBitrate`, `b=AS` alone has to do.
 */
export async function limitSenders(pc: RTCPeerConnection, own: Limits): Promise<void> {
  const asked = limitsIn(pc.remoteDescription?.sdp ?? "");
  for (const { sender, receiver } of pc.getTransceivers()) {
    const kind = receiver.track.kind as keyof Limits;
    const limit = stricter(own[kind], asked[kind]);
    const parameters = sender.getParameters();
    // Before the first negotiation some browsers have no encodings yet.
    if (!parameters.encodings?.length) continue;
    if (parameters.encodings.every((encoding) => (encoding.maxBitrate ?? null) === bits(limit))) continue;
    for (const encoding of parameters.encodings) {
      if (limit === null) delete encoding.maxBitrate;
      else encoding.maxBitrate = limit * 1000;
    }
    await sender.setParameters(parameters).catch(() => undefined);
  }
}

const stricter = (a: number | null, b: number | null) =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);
const bits = (kilobits: number | null) => (kilobits === null ? null : kilobits * 1000);

/** Limits as given, with each value made a whole positive number of kbit/s or null. */
export function mergeLimits(limits: Limits, change: Partial<Limits>): Limits {
  const whole = (value: number | null) =>
    value !== null && Number.isFinite(value) && value > 0 ? Math.max(1, Math.round(value)) : null;
  return {
    audio: change.audio === undefined ? limits.audio : whole(change.audio),
    video: change.video === undefined ? limits.video : whole(change.video),
  };
}
