// The exchange of steps: both logs show both sides, on one clock.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StepExchange, STEPS_LABEL } from "../src/exchange.js";
import { StepLog } from "../src/steps.js";
import type { Step } from "../src/types.js";
import { channelPair, type FakeChannel, open } from "./fakes/channel.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function side(): { log: StepLog; exchange: StepExchange } {
  const log = new StepLog();
  const exchange = new StepExchange(log);
  log.listener = (step) => step.side === "local" && exchange.tell(step);
  return { log, exchange };
}

const shown = (steps: readonly Step[]) =>
  steps.map(({ kind, side, from, to }) => `${side} ${kind} ${from}>${to}`);

async function connected(): Promise<
  [ReturnType<typeof side>, ReturnType<typeof side>, [FakeChannel, FakeChannel]]
> {
  const a = side();
  await vi.advanceTimersByTimeAsync(700);
  const b = side();
  a.log.sent("offerSent", "peer", "secret sdp");
  await vi.advanceTimersByTimeAsync(10);
  b.log.got("offerReceived", "peer");
  await vi.advanceTimersByTimeAsync(100);
  b.log.sent("answerSent", "peer");
  b.log.did(
    "candidateGathered",
    { candidate: "secret" },
    { kind: "relay", label: "relayed", protocol: "udp", mdns: false },
  );
  const pair = channelPair(STEPS_LABEL);
  a.exchange.open(pair[0].asChannel);
  b.exchange.open(pair[1].asChannel);
  open(pair);
  await vi.advanceTimersByTimeAsync(1000);
  return [a, b, pair];
}

test("each side shows the other's steps, seen from here, at the same moments", async () => {
  const [a, b] = await connected();
  expect(shown(a.log.steps)).toEqual([
    "local offerSent me>peer",
    "remote offerReceived me>peer",
    "remote answerSent peer>me",
    "remote candidateGathered peer>peer",
  ]);
  expect(shown(b.log.steps)).toEqual([
    "remote offerSent peer>me",
    "local offerReceived peer>me",
    "local answerSent me>peer",
    "local candidateGathered me>me",
  ]);
  for (const [log, times] of [
    [a.log, [700, 710, 810, 810]],
    [b.log, [0, 10, 110, 110]],
  ] as const) {
    log.steps.forEach((step, i) => expect(Math.abs(step.at - (times[i] as number))).toBeLessThanOrEqual(2));
  }
});

test("kinds, times and labels are told, payloads are not", async () => {
  const [a, , pair] = await connected();
  expect(pair.flatMap((end) => end.sent).join()).not.toContain("secret");
  const gathered = a.log.steps.find((step) => step.kind === "candidateGathered");
  expect(gathered?.candidate?.label).toBe("relayed");
  expect(gathered?.payload).toBeUndefined();
});

test("later steps follow by themselves", async () => {
  const [a, b] = await connected();
  b.log.did("connected");
  await vi.advanceTimersByTimeAsync(100);
  expect(shown(a.log.steps).at(-1)).toBe("remote connected peer>peer");
});

test("what the other page invents is not shown", async () => {
  const [a, , pair] = await connected();
  const before = a.log.steps.length;
  const step = { kind: "connected", at: 1, from: "me", to: "me" };
  for (const steps of [
    "x",
    [null, 7, "text", {}],
    [{ ...step, kind: "constructor" }],
    [{ ...step, at: "1" }],
    [{ ...step, from: "nowhere" }],
    Array(51).fill({ ...step, to: 1 }),
  ]) {
    pair[0].onmessage?.({ data: JSON.stringify({ t: "steps", steps }) });
  }
  for (const data of ["", "{", "null", new ArrayBuffer(3), '{"t":"ping","c":"x"}', '{"t":"pong"}']) {
    pair[0].onmessage?.({ data });
  }
  expect(a.log.steps.length).toBe(before);
  const candidate = { kind: "host", label: "<b>", protocol: "udp" };
  pair[0].onmessage?.({ data: JSON.stringify({ t: "steps", steps: [{ ...step, candidate }] }) });
  const last = a.log.steps.find((known) => known.kind === "connected");
  expect(last?.side).toBe("remote");
  expect(last?.candidate).toBeUndefined();
});

test("the log stays bounded", () => {
  const { log } = side();
  for (let i = 0; i < 2500; i++) log.did("iceState", i);
  expect(log.steps).toHaveLength(2000);
  expect(log.steps.at(-1)?.payload).toBe(2499);
});
