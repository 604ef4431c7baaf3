// The HTTP carriage: batches, streams, the turn to long poll, and the ends.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Envelope } from "../../src/envelope.js";
import { type Carriage, type CarriageEnd, UnreachableError } from "../../src/transports/carriage.js";
import { batch } from "../../src/transports/frame.js";
import { openHttp } from "../../src/transports/http.js";
import { welcome } from "../fakes/carriage.js";

interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  signal: AbortSignal | undefined;
  answer(response: Response): void;
  fail(): void;
}

let asked: Asked[];
let heard: Envelope[];
let ends: CarriageEnd[];
let kinds: string[];
let received: number;
const base = new URL("https://example.org/calls/");
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  heard = [];
  ends = [];
  kinds = [];
  received = 0;
  vi.stubGlobal("navigator", undefined);
  vi.stubGlobal("fetch", (url: URL, init: RequestInit = {}) => {
    const signal = init.signal ?? undefined;
    return new Promise<Response>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      asked.push({
        method: init.method ?? "GET",
        path: url.pathname + url.search,
        headers: (init.headers ?? {}) as Record<string, string>,
        body: init.body === undefined ? undefined : JSON.parse(init.body as string),
        signal,
        // As in a browser, an abort also breaks a body that is being read.
        answer: (response) =>
          resolve(
            response.body && signal && response.ok
              ? new Response(response.body.pipeThrough(new TransformStream(), { signal }))
              : response,
          ),
        fail: () => reject(new TypeError("network")),
      });
    });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status });
const to = (part: string) => asked.filter((request) => request.path.includes(part));
const last = (part: string) => to(part).at(-1) as Asked;

/** A stream that the test writes to. */
function stream(): { response: Response; write(text: string): void; end(): void } {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (made) => void (controller = made) });
  const encoder = new TextEncoder();
  return {
    response: new Response(body),
    write: (text) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
  };
}

async function opened(kind: "sse" | "poll" = "sse"): Promise<Carriage> {
  const opening = openHttp(kind, base, { v: [1], dev: "d" });
  last("sessions").answer(json({ t: "welcome", d: welcome({ sid: "S", key: "K" }) }));
  const { carriage } = await opening;
  carriage.start({
    received: () => received,
    receive: (envelope) => {
      heard.push(envelope);
      received = envelope.s ?? received;
    },
    ended: (end) => ends.push(end),
    turned: (turned) => kinds.push(turned),
  });
  await settle();
  return carriage;
}

describe("opening", () => {
  test("posts the hello below the base, without any key", async () => {
    await opened();
    expect(asked[0]).toMatchObject({ method: "POST", path: "/calls/signal/sessions" });
    expect(asked[0]?.body).toEqual({ t: "hello", d: { v: [1], dev: "d" } });
  });

  test("a refusal is the server's error, anything else no server of ours", async () => {
    const refused = openHttp("sse", base, { v: [1], dev: "d" });
    last("sessions").answer(json({ t: "err", d: { code: "auth", msg: "no" } }, 401));
    await expect(refused).rejects.toMatchObject({ code: "auth" });
    const strange = openHttp("sse", base, { v: [1], dev: "d" });
    last("sessions").answer(new Response("<html>", { status: 404 }));
    await expect(strange).rejects.toBeInstanceOf(UnreachableError);
    const dead = openHttp("sse", base, { v: [1], dev: "d" });
    last("sessions").fail();
    await expect(dead).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe("receiving by stream", () => {
  test("asks from where it is, with the key in a header and not in the address", async () => {
    received = 5;
    await opened();
    expect(last("events").path).toBe("/calls/signal/sessions/S/events?rx=5");
    expect(last("events").headers.Authorization).toBe("Bearer K");
    expect(last("events").path).not.toContain("K");
  });

  test("hands over what comes, cut anywhere", async () => {
    await opened();
    const events = stream();
    last("events").answer(events.response);
    events.write(':hb\n\nid: 1\ndata: {"t":"pr');
    await settle();
    events.write('es","s":1}\n\n');
    await settle();
    expect(heard).toEqual([{ t: "pres", s: 1 }]);
  });

  test("a stream that a proxy ends is opened again from there", async () => {
    await opened();
    const events = stream();
    last("events").answer(events.response);
    events.write(':hb\n\ndata: {"t":"pres","s":3}\n\n');
    await settle();
    events.end();
    await settle();
    expect(to("events")).toHaveLength(2);
    expect(last("events").path).toContain("rx=3");
    expect(ends).toEqual([]);
  });

  test("without :hb within 5 s it becomes a long poll, from the same number", async () => {
    const carriage = await opened();
    last("events").answer(stream().response);
    await vi.advanceTimersByTimeAsync(5000);
    expect(carriage.kind).toBe("poll");
    expect(kinds).toEqual(["poll"]);
    expect(last("poll").path).toBe("/calls/signal/sessions/S/poll?rx=0&wait_s=25");
    expect(ends).toEqual([]);
  });

  test("a stream that has worked and falls silent is lost, not buffered", async () => {
    const carriage = await opened();
    const events = stream();
    last("events").answer(events.response);
    events.write(":hb\n\n");
    await vi.advanceTimersByTimeAsync(50_000);
    expect(carriage.kind).toBe("sse");
    expect(ends).toEqual([{ act: "resume", why: "lost" }]);
  });

  test("a probe opens the stream anew and wants a sign of life within 3 s", async () => {
    const carriage = await opened();
    const events = stream();
    last("events").answer(events.response);
    events.write(":hb\n\n");
    await settle();
    carriage.probe();
    await settle();
    expect(to("events")).toHaveLength(2);
    const again = stream();
    last("events").answer(again.response);
    again.write(":hb\n\n");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ends).toEqual([]);
    carriage.probe();
    await vi.advanceTimersByTimeAsync(3000);
    expect(ends).toEqual([{ act: "resume", why: "lost" }]);
  });
});

describe("receiving by poll", () => {
  test("polls again from where it is", async () => {
    await opened("poll");
    last("poll").answer(json([{ t: "pres", s: 1 }, 7, { t: "pres", s: 2 }]));
    await settle();
    expect(heard.map((envelope) => envelope.s)).toEqual([1, 2]);
    expect(last("poll").path).toContain("rx=2");
    last("poll").answer(json([]));
    await settle();
    expect(to("poll")).toHaveLength(3);
    expect(ends).toEqual([]);
  });
});

describe("sending", () => {
  test("what is said at once goes in one request, what follows waits for its answer", async () => {
    const carriage = await opened();
    carriage.send({ t: "a", s: 1 });
    carriage.send({ t: "b", s: 2 });
    await settle();
    carriage.send({ t: "c", s: 3 });
    await settle();
    expect(to("messages").map((request) => request.body)).toEqual([
      [
        { t: "a", s: 1 },
        { t: "b", s: 2 },
      ],
    ]);
    last("messages").answer(json({ a: 2 }));
    await settle();
    expect(last("messages").body).toEqual({ t: "c", s: 3 });
    expect(heard).toEqual([{ t: "ack", a: 2 }]);
  });

  test("when it is too fast it waits and sends the same again", async () => {
    const carriage = await opened();
    last("events").answer(stream().response);
    carriage.send({ t: "a", s: 1 });
    await settle();
    last("messages").answer(json({}, 429));
    await vi.advanceTimersByTimeAsync(999);
    expect(to("messages")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(last("messages").body).toEqual({ t: "a", s: 1 });
    expect(ends).toEqual([]);
  });

  test.each([
    [409, "resume"],
    [500, "resume"],
    [401, "rejoin"],
    [410, "rejoin"],
  ])("status %i means %s", async (status, act) => {
    const carriage = await opened();
    carriage.send({ t: "a", s: 1 });
    await settle();
    last("messages").answer(json({}, status));
    await settle();
    expect(ends.map((end) => end.act)).toEqual([act]);
    expect(last("events").signal?.aborted).toBe(true);
  });

  test("a batch holds at most 64 messages and 65,536 bytes", () => {
    const small = Array.from({ length: 100 }, (_, s) => ({ t: "x", s }));
    expect(batch(small)[1]).toBe(64);
    const big = Array.from({ length: 10 }, (_, s) => ({ t: "x", s, d: { text: "é".repeat(10_000) } }));
    const [body, count] = batch(big);
    expect(count).toBe(3);
    expect(new TextEncoder().encode(body).length).toBeLessThanOrEqual(65_536);
    expect(batch([{ t: "x", d: { text: "x".repeat(70_000) } }])[1]).toBe(1);
  });
});

test("leaving sends the key by beacon, because a beacon can set no header", async () => {
  const carriage = await opened();
  const sendBeacon = vi.fn((_url: URL, _body: string) => true);
  vi.stubGlobal("navigator", { sendBeacon });
  carriage.leave();
  expect(sendBeacon.mock.calls[0]?.[0].pathname).toBe("/calls/signal/sessions/S/bye");
  expect(sendBeacon.mock.calls[0]?.[1]).toBe('{"key":"K"}');
  await settle();
  expect(last("events").signal?.aborted).toBe(true);
  expect(ends).toEqual([]);
});
