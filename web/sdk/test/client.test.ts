// The client: people, calls in all their ways, and new sessions.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Call } from "../src/call.js";
import { baseOf, Client } from "../src/client.js";
import type { Envelope } from "../src/envelope.js";
import { rememberCall, rememberedCall } from "../src/remembered.js";
import { Session } from "../src/session.js";
import { type FakeDevices, FakeRtc, MemoryStorage, stubBrowser } from "./fakes/browser.js";
import { FakeServer, welcome } from "./fakes/carriage.js";

let devices: FakeDevices;
let server: FakeServer;
let client: Client;
let sequence: number;

const settle = () => vi.advanceTimersByTimeAsync(50);

async function signIn(): Promise<Client> {
  const identity = { name: "Ann", own: "o", dev: "d" };
  const session = await Session.open({
    base: new URL("http://localhost/"),
    wish: "auto",
    identity,
    open: server.open,
  });
  const device = { id: "d", isOriginal: true, release: () => undefined };
  client = new Client(session, device, { name: "Ann", iceTransportPolicy: "relay" });
  sequence = 0;
  await settle();
  return client;
}

/** The server says something with the next number. */
const say = (envelope: Envelope) => server.now.say({ ...envelope, s: ++sequence });
const answer = (t: string, d: Record<string, unknown> = {}) =>
  say({ t: "ok", re: server.now.last(t).id as string, d });
const refuse = (t: string, code: string) =>
  say({ t: "err", re: server.now.last(t).id as string, d: { code, msg: code } });

const bob = { u: "bob", n: "Bob" };
const TOKEN = "01JB0000000000000000000000";
const ring = (call = TOKEN) =>
  say({ t: "ring", call, from: bob, d: { media: ["a", "v"], exp: 45_000, now: 0 } });
const up = (call: string, polite: boolean, more: object = {}) =>
  say({ t: "up", call, d: { peer: bob, polite, media: ["a", "v"], again: false, fresh: false, ...more } });

const sentTypes = () => server.now.sent.map((envelope) => envelope.t).filter((t) => t !== "ack");

/** The session is lost for good; the server knows nothing any more. */
async function newSession(): Promise<void> {
  server.now.end({ act: "rejoin", why: "gone" });
  sequence = 0;
  await settle();
}

beforeEach(async () => {
  vi.useFakeTimers();
  devices = stubBrowser();
  vi.stubGlobal("sessionStorage", new MemoryStorage());
  vi.stubGlobal("localStorage", new MemoryStorage());
  server = new FakeServer();
  await signIn();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("people", () => {
  test("the list is asked for, followed, and shown to listeners", () => {
    const seen: string[][] = [];
    client.on("people", (people) => seen.push([...people.keys()]));
    answer("watch", {
      people: [
        { ...bob, st: "online" },
        { u: "ann", n: "Ann", st: "away" },
      ],
    });
    say({
      t: "pres",
      d: {
        people: [
          { u: "cy", n: "Cy", st: "call" },
          { ...bob, st: "offline" },
        ],
      },
    });
    expect(seen).toEqual([
      ["bob", "ann"],
      ["ann", "cy"],
    ]);
    expect(client.presence).toBe("away");
  });

  test("the own presence is said again in a new session", async () => {
    client.setPresence("dnd");
    await newSession();
    expect(server.now.last("pres").d).toEqual({ st: "dnd" });
  });

  test("missed calls that come before anybody listens are kept", () => {
    say({ t: "missed", d: { calls: [{ call: TOKEN, from: bob, media: ["a"], at: 1, why: "busy" }] } });
    const missed = vi.fn();
    client.on("missed", missed);
    expect(missed).toHaveBeenCalledTimes(1);
  });

  test("history is asked for page by page", async () => {
    const page = client.history(77);
    expect(server.now.last("history").d).toEqual({ before: 77 });
    answer("history", { calls: [{ call: TOKEN }] });
    await expect(page).resolves.toEqual([{ call: TOKEN }]);
  });
});

describe("calling", () => {
  test("asks for camera and microphone while it rings, offers when the other side is up", async () => {
    const call = client.call("bob", ["a", "v"]);
    expect([call.state, client.currentCall]).toEqual(["calling", call]);
    await settle();
    expect(devices.asked).toHaveLength(1);
    expect(server.now.last("call")).toMatchObject({ call: call.id, d: { to: "u/bob", media: ["a", "v"] } });
    answer("call", { exp: 1 });
    say({ t: "rung", call: call.id, from: bob, d: {} });
    expect(call.state).toBe("ringing");
    expect(FakeRtc.made).toEqual([]);
    up(call.id, false);
    await settle();
    expect(call.state).toBe("connecting");
    expect(FakeRtc.last.configuration).toEqual({
      iceServers: welcome().ice.servers,
      iceTransportPolicy: "relay",
    });
    expect(FakeRtc.last.channels).toEqual(["chat", "steps"]);
    expect(server.now.last("desc")).toMatchObject({ call: call.id, d: { pc: "p2p", g: 1, n: 1 } });
    FakeRtc.last.turn("connected");
    expect(call.state).toBe("connected");
    expect(globalThis.__peerline?.peerConnections).toContain(FakeRtc.last);
  });

  test("waits with the offer until the person has answered the browser's question", async () => {
    let allow: () => void = () => undefined;
    devices.gate = new Promise((resolve) => (allow = resolve));
    const call = client.call("bob", ["a", "v"]);
    up(call.id, false);
    await settle();
    expect(server.now.said("desc")).toEqual([]);
    allow();
    await settle();
    expect(server.now.said("desc")).toHaveLength(1);
  });

  test.each(["offline", "busy", "dnd", "forbidden", "rate"])(
    "`%s` ends it with that reason",
    async (code) => {
      const call = client.call("bob", ["a"]);
      refuse("call", code);
      await settle();
      expect([call.state, call.endReason, client.currentCall]).toEqual(["ended", code, null]);
      expect(devices.opened.every((track) => track.readyState === "ended")).toBe(true);
    },
  );

  test.each(["declined", "timeout", "busy", "offline"])(
    "an end with `%s` before the answer is the reason",
    (why) => {
      const call = client.call("bob", ["a"]);
      say({ t: "end", call: call.id, d: { why } });
      expect([call.state, call.endReason]).toEqual(["ended", why]);
    },
  );

  test("a second click on the same person is the same call; another person is refused", () => {
    const call = client.call("bob", ["a"]);
    expect(client.call("bob", ["a", "v"])).toBe(call);
    expect(() => client.call("cy", ["a"])).toThrow(expect.objectContaining({ code: "conflict" }) as Error);
    expect(server.now.said("call")).toHaveLength(1);
  });

  test("hanging up before the answer cancels; if they answered in that moment it ends", async () => {
    const call = client.call("bob", ["a"]);
    call.hangup();
    expect([call.state, call.endReason]).toEqual(["ended", "cancelled"]);
    refuse("cancel", "conflict");
    await settle();
    expect(server.now.last("end")).toMatchObject({ call: call.id, d: { why: "hangup" } });
  });
});

describe("being called", () => {
  let call: Call;
  beforeEach(() => {
    client.on("incoming", (incoming) => (call = incoming));
    ring();
  });

  test("rings without being asked for camera or address", async () => {
    await settle();
    expect([call.state, call.direction, call.peer.n, client.currentCall]).toEqual([
      "incoming",
      "in",
      "Bob",
      null,
    ]);
    expect(server.now.last("rung").call).toBe(TOKEN);
    expect(devices.asked).toEqual([]);
    expect(FakeRtc.made).toEqual([]);
  });

  test("accepting opens what was accepted and answers the offer, never offers", async () => {
    void call.accept(["a"]);
    expect([call.state, client.currentCall]).toEqual(["connecting", call]);
    answer("accept");
    up(TOKEN, true);
    say({ t: "desc", call: TOKEN, d: { pc: "p2p", g: 1, n: 1, sdp: { type: "offer", sdp: "theirs" } } });
    await settle();
    expect(devices.asked).toEqual([{ audio: true, video: false }]);
    expect(server.now.said("desc").map((envelope) => (envelope.d?.sdp as { type: string }).type)).toEqual([
      "answer",
    ]);
  });

  test("accepted elsewhere meanwhile: gone, and the camera is released", async () => {
    void call.accept(["a", "v"]);
    refuse("accept", "gone");
    await settle();
    expect([call.state, call.endReason]).toEqual(["ended", "gone"]);
    expect(devices.opened.every((track) => track.readyState === "ended")).toBe(true);
  });

  test("declining says so", () => {
    call.decline();
    expect(server.now.last("decline")).toMatchObject({ call: TOKEN, d: {} });
    expect([call.state, call.endReason]).toEqual(["ended", "declined"]);
  });

  test.each(["elsewhere", "cancelled", "timeout"])("stops ringing with `%s`", (why) => {
    say({ t: "stop", call: TOKEN, d: { why } });
    expect([call.state, call.endReason]).toEqual(["ended", why]);
  });

  test("stops ringing by itself when the time is over and no server says so", async () => {
    await vi.advanceTimersByTimeAsync(45_000);
    expect([call.state, call.endReason]).toEqual(["ended", "timeout"]);
  });

  test("an `up` that nobody here asked for opens no microphone: it is ended", async () => {
    up(TOKEN, true);
    up("01JB0000000000000000000009", true);
    await settle();
    expect(devices.asked).toEqual([]);
    expect(server.now.said("end").map((envelope) => envelope.call)).toEqual([
      TOKEN,
      "01JB0000000000000000000009",
    ]);
  });
});

describe("calling each other at the same moment", () => {
  test("the other call goes on with our camera; ours ends as merged", async () => {
    const current: (Call | null)[] = [];
    client.on("call", (call) => current.push(call));
    const ours = client.call("bob", ["a", "v"]);
    await settle();
    ring();
    say({ t: "end", call: ours.id, d: { why: "merged", into: TOKEN } });
    up(TOKEN, true);
    await settle();
    const theirs = client.currentCall as Call;
    expect([ours.state, ours.endReason]).toEqual(["ended", "merged"]);
    expect([theirs.id, theirs.direction, theirs.state]).toEqual([TOKEN, "in", "connecting"]);
    expect(theirs.localStream).toBe(ours.localStream);
    expect(theirs.localStream.getTracks().every((track) => track.readyState === "live")).toBe(true);
    expect(devices.asked).toHaveLength(1);
    expect(current).toEqual([ours, theirs]);
    theirs.setMuted(true);
    theirs.hangup();
    expect(devices.opened.every((track) => track.readyState === "ended")).toBe(true);
  });

  test("a `rung` that came too late and is refused ends nothing", async () => {
    const ours = client.call("bob", ["a"]);
    ring();
    say({ t: "end", call: ours.id, d: { why: "merged", into: TOKEN } });
    up(TOKEN, true);
    say({ t: "err", call: TOKEN, d: { code: "forbidden", msg: "no party" } });
    await settle();
    expect(client.currentCall?.state).toBe("connecting");
  });
});

describe("a call that is up", () => {
  let call: Call;
  beforeEach(async () => {
    call = client.call("bob", ["a", "v"]);
    answer("call", { exp: 1 });
    up(call.id, false);
    await settle();
    FakeRtc.last.turn("connected");
  });

  const mute = () => server.now.said("info").map((envelope) => envelope.d);

  test("tells what it sends when that changes, and shows what the other side says", async () => {
    expect(mute()).toEqual([]);
    call.setMuted(true);
    await settle();
    await call.setCameraOff(true);
    await settle();
    expect(mute()).toEqual([
      { k: "mute", audio: false, video: true },
      { k: "mute", audio: false, video: false },
    ]);
    say({ t: "info", call: call.id, d: { k: "mute", audio: true, video: false } });
    expect(call.remoteMuted).toEqual({ audio: false, video: true });
  });

  test("many changes of one moment are one event", async () => {
    const changed = vi.fn();
    call.on("change", changed);
    call.setMuted(true);
    call.setMuted(false);
    call.setMuted(true);
    await settle();
    expect(changed).toHaveBeenCalledTimes(1);
  });

  test("lost signaling alone leaves it connected", async () => {
    server.answer = () => new Error("no") as never;
    server.now.end();
    await settle();
    expect([client.state, call.state]).toEqual(["reconnecting", "connected"]);
  });

  test("a lost connection reads as reconnecting, and ends it after 18 s", async () => {
    FakeRtc.last.turn("disconnected");
    expect(call.state).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(18_000);
    expect([call.state, call.endReason]).toEqual(["ended", "ice_lost"]);
    expect(server.now.last("end").d).toEqual({ why: "ice_lost" });
  });

  test("a limit renegotiates, and stands in the copy that is sent", async () => {
    const before = server.now.said("desc").length;
    say({ t: "desc", call: call.id, d: { pc: "p2p", g: 1, n: 1, sdp: { type: "answer", sdp: "fine" } } });
    await settle();
    call.setLimits({ video: 200 });
    await settle();
    expect(call.limits).toEqual({ audio: null, video: 200 });
    expect(server.now.said("desc")).toHaveLength(before + 1);
  });

  test("the other side hangs up: everything is released", () => {
    const pc = FakeRtc.last;
    say({ t: "end", call: call.id, d: { why: "hangup" } });
    expect([call.state, call.endReason, call.pc]).toEqual(["ended", "hangup", null]);
    expect(pc.isClosed).toBe(true);
    expect(globalThis.__peerline?.peerConnections).not.toContain(pc);
    expect(rememberedCall()).toBeNull();
  });

  test("hostile bodies from the other page change nothing", async () => {
    for (const t of ["desc", "cand", "renego", "restart", "info"]) {
      for (const d of [{}, { pc: 7 }, { pc: "p2p", g: "x", sdp: null }, { k: "mute", audio: {} }, { k: 7 }]) {
        say({ t, call: call.id, d: d as Record<string, unknown> });
      }
    }
    say({ t: "cand", call: call.id, d: { pc: "p2p", g: 99, c: [] } });
    say({ t: "desc", call: "another", d: { pc: "p2p", g: 1, n: 1, sdp: { type: "offer", sdp: "x" } } });
    await settle();
    expect(call.state).toBe("connected");
    expect(FakeRtc.made).toHaveLength(1);
  });

  test("an offer of a higher generation replaces the connection, a lower one is dropped", async () => {
    const offer = (g: number) => ({ pc: "p2p", g, n: 1, sdp: { type: "offer", sdp: "x" } });
    say({ t: "desc", call: call.id, d: offer(0) });
    await settle();
    expect(FakeRtc.made).toHaveLength(1);
    say({ t: "desc", call: call.id, d: offer(5) });
    await settle();
    expect(FakeRtc.made).toHaveLength(2);
    expect(FakeRtc.made[0]?.isClosed).toBe(true);
    expect(server.now.last("desc").d).toMatchObject({ g: 5, n: 1, sdp: { type: "answer" } });
    expect(call.state).toBe("reconnecting");
  });

  test("in a new session it is told, and restarted once the other side is there", async () => {
    await newSession();
    expect(server.now.last("sync").d).toEqual({
      calls: [{ call: call.id, peer: "bob", role: "caller", live: true, media: ["a", "v"] }],
    });
    answer("sync", { calls: { [call.id]: "ok" } });
    up(call.id, false, { again: true });
    await settle();
    expect((server.now.last("desc").d?.sdp as { sdp: string }).sdp).toContain("restart");
    expect(FakeRtc.made).toHaveLength(1);
    expect(mute()).toEqual([{ k: "mute", audio: true, video: true }]);
    expect(call.state).toBe("connected");
  });

  test("begins anew when the other side lost its connection", async () => {
    up(call.id, false, { again: true, fresh: true });
    await settle();
    expect(FakeRtc.made).toHaveLength(2);
    expect(server.now.last("desc").d).toMatchObject({ g: 2, n: 1 });
  });

  test("is over when the server says that it is gone", async () => {
    await newSession();
    answer("sync", { calls: { [call.id]: "gone" } });
    await settle();
    expect([call.state, call.endReason]).toEqual(["ended", "lost"]);
  });

  test("signing out says bye and ends it", () => {
    client.close();
    expect(server.now.hasLeft).toBe(true);
    expect([call.state, client.state, client.people.size]).toEqual(["ended", "closed", 0]);
  });

  test("replaced by another tab it ends here", () => {
    const states: unknown[] = [];
    client.on("state", (...args) => states.push(args));
    server.now.say({ t: "bye", d: { why: "replaced", act: "stop" } });
    expect(states).toEqual([["closed", "replaced"]]);
    expect(call.state).toBe("ended");
  });
});

describe("new sessions while it rings", () => {
  test("an outgoing call that the server forgot is asked for again with the same token", async () => {
    const call = client.call("bob", ["a"]);
    answer("call", { exp: 1 });
    await settle();
    await newSession();
    expect(server.now.said("call").map((envelope) => envelope.call)).toEqual([call.id]);
    expect(call.state).toBe("calling");
  });

  test("an incoming call that does not ring again is over; one that does goes on", async () => {
    const calls: Call[] = [];
    client.on("incoming", (call) => calls.push(call));
    const other = "01JB0000000000000000000001";
    ring();
    ring(other);
    await newSession();
    ring(other);
    answer("watch", { people: [] });
    expect(calls.map((call) => call.state)).toEqual(["ended", "incoming"]);
  });
});

describe("after a crash of the page", () => {
  const known = { call: TOKEN, me: "ann", peer: bob, role: "callee" as const, media: ["a" as const] };

  test("the call that was remembered is taken up again, with a new connection", async () => {
    rememberCall(known);
    await signIn();
    const call = client.currentCall as Call;
    expect([call.id, call.direction, call.state, call.peer.n]).toEqual([TOKEN, "in", "reconnecting", "Bob"]);
    expect(server.now.last("sync").d).toEqual({
      calls: [{ call: TOKEN, peer: "bob", role: "callee", live: false, media: ["a"] }],
    });
    answer("sync", { calls: { [TOKEN]: "ok" } });
    up(TOKEN, true, { again: true, fresh: true });
    say({ t: "desc", call: TOKEN, d: { pc: "p2p", g: 7, n: 1, sdp: { type: "offer", sdp: "x" } } });
    await settle();
    expect(server.now.last("desc").d).toMatchObject({ g: 7, sdp: { type: "answer" } });
    FakeRtc.last.turn("connected");
    expect(call.state).toBe("connected");
  });

  test("as the offerer it takes a generation that nobody can have used", async () => {
    rememberCall({ ...known, role: "caller" });
    await signIn();
    up(TOKEN, false, { again: true, fresh: true });
    await settle();
    expect(server.now.last("desc").d?.g).toBeGreaterThan(1_600_000_000);
  });

  test("somebody else's call is forgotten", async () => {
    rememberCall({ ...known, me: "cy" });
    await signIn();
    expect(client.currentCall).toBeNull();
    expect(rememberedCall()).toBeNull();
    expect(sentTypes()).not.toContain("sync");
  });

  test("nonsense in the storage is no call", async () => {
    for (const text of ["", "{", "null", "[]", '{"call":1}', JSON.stringify({ ...known, peer: {} })]) {
      sessionStorage.setItem("peerline.call", text);
      await signIn();
      expect(client.currentCall).toBeNull();
    }
  });
});

test.each([
  ["https://example.org", "https://example.org/signal"],
  ["https://example.org/calls", "https://example.org/calls/signal"],
  ["https://example.org/calls/", "https://example.org/calls/signal"],
])("mounted at %s the server's door is %s", (url, door) => {
  expect(new URL("signal", baseOf(url)).href).toBe(door);
});

test("a page below a prefix finds the server below the same prefix", () => {
  vi.stubGlobal("document", { baseURI: "https://example.org/calls/index.html?lang=zh#x" });
  expect(baseOf().href).toBe("https://example.org/calls/");
});

test("types that it does not know are ignored", async () => {
  say({ t: "hologram", d: {} });
  await settle();
  expect(client.state).toBe("connected");
});
