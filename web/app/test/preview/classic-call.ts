// The steps of an ordinary call as the caller's inspector sees them.

import type { Place, Step, StepKind } from "@peerline/sdk";

const SDP = `v=0\r
o=- 4611731400430051336 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0 1 2\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
c=IN IP4 0.0.0.0\r
b=AS:64\r
a=ice-ufrag:Yb7p\r
a=ice-pwd:r9sk2JmpUkhB1c0tWv4r1k0X\r
a=fingerprint:sha-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35\r
a=setup:actpass\r
a=mid:0\r
a=rtpmap:111 opus/48000/2\r
a=fmtp:111 minptime=10;useinbandfec=1\r
m=video 9 UDP/TLS/RTP/SAVPF 96\r
a=mid:1\r
a=rtpmap:96 VP8/90000\r
`;

type Short = [
  at: number,
  side: "local" | "remote",
  kind: StepKind,
  from: Place,
  to: Place,
  payload?: unknown,
];

const host = { kind: "host", label: "local", protocol: "udp", mdns: true } as const;
const srflx = { kind: "srflx", label: "public", protocol: "udp", mdns: false } as const;
const relay = { kind: "relay", label: "relayed", protocol: "udp", mdns: false } as const;

const STEPS: Short[] = [
  [0, "local", "call", "me", "server", { to: "u/bob", media: ["a", "v"] }],
  [3, "local", "getUserMedia", "me", "me", { audio: true, video: { width: 1280 } }],
  [6, "remote", "ring", "server", "peer"],
  [14, "remote", "rung", "peer", "server"],
  [18, "local", "rung", "server", "me"],
  [2210, "remote", "accept", "peer", "server"],
  [2214, "local", "up", "server", "me", { polite: false }],
  [2216, "local", "addTrack", "me", "me", { kind: "audio" }],
  [2217, "local", "addTrack", "me", "me", { kind: "video" }],
  [2218, "local", "negotiationneeded", "me", "me"],
  [2224, "local", "createOffer", "me", "me", SDP],
  [2230, "local", "setLocalDescription", "me", "me", SDP],
  [2231, "local", "offerSent", "me", "server", SDP],
  [2236, "remote", "offerReceived", "server", "peer"],
  [2240, "remote", "setRemoteDescription", "peer", "peer"],
  [2241, "local", "candidateGathered", "me", "me", host],
  [2246, "remote", "getUserMedia", "peer", "peer"],
  [2250, "remote", "addTrack", "peer", "peer"],
  [2262, "remote", "createAnswer", "peer", "peer"],
  [2268, "remote", "setLocalDescription", "peer", "peer"],
  [2269, "remote", "answerSent", "peer", "server"],
  [2274, "local", "answerReceived", "server", "me", SDP],
  [2280, "local", "setRemoteDescription", "me", "me", SDP],
  [2284, "local", "candidateGathered", "me", "me", srflx],
  [2285, "local", "candidateGathered", "me", "me", relay],
  [2291, "local", "candidatesSent", "me", "server"],
  [2296, "remote", "candidateAdded", "peer", "peer", host],
  [2298, "local", "candidatesReceived", "server", "me"],
  [2299, "local", "candidateAdded", "me", "me", srflx],
  [2301, "local", "track", "me", "me", { kind: "audio" }],
  [2302, "local", "track", "me", "me", { kind: "video" }],
  [2304, "local", "iceState", "me", "me", "checking"],
  [2330, "local", "connectionState", "me", "me", "connected"],
  [2331, "local", "connected", "me", "peer"],
];

export function classicCall(): Omit<Step, "n">[] {
  return STEPS.map(([at, side, kind, from, to, payload]) => ({
    at,
    side,
    kind,
    from,
    to,
    ...(side === "local" && payload ? { payload } : {}),
    ...(payload && [host, srflx, relay].includes(payload as never)
      ? { candidate: payload as typeof host }
      : {}),
  }));
}
