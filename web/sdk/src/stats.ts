// Statistics of a call (W3C Identifiers for WebRTC's Statistics API): totals as reported, rates since the last sample.

import type { CallStats, CandidateKind, StreamStats } from "./types.js";

/** One report: what getStats gives, or a plain map in tests. */
export type Report = Iterable<[string, unknown]>;
type Entry = Record<string, unknown>;
type Kind = "audio" | "video";

interface Totals {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
}

export class StatsSampler {
  #before = new Map<string, Totals>();

  /** Turn a report into a sample; rates are null in the first one, and after counters began anew. */
  sample(report: Report, at: number): CallStats {
    const entries = new Map([...report].map(([id, entry]) => [id, entry as Entry]));
    const stats: CallStats = {
      at,
      ...pairOf(entries),
      audio: { in: this.#incoming(entries, "audio", at), out: this.#outgoing(entries, "audio", at) },
      video: { in: this.#incoming(entries, "video", at), out: this.#outgoing(entries, "video", at) },
    };
    return stats;
  }

  #incoming(entries: Map<string, Entry>, kind: Kind, at: number): StreamStats {
    const streams = pick(entries, "inbound-rtp", kind);
    const totals: Totals = {
      at,
      bytes: sum(streams, "bytesReceived"),
      packets: sum(streams, "packetsReceived"),
      lost: sum(streams, "packetsLost"),
    };
    const since = this.#since(`in ${kind}`, totals);
    const lossPct = since && percentage(since.lost, since.lost + since.packets);
    return {
      ...rates(totals, since),
      lossPct,
      ...described(entries, streams),
      jitterMs: milliseconds(streams, "jitter"),
    };
  }

  /** What was lost on the way out is known from the other side's reports. */
  #outgoing(entries: Map<string, Entry>, kind: Kind, at: number): StreamStats {
    const streams = pick(entries, "outbound-rtp", kind);
    const reports = pick(entries, "remote-inbound-rtp", kind);
    const totals: Totals = {
      at,
      bytes: sum(streams, "bytesSent"),
      packets: sum(streams, "packetsSent"),
      lost: sum(reports, "packetsLost"),
    };
    const since = this.#since(`out ${kind}`, totals);
    const lossPct = since && percentage(since.lost, since.packets);
    return {
      ...rates(totals, since),
      lossPct,
      ...described(entries, streams),
      jitterMs: milliseconds(reports, "jitter"),
    };
  }

  #since(name: string, now: Totals): Totals | null {
    const before = this.#before.get(name);
    this.#before.set(name, now);
    if (!before || now.at <= before.at || now.bytes < before.bytes || now.packets < before.packets)
      return null;
    const { at, bytes, packets, lost } = before;
    return {
      at: now.at - at,
      bytes: now.bytes - bytes,
      packets: now.packets - packets,
      lost: now.lost - lost,
    };
  }
}

const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);

const pick = (entries: Map<string, Entry>, type: string, kind: Kind): Entry[] =>
  [...entries.values()].filter((entry) => entry.type === type && entry.kind === kind);

const sum = (streams: Entry[], field: string): number =>
  streams.reduce((total, stream) => total + numberOf(stream[field]), 0);

const percentage = (part: number, whole: number): number | null =>
  whole > 0 ? Math.min(100, Math.max(0, (100 * part) / whole)) : null;

const milliseconds = (streams: Entry[], field: string): number | null => {
  const seconds = streams.at(-1)?.[field];
  return typeof seconds === "number" ? seconds * 1000 : null;
};

const rates = (totals: Totals, since: Totals | null) => ({
  bytes: totals.bytes,
  packets: totals.packets,
  packetsLost: totals.lost,
  // Bytes a millisecond, times 8: bits a millisecond, which are kilobits a second.
  bitrateKbps: since && (since.bytes * 8) / since.at,
});

/** Codec and picture of the stream that was added last. */
function described(entries: Map<string, Entry>, streams: Entry[]) {
  const stream = streams.at(-1) ?? {};
  const mime = entries.get(String(stream.codecId))?.mimeType;
  const { frameWidth, frameHeight, framesPerSecond } = stream;
  return {
    codec: typeof mime === "string" ? mime.replace(/^\w+\//, "") : null,
    ...(typeof frameWidth === "number" && { width: frameWidth }),
    ...(typeof frameHeight === "number" && { height: frameHeight }),
    ...(typeof framesPerSecond === "number" && { fps: framesPerSecond }),
  };
}

/** The candidate pair in use, and its round-trip time. */
function pairOf(entries: Map<string, Entry>): Pick<CallStats, "pair" | "rttMs"> {
  const all = [...entries.values()];
  const selected = all.find((entry) => entry.type === "transport")?.selectedCandidatePairId;
  const pair =
    entries.get(String(selected)) ??
    // Firefox reports no transport.
    all.find(
      (entry) => entry.type === "candidate-pair" && entry.nominated === true && entry.state === "succeeded",
    );
  const local = entries.get(String(pair?.localCandidateId));
  const remote = entries.get(String(pair?.remoteCandidateId));
  const rtt = pair?.currentRoundTripTime;
  const rttMs = typeof rtt === "number" ? rtt * 1000 : null;
  if (!local || !remote) return { rttMs, pair: null };
  const kinds = {
    local: local.candidateType as CandidateKind,
    remote: remote.candidateType as CandidateKind,
  };
  const relayed = kinds.local === "relay" || kinds.remote === "relay";
  return { rttMs, pair: { ...kinds, protocol: String(local.protocol ?? "udp"), relayed } };
}
