// Reading frames: whatever comes, only envelopes come out, and nothing is thrown.

import { expect, test } from "vitest";
import { readEnvelope, readFrame } from "../src/envelope.js";
import { below, seeded } from "./random.js";

test("reads one envelope and a batch", () => {
  expect(readFrame('{"t":"ok","s":1,"a":2,"re":"q1","d":{}}')).toEqual([
    { t: "ok", s: 1, a: 2, re: "q1", d: {} },
  ]);
  expect(readFrame('[{"t":"a"},{"t":"b"}]').map((envelope) => envelope.t)).toEqual(["a", "b"]);
});

test("takes at most 64 of a batch", () => {
  expect(readFrame(JSON.stringify(Array(100).fill({ t: "x" })))).toHaveLength(64);
});

test.each([
  "",
  "null",
  "7",
  '"text"',
  "{}",
  "[]",
  "[[]]",
  '{"t":7}',
  "{",
  "[null,7]",
  '{"t":null}',
  "\u0000",
])("finds no envelope in %s", (text) => {
  expect(readFrame(text)).toEqual([]);
});

test("leaves out fields of a wrong type and fields that it does not know", () => {
  const wild = {
    t: "x",
    s: -1,
    a: 1.5,
    id: 3,
    re: {},
    call: [],
    from: { u: 1 },
    d: [],
    __proto__x: 1,
    other: 1,
  };
  expect(readEnvelope(wild)).toEqual({ t: "x" });
  expect(readEnvelope({ t: "x", from: { u: "a", n: "A", ip: "10.0.0.1" } })).toEqual({
    t: "x",
    from: { u: "a", n: "A" },
  });
});

test("survives deep nesting", () => {
  expect(readFrame("[".repeat(100_000))).toEqual([]);
  const deep = '{"t":"x","d":' + '{"d":'.repeat(5000) + "1" + "}".repeat(5001);
  expect(readFrame(deep)[0]?.t).toBe("x");
});

test("random damage to a frame never throws, and what comes out is an envelope", () => {
  const frame = JSON.stringify([
    { t: "desc", s: 4, a: 3, call: "01JB", d: { g: 1 } },
    { t: "ack", a: 9 },
  ]);
  const random = seeded(1);
  for (let i = 0; i < 5000; i++) {
    const text = [...frame];
    for (let k = 0; k <= below(random, 4); k++) {
      text[below(random, text.length)] = String.fromCharCode(below(random, 128));
    }
    for (const envelope of readFrame(text.join(""))) {
      expect(typeof envelope.t).toBe("string");
      if (envelope.s !== undefined) expect(Number.isSafeInteger(envelope.s) && envelope.s >= 0).toBe(true);
    }
  }
});
