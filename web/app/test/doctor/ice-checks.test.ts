// STUN, NAT and relay, by the candidates and errors that a browser shows.

import { afterEach, describe, expect, it, vi } from "vitest";
import { words } from "../../src/doctor/check";
import { isSymmetric, nat } from "../../src/doctor/checks/nat";
import { relay } from "../../src/doctor/checks/relay";
import { ANSWER_MS, stun } from "../../src/doctor/checks/stun";
import { relayOnly } from "../../src/doctor/checks/relay-only";
import { explain } from "../../src/doctor/ice-error";
import { portOf, relayTransport } from "../../src/doctor/ice-url";
import { examined, patient } from "./patients";
import type { Script } from "./fake-connection";

const STUN = "stun:calls.example.org:3478";
const TURN = "turn:calls.example.org:3478?transport=udp";
const TCP = "turn:calls.example.org?transport=tcp";
const TLS = "turns:calls.example.org:443?transport=tcp";

const srflx = (port: number, relatedPort = 5000) =>
  ({ type: "srflx", address: "198.51.100.7", port, relatedAddress: "10.1.0.2", relatedPort }) as const;
const relayed = { type: "relay", address: "203.0.113.1", port: 50_000 } as const;
const error = (errorCode: number, url = TURN) => ({ errorCode, errorText: "words", url });

afterEach(() => void vi.useRealTimers());

describe("URLs", () => {
  it("say how a relay is spoken to", () => {
    expect([STUN, TURN, "turn:a", TCP, TLS, "turns:a"].map(relayTransport)).toEqual([
      null,
      "udp",
      "udp",
      "tcp",
      "tls",
      "tls",
    ]);
  });

  it("have a port, written or not", () => {
    expect([STUN, TCP, TLS, "turns:a", "stun:[2001:db8::1]:99"].map(portOf)).toEqual([
      3478, 3478, 443, 5349, 99,
    ]);
  });
});

describe("STUN", () => {
  it("answers where a candidate comes of it, or nothing and no error", async () => {
    const { one, made } = patient({ [STUN]: { candidates: [srflx(61_234)] }, "stun:b": {} });
    const row = await examined(stun, one);
    expect(row.outcome).toEqual({ state: "ok", summary: words("doctor.stun.ok", { count: 2 }) });
    expect(one.facts.mapped).toEqual([{ address: "198.51.100.7", port: 61_234, isTranslated: true }]);
    expect(made.every(({ isClosed }) => isClosed)).toBe(true);
  });

  it("that is silent is named with the port to open", async () => {
    const { one } = patient({ [STUN]: { errors: [error(701, STUN)] } });
    const row = await examined(stun, one);
    expect(row.state).toBe("failed");
    expect(row.outcome?.fix).toEqual(words("doctor.fix.udpPort", { port: 3478 }));
    expect(one.facts.isStunSilent).toBe(true);
  });

  it("is silent, too, where the browser only goes on asking", async () => {
    vi.useFakeTimers();
    const { one, made } = patient({
      [STUN]: { hangs: true },
      "stun:b": { candidates: [srflx(1)], hangs: true },
    });
    const running = examined(stun, one);
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect((await running).outcome?.summary).toEqual(words("doctor.stun.silent", { count: 1, all: 2 }));
    expect(one.facts.isStunSilent).toBe(false);
    expect(made.every(({ isClosed }) => isClosed)).toBe(true);
  });

  it("is not missed where there is a relay alone", async () => {
    expect((await examined(stun, patient({ [TURN]: {} }).one)).state).toBe("unknown");
  });
});

describe("the NAT", () => {
  it("is symmetric where one port is seen as several", () => {
    expect(isSymmetric([srflx(1), srflx(2)])).toBe(true);
    expect(isSymmetric([srflx(1), srflx(1)])).toBe(false);
    expect(isSymmetric([srflx(1, 5000), srflx(2, 5001)])).toBe(false);
  });

  it("is compared, too, where the browser hides its local port, for it uses but one", () => {
    expect(isSymmetric([srflx(1, 0), srflx(2, 0)])).toBe(true);
    expect(isSymmetric([srflx(1, 0), srflx(1, 0)])).toBe(false);
  });

  it.each<[string, Script, string, string | null]>([
    ["symmetric", { candidates: [srflx(1), srflx(2)] }, "ok", "symmetric"],
    ["a cone", { candidates: [srflx(1)] }, "ok", "cone"],
    ["none", {}, "ok", "none"],
    ["unknown", { errors: [error(701, STUN)] }, "unknown", null],
  ])("is %s by what two servers see", async (_name, script, state, found) => {
    const { one } = patient({ [STUN]: script, "stun:b": {} });
    expect((await examined(nat, one)).state).toBe(state);
    expect(one.facts.nat).toBe(found);
  });

  it("stays unknown where one of two servers is silent", async () => {
    vi.useFakeTimers();
    const { one } = patient({ [STUN]: { candidates: [srflx(1)], hangs: true }, "stun:b": {} });
    const running = examined(nat, one);
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect((await running).state).toBe("unknown");
  });

  it("stays unknown by one server", async () => {
    const { one } = patient({ [STUN]: { candidates: [srflx(1)] } });
    expect((await examined(nat, one)).state).toBe("unknown");
    expect(one.facts.nat).toBe("unknown");
  });
});

describe("the relay", () => {
  it.each([
    ["udp", TURN],
    ["tcp", TCP],
    ["tls", TLS],
  ] as const)("over %s is asked by itself, with relay candidates alone", async (transport, url) => {
    const { one, made } = patient({ [TURN]: {}, [TCP]: {}, [TLS]: {}, [url]: { candidates: [relayed] } });
    const row = await examined(relay(transport), one);
    expect(row.state).toBe("ok");
    expect(one.facts.relayed).toEqual({ [transport]: "203.0.113.1" });
    expect(made).toHaveLength(1);
    expect(made[0]!.configuration).toEqual({
      iceServers: [{ urls: [url], username: "u", credential: "c" }],
      iceTransportPolicy: "relay",
    });
  });

  it("stops at the first address, however long the browser goes on", async () => {
    const { one, made } = patient({ [TURN]: { candidates: [relayed], hangs: true } });
    expect((await examined(relay("udp"), one)).state).toBe("ok");
    expect(made[0]!.isClosed).toBe(true);
  });

  it("tells what the server said rather than that a network card led nowhere", async () => {
    const { one } = patient({ [TURN]: { errors: [error(701), error(401), error(701)] } });
    const row = await examined(relay("udp"), one);
    expect(row.outcome?.summary).toEqual(words("doctor.ice.401"));
    expect(row.log.filter(({ key }) => key === "doctor.ice.log")).toHaveLength(3);
  });

  it("that the browser goes on asking cannot be reached", async () => {
    vi.useFakeTimers();
    const running = examined(relay("tcp"), patient({ [TCP]: { hangs: true } }).one);
    await vi.advanceTimersByTimeAsync(12_000);
    expect((await running).outcome?.fix).toEqual(words("doctor.fix.tcpPort", { port: 3478 }));
  });

  it("that gives neither address nor reason has failed all the same", async () => {
    expect((await examined(relay("udp"), patient({ [TURN]: {} }).one)).outcome?.summary).toEqual(
      words("doctor.relay.nothing"),
    );
  });

  it("is missed, with the line that opens it where everything is on one computer", async () => {
    const away = patient({ [STUN]: {} }).one;
    const here = patient({ [STUN]: {} }, "http://localhost:8080/").one;
    for (const one of [away, here]) one.clockAheadMs = 0;
    expect((await examined(relay("udp"), here)).outcome?.fix).toEqual(words("doctor.fix.loopback"));
    expect((await examined(relay("udp"), away)).outcome?.fix).toEqual(words("doctor.fix.turn"));
    expect((await examined(relay("tls"), here)).state).toBe("unknown");
    expect((await examined(relayOnly, here)).state).toBe("unknown");
  });

  it("is not missed where nobody could sign in", async () => {
    expect((await examined(relay("udp"), patient().one)).state).toBe("unknown");
  });
});

describe("the codes of errors", () => {
  it("are explained, with the port that may be closed", () => {
    expect(explain(701, TURN, "udp").fix).toEqual(words("doctor.fix.udpPort", { port: 3478 }));
    expect(explain(701, TCP, "tcp").fix).toEqual(words("doctor.fix.tcpPort", { port: 3478 }));
    expect(explain(401, TURN, "udp").summary.key).toBe("doctor.ice.401");
    expect(explain(600, TURN, "udp").summary).toEqual(words("doctor.ice.other", { code: 600 }));
  });

  it("may mean a certificate over TLS, which a page is never told", () => {
    const outcome = explain(701, TLS, "tls");
    expect([outcome.state, outcome.fix]).toEqual(["warning", words("doctor.fix.turnCert", { port: 443 })]);
  });
});
