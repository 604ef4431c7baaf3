// @vitest-environment happy-dom
// Signaling, clock, secure page and devices, with servers and browsers that are made to fail.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { words } from "../../src/doctor/check";
import { clock } from "../../src/doctor/checks/clock";
import { http } from "../../src/doctor/checks/http";
import { media } from "../../src/doctor/checks/media";
import { secure } from "../../src/doctor/checks/secure";
import { websocket } from "../../src/doctor/checks/websocket";
import { doctorIdentity } from "../../src/doctor/identity";
import { parse } from "../../src/doctor/welcome";
import { examined, patient } from "./patients";

const welcome = (now = Date.now()) =>
  JSON.stringify({
    t: "welcome",
    d: { now, sid: "s", key: "secret", ice: { servers: [{ urls: ["stun:a"] }] } },
  });
const refusal = JSON.stringify({ t: "err", d: { code: "auth", msg: "this server asks for a token" } });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

class FakeSocket {
  static answers: (text: string) => string[] = () => [];
  static opens = true;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(readonly url: URL) {
    setTimeout(() => (FakeSocket.opens ? this.onopen?.() : this.onclose?.({ code: 1006 })));
  }

  send(text: string) {
    for (const data of FakeSocket.answers(text)) setTimeout(() => this.onmessage?.({ data }));
  }

  close() {}
}

describe("signaling over WebSocket", () => {
  beforeEach(() => {
    FakeSocket.opens = true;
    FakeSocket.answers = (text) => {
      const { t, d } = parse(text) as { t: string; d: object };
      if (t === "hello") return [welcome()];
      return t === "ping" ? ['{"t":"pres","d":{}}', JSON.stringify({ t: "pong", d })] : [];
    };
    vi.stubGlobal("WebSocket", FakeSocket);
  });

  it("is well where the server lets us in and answers pings", async () => {
    const { one } = patient();
    const row = await examined(websocket, one);
    expect(row.state).toBe("ok");
    expect(one.iceServers).toEqual([{ urls: ["stun:a"] }]);
    expect(one.facts.roundTrips.map(({ what }) => what)).toEqual(["WebSocket"]);
  });

  it("that cannot be opened is the proxy's fault, most often", async () => {
    FakeSocket.opens = false;
    const row = await examined(websocket, patient().one);
    expect(row.outcome?.fix).toEqual(words("doctor.fix.upgrade"));
  });

  it("that is refused says why, and how to get a token", async () => {
    FakeSocket.answers = () => [refusal];
    const row = await examined(websocket, patient().one);
    expect(row.outcome?.summary.values?.detail).toContain("asks for a token");
    expect(row.outcome?.fix).toEqual(words("doctor.fix.token"));
  });

  it.each(["nonsense", "null", "[]", '{"t":"welcome"}', '{"t":"welcome","d":{"now":"soon"}}'])(
    "with somebody who answers %s is with a stranger",
    async (answer) => {
      FakeSocket.answers = () => [answer];
      const row = await examined(websocket, patient().one);
      expect(row.outcome?.summary).toEqual(words("doctor.signal.stranger"));
    },
  );
});

describe("signaling over HTTP", () => {
  const answers = (stream: () => Promise<Response>, poll = 200) =>
    vi.stubGlobal("fetch", async (url: URL | string, init: RequestInit) => {
      const path = String(url);
      if (path.includes("/events")) return stream();
      if (path.includes("/poll")) return new Response("[]", { status: poll });
      return new Response(init.method === "POST" ? welcome() : null, { status: 200 });
    });

  it("is well where the stream begins with its heartbeat", async () => {
    answers(async () => new Response(":hb\n\n"));
    expect((await examined(http, patient().one)).state).toBe("ok");
  });

  it("polls where something holds the stream back", async () => {
    answers(() => Promise.reject(new TypeError("aborted")));
    const row = await examined(http, patient().one);
    expect([row.state, row.outcome?.fix]).toEqual(["warning", words("doctor.fix.buffering")]);
  });

  it("has failed where not even polls come through", async () => {
    answers(async () => new Response("<html>", { status: 200 }), 502);
    expect((await examined(http, patient().one)).state).toBe("failed");
  });

  it("has failed where nobody is there", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect((await examined(http, patient().one)).outcome?.fix).toEqual(words("doctor.fix.serve"));
  });
});

describe("the clock", () => {
  it.each([
    [null, "unknown"],
    [200, "ok"],
    [-4900, "ok"],
    [6000, "warning"],
    [-3_600_000, "failed"],
  ])("that is %s ms off is %s", async (ahead, state) => {
    const { one } = patient();
    one.clockAheadMs = ahead;
    expect((await examined(clock, one)).state).toBe(state);
  });
});

describe("the page", () => {
  it("is trusted over HTTPS and on this computer, and not else", async () => {
    vi.stubGlobal("isSecureContext", true);
    expect((await examined(secure, patient().one)).outcome?.summary.key).toBe("doctor.secure.https");
    vi.stubGlobal("isSecureContext", false);
    expect((await examined(secure, patient().one)).outcome?.fix).toEqual(words("doctor.fix.lan"));
  });

  const browser = (camera: string, microphone: string, kinds: string[]) =>
    vi.stubGlobal("navigator", {
      mediaDevices: { enumerateDevices: async () => kinds.map((kind) => ({ kind })) },
      permissions: {
        query: async ({ name }: { name: string }) => ({ state: name === "camera" ? camera : microphone }),
      },
    });

  it.each([
    ["granted", "granted", ["videoinput", "audioinput"], "ok", "doctor.media.granted"],
    ["prompt", "prompt", ["videoinput", "audioinput"], "ok", "doctor.media.prompt"],
    ["denied", "granted", ["videoinput", "audioinput"], "failed", "doctor.media.denied"],
    ["granted", "granted", ["videoinput"], "warning", "doctor.media.noMicrophone"],
    ["granted", "granted", ["audioinput"], "warning", "doctor.media.noCamera"],
  ])("with camera %s and microphone %s and %j is %s", async (camera, microphone, kinds, state, key) => {
    browser(camera, microphone, kinds);
    const row = await examined(media, patient().one);
    expect([row.state, row.outcome?.summary.key]).toEqual([state, key]);
  });

  it("in a browser that gives no devices says so", async () => {
    vi.stubGlobal("navigator", {});
    expect((await examined(media, patient().one)).state).toBe("unknown");
  });
});

describe("the doctor's name", () => {
  it("is the same at each visit, and a new one where what was kept is none", () => {
    const first = doctorIdentity();
    expect(doctorIdentity()).toEqual(first);
    expect(first.own).toMatch(/^[0-9a-f]{64}$/);
    for (const broken of ["nonsense", "null", '{"name":1,"own":"short"}']) {
      localStorage.setItem("peerline.doctor", broken);
      expect(doctorIdentity().own).not.toBe(first.own);
    }
  });
});
