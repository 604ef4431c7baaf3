// The WebSocket carriage: hello, refusals, pings, close codes.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Envelope } from "../../src/envelope.js";
import { PeerlineError } from "../../src/error.js";
import { type Carriage, type CarriageEnd, UnreachableError } from "../../src/transports/carriage.js";
import { openWebSocket } from "../../src/transports/websocket.js";
import { welcome } from "../fakes/carriage.js";

class FakeWebSocket {
  static readonly OPEN = 1;
  static last: FakeWebSocket;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: Envelope[] = [];
  frames = 0;
  closed: number | undefined | null = null;

  constructor(
    readonly url: URL,
    readonly protocols: string[],
  ) {
    FakeWebSocket.last = this;
  }
  send(text: string): void {
    this.frames++;
    const frame = JSON.parse(text) as Envelope | Envelope[];
    this.sent.push(...(Array.isArray(frame) ? frame : [frame]));
  }
  close(code?: number): void {
    this.closed = code;
  }
  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(...frame: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(frame.length === 1 ? frame[0] : frame) });
  }
}

const hello = { v: [1], dev: "d" };
const base = new URL("https://example.org/calls/");
let ends: CarriageEnd[];
let heard: Envelope[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  ends = [];
  heard = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function opened(...more: unknown[]): Promise<[Carriage, FakeWebSocket]> {
  const opening = openWebSocket(base, hello);
  FakeWebSocket.last.accept();
  FakeWebSocket.last.say({ t: "welcome", d: welcome() }, ...more);
  const { carriage } = await opening;
  carriage.start({
    received: () => 0,
    receive: (envelope) => heard.push(envelope),
    ended: (end) => ends.push(end),
    turned: () => undefined,
  });
  return [carriage, FakeWebSocket.last];
}

describe("opening", () => {
  test("connects below the base with the sub-protocol and says hello", async () => {
    const [, socket] = await opened();
    expect(socket.url.href).toBe("wss://example.org/calls/signal");
    expect(socket.protocols).toEqual(["peerline.v1.json"]);
    expect(socket.sent).toEqual([{ t: "hello", d: hello }]);
  });

  test("a refusal is the server's error", async () => {
    const opening = openWebSocket(base, hello);
    FakeWebSocket.last.accept();
    FakeWebSocket.last.say({ t: "err", d: { code: "taken", msg: "taken" } });
    await expect(opening).rejects.toBeInstanceOf(PeerlineError);
  });

  test.each([
    ["a closed socket", (socket: FakeWebSocket) => socket.onclose?.({ code: 1006 })],
    ["another protocol", (socket: FakeWebSocket) => socket.say({ hello: "world" })],
    ["binary", (socket: FakeWebSocket) => socket.onmessage?.({ data: new ArrayBuffer(2) })],
    ["no welcome for 4 s", () => vi.advanceTimersByTime(4000)],
  ])("%s means that this transport does not get through", async (_, act) => {
    const opening = openWebSocket(base, hello);
    FakeWebSocket.last.accept();
    act(FakeWebSocket.last);
    await expect(opening).rejects.toBeInstanceOf(UnreachableError);
    expect(FakeWebSocket.last.closed).not.toBeNull();
  });

  test("what came in the same frame as the welcome is not lost", async () => {
    await opened({ t: "missed", s: 1 });
    expect(heard).toEqual([{ t: "missed", s: 1 }]);
  });
});

test("what is said in the same moment goes in one frame", async () => {
  const [carriage, socket] = await opened();
  for (let s = 1; s <= 3; s++) carriage.send({ t: "x", s });
  await Promise.resolve();
  expect(socket.frames).toBe(2);
  expect(socket.sent.slice(1).map((envelope) => envelope.s)).toEqual([1, 2, 3]);
});

test("what was said just before leaving still goes, the bye behind it", async () => {
  const [carriage, socket] = await opened();
  carriage.send({ t: "end", s: 1 });
  carriage.leave();
  expect(socket.sent.map((envelope) => envelope.t)).toEqual(["hello", "end", "bye"]);
  await Promise.resolve();
  expect(socket.sent).toHaveLength(3);
});

describe("alive", () => {
  test("pings with every heartbeat and is content with the pong", async () => {
    const [, socket] = await opened();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.sent.at(-1)?.t).toBe("ping");
    socket.say({ t: "pong", d: {} });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ends).toEqual([]);
  });

  test("without a sign of life within 3 s it is lost", async () => {
    const [carriage, socket] = await opened();
    carriage.probe();
    await vi.advanceTimersByTimeAsync(2999);
    expect(socket.sent.at(-1)?.t).toBe("ping");
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ends).toEqual([{ act: "resume", why: "silent" }]);
    expect(socket.closed).toBeUndefined();
  });

  test("answers the server's ping with the same body", async () => {
    const [, socket] = await opened();
    socket.say({ t: "ping", d: { ts: 5 } });
    await Promise.resolve();
    expect(socket.sent.at(-1)).toEqual({ t: "pong", d: { ts: 5 } });
    expect(heard).toEqual([]);
  });
});

describe("the end", () => {
  test.each([
    [1006, "resume"],
    [1012, "resume"],
    [4409, "resume"],
    [4410, "rejoin"],
    [4440, "stop"],
  ])("close code %i means %s", async (code, act) => {
    const [, socket] = await opened();
    socket.onclose?.({ code });
    expect(ends.map((end) => end.act)).toEqual([act]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends).toHaveLength(1);
  });

  test("leaving says bye and closes; nobody is told", async () => {
    const [carriage, socket] = await opened();
    carriage.leave();
    expect(socket.sent.at(-1)).toEqual({ t: "bye" });
    expect(socket.closed).toBe(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ends).toEqual([]);
  });
});
