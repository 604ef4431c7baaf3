// Event streams come cut anywhere, with any line ending.

import { expect, test } from "vitest";
import { EventStream } from "../../src/transports/event-stream.js";
import { pieces, seeded } from "../random.js";

const stream = [
  ":hb",
  "",
  'id: 1\ndata: {"t":"a"}',
  "",
  ":hb",
  "",
  "data: two\ndata:lines",
  "",
  "event: x",
  "",
  "",
];

test.each(["\n", "\r\n", "\r"])("reads a stream with line ending %j, cut anywhere", (ending) => {
  const text = stream.join("\n").replaceAll("\n", ending) + "x";
  for (let seed = 0; seed < 200; seed++) {
    const reader = new EventStream();
    const events = pieces(seeded(seed), text).flatMap((piece) => reader.feed(piece));
    expect(events).toEqual(['{"t":"a"}', "two\nlines"]);
  }
});

test("gives an event only when its empty line is there", () => {
  const reader = new EventStream();
  expect(reader.feed("data: a\n")).toEqual([]);
  expect(reader.feed("\n")).toEqual(["a"]);
});

test("refuses a line without end", () => {
  const reader = new EventStream();
  expect(() => {
    for (let i = 0; i < 1000; i++) reader.feed("x".repeat(1000));
  }).toThrow(RangeError);
});
