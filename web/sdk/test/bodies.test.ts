// What the other page says about the connection is checked before it is used.

import { expect, test } from "vitest";
import { readCand, readDesc } from "../src/bodies.js";

const desc = { pc: "p2p", g: 1, n: 2, sdp: { type: "offer", sdp: "v=0" } };
const candidate = { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "u" };

test("reads a description, without what does not belong to it", () => {
  expect(readDesc({ ...desc, extra: 1 })).toEqual(desc);
});

test.each([
  { ...desc, pc: "pub" },
  { ...desc, g: -1 },
  { ...desc, g: "1" },
  { ...desc, n: 1.5 },
  { ...desc, sdp: "v=0" },
  { ...desc, sdp: { type: "rollback", sdp: "" } },
  { ...desc, sdp: { type: "offer" } },
  {},
])("refuses %j as a description", (body) => {
  expect(readDesc(body)).toBeNull();
});

test("reads candidates and leaves out what is none", () => {
  const cand = { pc: "p2p", g: 1, c: [candidate, null, 7, {}, { candidate: "x", sdpMid: 7 }], end: true };
  expect(readCand(cand)).toEqual({
    pc: "p2p",
    g: 1,
    c: [candidate, { candidate: "x", sdpMid: null, sdpMLineIndex: null, usernameFragment: null }],
    end: true,
  });
});

test.each([
  { pc: "p2p", g: 1 },
  { pc: "p2p", g: 1, c: {} },
  { pc: "p2p", g: 1, c: Array(257).fill(candidate) },
  { pc: "x", g: 1, c: [] },
])("refuses %j as candidates", (body) => {
  expect(readCand(body)).toBeNull();
});
