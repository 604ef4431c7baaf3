// Recovery: when ICE is restarted and when the call is given up.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LOST_MS, NEVER_MS, Recovery } from "../src/recovery.js";

const restart = vi.fn();
const giveUp = vi.fn();
let recovery: Recovery;

beforeEach(() => {
  vi.useFakeTimers();
  restart.mockClear();
  giveUp.mockClear();
  recovery = new Recovery({ restart, giveUp });
});
afterEach(() => vi.useRealTimers());

const connect = () => {
  recovery.turned("connecting");
  recovery.turned("connected");
};

test("a connection that comes needs nothing", () => {
  connect();
  vi.advanceTimersByTime(10 * NEVER_MS);
  expect(restart).not.toHaveBeenCalled();
  expect(giveUp).not.toHaveBeenCalled();
});

test("a short disturbance is waited for", () => {
  connect();
  recovery.turned("disconnected");
  vi.advanceTimersByTime(2900);
  recovery.turned("connected");
  vi.advanceTimersByTime(60_000);
  expect(restart).not.toHaveBeenCalled();
  expect(giveUp).not.toHaveBeenCalled();
});

test("a longer one restarts ICE, and so does `failed`", () => {
  connect();
  recovery.turned("disconnected");
  vi.advanceTimersByTime(3000);
  expect(restart.mock.calls).toEqual([["lost"]]);
  recovery.turned("failed");
  expect(restart).toHaveBeenCalledTimes(2);
});

test("18 seconds after it went the call is lost, restarts or not", () => {
  connect();
  recovery.turned("disconnected");
  vi.advanceTimersByTime(5000);
  recovery.turned("connecting");
  recovery.turned("failed");
  vi.advanceTimersByTime(LOST_MS - 5001);
  expect(giveUp).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(giveUp.mock.calls).toEqual([["ice_lost"]]);
});

test("a change of network restarts at once: before or after the loss", () => {
  connect();
  recovery.network();
  expect(restart).not.toHaveBeenCalled();
  recovery.turned("disconnected");
  expect(restart.mock.calls).toEqual([["net"]]);
  recovery.network();
  expect(restart).toHaveBeenCalledTimes(2);
});

test("a change of network long ago explains nothing", () => {
  connect();
  recovery.network();
  vi.advanceTimersByTime(11_000);
  recovery.turned("disconnected");
  expect(restart).not.toHaveBeenCalled();
});

test("a connection that never comes has failed, even without a candidate to try", () => {
  recovery.described();
  vi.advanceTimersByTime(NEVER_MS);
  expect(giveUp.mock.calls).toEqual([["ice_failed"]]);
});

test("when the other side is back, time begins anew", () => {
  connect();
  recovery.turned("disconnected");
  vi.advanceTimersByTime(LOST_MS - 1);
  recovery.again();
  vi.advanceTimersByTime(LOST_MS - 1);
  expect(giveUp).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(giveUp).toHaveBeenCalledTimes(1);
});

test("after the end nothing happens", () => {
  connect();
  recovery.turned("disconnected");
  recovery.stop();
  vi.advanceTimersByTime(60_000);
  expect(restart).not.toHaveBeenCalled();
  expect(giveUp).not.toHaveBeenCalled();
});
