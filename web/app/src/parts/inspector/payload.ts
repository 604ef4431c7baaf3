// A step's payload as text: SDP line by line (RFC 8866), everything else as JSON.

export interface PayloadLine {
  text: string;
  tone: "media" | "limit" | "ice" | "security" | "codec" | "plain";
}

export function payloadText(payload: unknown): string {
  if (payload === undefined || payload === null) return "";
  if (typeof payload === "string") return payload.replace(/\r\n/g, "\n").trimEnd();
  const description = sdpOf(payload);
  if (description !== null) return payloadText(description);
  return JSON.stringify(payload, null, 2) ?? "";
}

export function payloadLines(payload: unknown): PayloadLine[] {
  const text = payloadText(payload);
  if (!text) return [];
  const tone = isSdp(payload) ? toneOf : () => "plain" as const;
  return text.split("\n").map((line) => ({ text: line, tone: tone(line) }));
}

/** Whether it is a description, whose lines can be explained. */
export function isSdp(payload: unknown): boolean {
  return /^v=0$/m.test(payloadText(payload));
}

function toneOf(line: string): PayloadLine["tone"] {
  if (line.startsWith("m=")) return "media";
  if (line.startsWith("b=")) return "limit";
  if (/^a=(ice-|candidate|end-of-candidates)/.test(line)) return "ice";
  if (/^a=(fingerprint|setup)/.test(line)) return "security";
  if (/^a=(rtpmap|fmtp)/.test(line)) return "codec";
  return "plain";
}

/** The text of an RTCSessionDescriptionInit, or of something that contains one. */
function sdpOf(payload: unknown): string | null {
  if (typeof payload !== "object" || payload === null) return null;
  const { sdp } = payload as { sdp?: unknown };
  return typeof sdp === "string" ? sdp : sdpOf(sdp);
}
