// What candidates say about themselves.

import { expect, test } from "vitest";
import { readCandidate } from "../src/candidate.js";

const line = (address: string, kind: string, transport = "udp") =>
  `candidate:1 1 ${transport} 2122260223 ${address} 54321 typ ${kind} generation 0 ufrag abcd`;

test.each([
  [line("192.168.1.5", "host"), { kind: "host", label: "local", protocol: "udp", mdns: false }],
  [line("0f3a.local", "host", "UDP"), { kind: "host", label: "local", protocol: "udp", mdns: true }],
  [line("2001:db8::1", "srflx"), { kind: "srflx", label: "public", protocol: "udp", mdns: false }],
  [line("203.0.113.9", "prflx"), { kind: "prflx", label: "public", protocol: "udp", mdns: false }],
  [line("203.0.113.9", "relay", "tcp"), { kind: "relay", label: "relayed", protocol: "tcp", mdns: false }],
])("%s", (text, read) => {
  expect(readCandidate(text)).toEqual(read);
});

test.each([
  "",
  "candidate:",
  "a=candidate:1 1 udp 1 1.2.3.4 5 typ host",
  line("1.2.3.4", "toString"),
  line("1.2.3.4", ""),
])("%s is none", (text) => {
  expect(readCandidate(text)).toBeNull();
});
