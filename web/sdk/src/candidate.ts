// What a candidate says about itself (RFC 8839, section 5.1).

import type { CandidateKind, StepCandidate } from "./types.js";

const LABELS: Record<CandidateKind, StepCandidate["label"]> = {
  host: "local",
  srflx: "public",
  prflx: "public",
  relay: "relayed",
};

/** Read a `candidate:…` line; null if it is none. */
export function readCandidate(line: string): StepCandidate | null {
  const [, , protocol, , address, , typ, kind] = line.trim().split(/\s+/);
  if (!line.startsWith("candidate:") || typ !== "typ" || !address || !protocol || !isKind(kind)) return null;
  return { kind, label: LABELS[kind], protocol: protocol.toLowerCase(), mdns: address.endsWith(".local") };
}

const isKind = (kind: string | undefined): kind is CandidateKind =>
  kind !== undefined && Object.hasOwn(LABELS, kind);
