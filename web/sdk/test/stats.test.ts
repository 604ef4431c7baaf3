// Statistics: rates between samples, and which pair is in use.

import { expect, test } from "vitest";
import { StatsSampler } from "../src/stats.js";

type Entries = Record<string, Record<string, unknown>>;

const report = (scale: number, more: Entries = {}): [string, unknown][] =>
  Object.entries({
    T: { type: "transport", selectedCandidatePairId: "P" },
    Q: { type: "candidate-pair", state: "failed", localCandidateId: "L2", remoteCandidateId: "R" },
    P: {
      type: "candidate-pair",
      state: "succeeded",
      nominated: true,
      localCandidateId: "L",
      remoteCandidateId: "R",
      currentRoundTripTime: 0.025,
    },
    L: { type: "local-candidate", candidateType: "host", protocol: "udp" },
    R: { type: "remote-candidate", candidateType: "srflx", protocol: "udp" },
    C: { type: "codec", mimeType: "video/VP8" },
    VI: {
      type: "inbound-rtp",
      kind: "video",
      bytesReceived: 10_000 * scale,
      packetsReceived: 90 * scale,
      packetsLost: 10 * scale,
      jitter: 0.004,
      codecId: "C",
      frameWidth: 640,
      frameHeight: 360,
      framesPerSecond: 25,
    },
    VO: {
      type: "outbound-rtp",
      kind: "video",
      bytesSent: 20_000 * scale,
      packetsSent: 100 * scale,
      codecId: "C",
    },
    VR: { type: "remote-inbound-rtp", kind: "video", packetsLost: 5 * scale, jitter: 0.007 },
    ...more,
  });

test("the first sample has totals, no rates", () => {
  const { video, audio } = new StatsSampler().sample(report(1), 0);
  expect(video.in).toMatchObject({
    bytes: 10_000,
    packets: 90,
    packetsLost: 10,
    bitrateKbps: null,
    lossPct: null,
  });
  expect(audio.in).toMatchObject({ bytes: 0, packets: 0, codec: null, bitrateKbps: null });
});

test("rates are those since the sample before", () => {
  const sampler = new StatsSampler();
  sampler.sample(report(1), 1000);
  const { video } = sampler.sample(report(2), 3000);
  // 10,000 bytes in 2 s are 40 kbit/s.
  expect(video.in).toMatchObject({
    bitrateKbps: 40,
    lossPct: 10,
    jitterMs: 4,
    codec: "VP8",
    width: 640,
    height: 360,
    fps: 25,
  });
  expect(video.out).toMatchObject({ bitrateKbps: 80, lossPct: 5, jitterMs: 7, packetsLost: 5 * 2 });
});

test("counters that began anew give no rate, never a negative one", () => {
  const sampler = new StatsSampler();
  sampler.sample(report(9), 0);
  const { video } = sampler.sample(report(1), 1000);
  expect(video.in.bitrateKbps).toBeNull();
  expect(sampler.sample(report(2), 2000).video.in.bitrateKbps).toBe(80);
});

test("tells the pair in use and its round-trip time", () => {
  const { pair, rttMs } = new StatsSampler().sample(report(1), 0);
  expect(rttMs).toBe(25);
  expect(pair).toEqual({ local: "host", remote: "srflx", protocol: "udp", relayed: false });
});

test("a pair with a relay on either side is relayed", () => {
  const R = { type: "remote-candidate", candidateType: "relay", protocol: "udp" };
  expect(new StatsSampler().sample(report(1, { R }), 0).pair?.relayed).toBe(true);
});

test("finds the pair where no transport is reported", () => {
  const { pair } = new StatsSampler().sample(report(1, { T: { type: "other" } }), 0);
  expect(pair?.local).toBe("host");
});

test("an empty report is a sample of zeros", () => {
  expect(new StatsSampler().sample([], 0)).toMatchObject({
    rttMs: null,
    pair: null,
    video: { out: { bytes: 0 } },
  });
});
