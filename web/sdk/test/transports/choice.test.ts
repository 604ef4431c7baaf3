// Which transport is tried, and in which order.

import { expect, test } from "vitest";
import { order } from "../../src/transports/choice.js";

test.each([
  ["auto", null, ["websocket", "sse"]],
  ["auto", "websocket", ["websocket", "sse"]],
  ["auto", "sse", ["sse", "websocket"]],
  ["auto", "poll", ["poll", "websocket"]],
  ["websocket", "poll", ["websocket"]],
  ["http", null, ["sse"]],
  ["http", "websocket", ["sse"]],
  ["http", "poll", ["poll"]],
] as const)("wish %s, winner %s: %j", (wish, winner, kinds) => {
  expect(order(wish, winner)).toEqual(kinds);
});
