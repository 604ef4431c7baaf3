// The session: hello, resume, bye, acknowledgements, and coming back.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Envelope } from "../src/envelope.js";
import { PeerlineError } from "../src/error.js";
import { backoff, Session } from "../src/session.js";
import { UnreachableError } from "../src/transports/carriage.js";
import { FakeServer, welcome } from "./fakes/carriage.js";

let server: FakeServer;
let messages: Envelope[];
let states: string[];
let fresh: number;

const base = new URL("http://localhost/");
const unreachable = () => new UnreachableError("no");

async function open(): Promise<Session> {
  const identity = { name: "Ann", own: "o".repeat(22), dev: "d".repeat(22) };
  const session = await Session.open({ base, wish: "auto", identity, open: server.open });
  session.events.on("message", (envelope) => messages.push(envelope));
  session.events.on("state", (state, why) => states.push(why ? `${state} ${why}` : state));
  session.events.on("fresh", () => fresh++);
  return session;
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const numbers = (envelopes: Envelope[]) => envelopes.map((envelope) => envelope.s);

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  messages = [];
  states = [];
  fresh = 0;
});
afterEach(() => vi.useRealTimers());

describe("opening", () => {
  test("says hello with version and identity, without res", async () => {
    await open();
    expect(server.now.hello).toEqual({ v: [1], name: "Ann", own: "o".repeat(22), dev: "d".repeat(22) });
  });

  test("rejects with the server's refusal", async () => {
    server.answer = () => new PeerlineError("taken", "somebody else owns this name");
    await expect(open()).rejects.toMatchObject({ code: "taken" });
  });

  test("rejects with `unavailable` when no server answers", async () => {
    server.answer = unreachable;
    await expect(open()).rejects.toMatchObject({ code: "unavailable", hint: expect.any(String) as string });
  });

  test("keeps what arrives before anybody listens", async () => {
    const identity = { name: "Ann", dev: "d" };
    const session = await Session.open({ base, wish: "auto", identity, open: server.open });
    server.now.say({ t: "missed", s: 1, d: { calls: [] } });
    session.events.on("message", (envelope) => messages.push(envelope));
    expect(messages).toHaveLength(1);
  });
});

describe("resuming", () => {
  test("resumes at once with the highest number received, and sends again what is missing there", async () => {
    const session = await open();
    session.send("pres", { st: "away" });
    session.send("pres", { st: "online" });
    session.send("pres", { st: "dnd" });
    server.now.say({ t: "pres", s: 1, a: 1, d: {} }, { t: "pres", s: 2, d: {} });
    server.answer = () => welcome({ res: true, rx: 2 });
    server.now.end();
    await settle();
    expect(server.now.hello.res).toEqual({ sid: "sid", key: "key", rx: 2 });
    expect(numbers(server.now.said("pres"))).toEqual([3]);
    expect(server.now.last("pres").a).toBe(2);
    expect(states).toEqual(["reconnecting lost", "connected"]);
    expect(fresh).toBe(0);
  });

  test("what is said while the socket is away follows after the resume, in order", async () => {
    const session = await open();
    server.answer = unreachable;
    server.now.end();
    await settle();
    session.send("pres", { st: "away" });
    session.send("pres", { st: "dnd" });
    server.answer = () => welcome({ res: true, rx: 0 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.now.said("pres").map((envelope) => envelope.d?.st)).toEqual(["away", "dnd"]);
  });

  test("a gap closes the socket and resumes; the message after the gap is not taken", async () => {
    await open();
    const first = server.now;
    server.answer = () => welcome({ res: true, rx: 0 });
    first.say({ t: "pres", s: 2, d: {} });
    await settle();
    expect(first.isClosed).toBe(true);
    expect(messages).toEqual([]);
    expect(server.now.hello.res?.rx).toBe(0);
  });

  test("what comes twice is processed once", async () => {
    await open();
    server.now.say({ t: "pres", s: 1, d: {} }, { t: "pres", s: 1, d: {} });
    expect(messages).toHaveLength(1);
  });

  test("numbers that cannot be lead to a new session, not to an endless loop", async () => {
    await open();
    server.answer = (hello) => (hello.res ? welcome({ res: true, rx: 77 }) : welcome());
    server.now.end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.now.hello.res).toBeUndefined();
    expect(fresh).toBe(1);
  });
});

describe("a new session", () => {
  test("begins both numberings with 1 and says so", async () => {
    const session = await open();
    session.send("pres", { st: "away" });
    server.now.say({ t: "pres", s: 1, d: {} });
    server.now.end();
    await settle();
    expect(fresh).toBe(1);
    session.send("pres", { st: "dnd" });
    expect(server.now.last("pres").s).toBe(1);
    server.now.say({ t: "pres", s: 1, d: {} });
    expect(messages).toHaveLength(2);
  });

  test("asks again what was not answered, after what the listener said first", async () => {
    const session = await open();
    session.events.on("fresh", () => session.send("pres", { st: "away" }));
    const answer = session.request("call", { to: "u/bob", media: ["a"] }, "TOKEN");
    const { id } = server.now.last("call");
    server.now.end();
    await settle();
    expect(server.now.sent.map(({ t, s, id }) => [t, s, id])).toEqual([
      ["pres", 1, undefined],
      ["call", 2, id],
    ]);
    server.now.say({ t: "ok", s: 1, re: id as string, call: "TOKEN", d: { exp: 5 } });
    await expect(answer).resolves.toEqual({ exp: 5 });
  });

  test("does not repeat `sync` and `watch`, which the listener says anew", async () => {
    const session = await open();
    const sync = session.request("sync", { calls: [] });
    server.now.end();
    await expect(sync).rejects.toMatchObject({ code: "lost" });
    await settle();
    expect(server.now.said("sync")).toEqual([]);
  });
});

describe("requests", () => {
  test("an err rejects with code, hint and delay", async () => {
    const session = await open();
    const answer = session.request("history", {});
    const re = server.now.last("history").id as string;
    server.now.say({ t: "err", s: 1, re, d: { code: "rate", msg: "too fast", hint: "wait", retry_ms: 9 } });
    await expect(answer).rejects.toMatchObject({
      code: "rate",
      hint: "wait",
      retryMs: 9,
      message: "too fast",
    });
  });

  test("an answer to nothing is ignored, a foreign one takes no other's place", async () => {
    const session = await open();
    const answer = session.request("history", {});
    server.now.say({ t: "ok", s: 1, re: "nonsense", d: {} });
    server.now.say({ t: "ok", s: 2, re: server.now.last("history").id as string, d: { calls: [1] } });
    await expect(answer).resolves.toEqual({ calls: [1] });
  });

  test("who listens in order hears the answer before the messages behind it", async () => {
    const session = await open();
    const heard: string[] = [];
    session.events.on("message", ({ t }) => heard.push(t));
    void session.request("watch", {}, undefined, () => heard.push("watched"));
    const re = server.now.last("watch").id as string;
    server.now.say({ t: "ok", s: 1, re, d: { people: [] } }, { t: "pres", s: 2, d: {} });
    expect(heard).toEqual(["watched", "pres"]);
  });

  test("a message over the frame limit is refused here, and the session goes on", async () => {
    const session = await open();
    expect(() => session.send("info", { k: "x", text: "é".repeat(40_000) }, "TOKEN")).toThrow(PeerlineError);
    session.send("pres", { st: "away" });
    expect(server.now.last("pres").s).toBe(1);
  });
});

describe("acknowledging", () => {
  test("after a second by itself", async () => {
    await open();
    server.now.say({ t: "pres", s: 1, d: {} });
    await vi.advanceTimersByTimeAsync(999);
    expect(server.now.said("ack")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(server.now.said("ack")).toEqual([{ t: "ack", a: 1 }]);
  });

  test("not by itself if something else went out", async () => {
    const session = await open();
    server.now.say({ t: "pres", s: 1, d: {} });
    session.send("pres", { st: "away" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(server.now.said("ack")).toEqual([]);
    expect(server.now.last("pres").a).toBe(1);
  });

  test("at once after 32 messages", async () => {
    await open();
    for (let s = 1; s <= 32; s++) server.now.say({ t: "pres", s, d: {} });
    expect(server.now.said("ack")).toEqual([{ t: "ack", a: 32 }]);
  });
});

describe("bye from the server", () => {
  test("`resume` comes back with res, after the time asked for", async () => {
    await open();
    server.answer = () => welcome({ res: true });
    server.now.say({ t: "bye", d: { why: "drain", act: "resume", in_ms: 700 } });
    await vi.advanceTimersByTimeAsync(699);
    expect(server.carriages).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(server.now.hello.res).toBeDefined();
    expect(states).toEqual(["reconnecting drain", "connected"]);
  });

  test("`rejoin` says hello anew", async () => {
    await open();
    server.now.say({ t: "bye", d: { why: "gone", act: "rejoin" } });
    await settle();
    expect(server.now.hello.res).toBeUndefined();
    expect(fresh).toBe(1);
  });

  test("`stop` stays away and fails what was asked", async () => {
    const session = await open();
    const answer = session.request("history", {});
    server.now.say({ t: "bye", d: { why: "replaced", act: "stop" } });
    await expect(answer).rejects.toMatchObject({ code: "closed" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states).toEqual(["closed replaced"]);
    expect(server.carriages).toHaveLength(1);
    await expect(session.request("history", {})).rejects.toMatchObject({ code: "closed" });
  });
});

describe("coming back", () => {
  test("tries with growing pauses, first by the transport that worked, then by any", async () => {
    await open();
    server.answer = unreachable;
    server.now.end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.tried.slice(1, 5)).toEqual(Array(4).fill(["websocket"]));
    expect(server.tried[6]).toEqual(["websocket", "sse"]);
    expect(server.tried.length).toBeGreaterThan(12);
    expect(server.tried.length).toBeLessThan(40);
  });

  test("is hurried by a sign of network", async () => {
    const session = await open();
    server.answer = unreachable;
    server.now.end();
    await vi.advanceTimersByTimeAsync(30_000);
    const before = server.tried.length;
    session.check();
    await settle();
    expect(server.tried.length).toBe(before + 1);
  });

  test("probes a connection that seems alive", async () => {
    const session = await open();
    session.check();
    expect(server.now.probes).toBe(1);
  });

  test("waits as long as the server asks when it is too fast", async () => {
    await open();
    server.answer = () => new PeerlineError("rate", "too fast", { retryMs: 20_000 });
    server.now.end();
    await vi.advanceTimersByTimeAsync(19_000);
    expect(server.tried).toHaveLength(2);
  });

  test("gives up when it is refused for good", async () => {
    await open();
    server.answer = () => new PeerlineError("auth", "expired");
    server.now.end();
    await settle();
    expect(states).toEqual(["reconnecting lost", "closed auth"]);
  });

  test("says hello anew when more is unacknowledged than may be", async () => {
    const session = await open();
    for (let i = 0; i < 1025; i++) session.send("pres", { st: "away" });
    await settle();
    expect(server.carriages).toHaveLength(2);
    expect(server.now.hello.res).toBeUndefined();
  });

  test("pauses between 0.1 and 5 seconds", () => {
    expect(backoff(0, 0)).toBe(100);
    expect(backoff(0, 1)).toBe(200);
    expect(backoff(3, 1)).toBe(1600);
    expect(backoff(50, 1)).toBe(5000);
  });
});

describe("leaving", () => {
  test("close says bye and stays away", async () => {
    const session = await open();
    session.close();
    expect(server.now.hasLeft).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.carriages).toHaveLength(1);
    expect(states).toEqual(["closed"]);
  });

  test("a page that comes back from the cache begins a new session", async () => {
    const session = await open();
    session.suspend();
    expect(server.now.hasLeft).toBe(true);
    session.restore();
    await settle();
    expect(server.carriages).toHaveLength(2);
    expect(server.now.hello.res).toBeUndefined();
    expect(fresh).toBe(1);
    expect(states).toEqual(["reconnecting", "connected"]);
  });

  test("closing while a connection is being made leaves none behind", async () => {
    const session = await open();
    server.now.end();
    session.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.carriages.every((carriage, i) => i === 0 || carriage.hasLeft)).toBe(true);
    expect(session.state).toBe("closed");
  });
});
