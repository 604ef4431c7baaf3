// Perfect negotiation: who offers, who gives way, what is deferred, and that both sides always agree in the end.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Negotiation, type NegotiationOptions } from "../src/negotiation.js";
import type { Cand, Desc } from "../src/protocol.js";
import { StepLog } from "../src/steps.js";
import { FakePeerConnection } from "./fakes/peer-connection.js";
import { below, type Random, seeded } from "./random.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(10_000);

interface Side {
  pc: FakePeerConnection;
  negotiation: Negotiation;
  log: StepLog;
  descs: Desc[];
  cands: Cand[];
  asked: string[];
  failures: unknown[];
  /** Written into each outgoing copy, as limits are. */
  version: number;
  kinds(): string[];
}

function side(isOfferer: boolean, options: Partial<NegotiationOptions> = {}, random?: Random): Side {
  const pc = new FakePeerConnection(isOfferer ? "caller" : "callee", random);
  const log = new StepLog();
  const made: Side = {
    pc,
    log,
    descs: [],
    cands: [],
    asked: [],
    failures: [],
    version: 0,
    kinds: () => log.steps.map((step) => step.kind),
    negotiation: undefined as unknown as Negotiation,
  };
  made.negotiation = new Negotiation({
    pc: pc.asConnection,
    g: 1,
    isOfferer,
    isFollowing: !isOfferer,
    log,
    outgoing: (sdp) => `${sdp} | version ${made.version}`,
    sendDesc: (desc) => made.descs.push(desc),
    sendCand: (cand) => made.cands.push(cand),
    askRestart: ({ why }) => made.asked.push(why),
    prepare: () => Promise.resolve(),
    settled: () => undefined,
    failed: (error) => made.failures.push(error),
    ...options,
  });
  return made;
}

/** Deliver all that was said, back and forth, until nobody says anything more. */
async function exchange(a: Side, b: Side): Promise<void> {
  do {
    await settle();
    for (const desc of a.descs.splice(0)) b.negotiation.receiveDesc(desc);
    for (const desc of b.descs.splice(0)) a.negotiation.receiveDesc(desc);
    await settle();
  } while (a.descs.length + b.descs.length > 0);
}

async function connected(): Promise<[Side, Side]> {
  const [caller, callee] = [side(true), side(false)];
  caller.pc.onnegotiationneeded?.();
  await exchange(caller, callee);
  return [caller, callee];
}

describe("the first negotiation", () => {
  test("goes through the classic steps in order on both sides", async () => {
    const [caller, callee] = await connected();
    expect(caller.kinds()).toEqual([
      "negotiationneeded",
      "createOffer",
      "setLocalDescription",
      "offerSent",
      "answerReceived",
      "setRemoteDescription",
    ]);
    expect(callee.kinds()).toEqual([
      "offerReceived",
      "setRemoteDescription",
      "createAnswer",
      "setLocalDescription",
      "answerSent",
    ]);
    expect([caller.pc.signalingState, callee.pc.signalingState]).toEqual(["stable", "stable"]);
  });

  test("numbers the offer with 1, and the answer like its offer", async () => {
    const [caller, callee] = [side(true), side(false)];
    caller.negotiation.negotiate();
    await settle();
    expect(caller.descs[0]).toMatchObject({ pc: "p2p", g: 1, n: 1, sdp: { type: "offer" } });
    callee.negotiation.receiveDesc(caller.descs[0] as Desc);
    await settle();
    expect(callee.descs[0]).toMatchObject({ pc: "p2p", g: 1, n: 1, sdp: { type: "answer" } });
  });

  test("the callee never makes the first offer; what it wants follows the first answer", async () => {
    const [caller, callee] = [side(true), side(false)];
    callee.negotiation.negotiate();
    await settle();
    expect(callee.descs).toEqual([]);
    caller.negotiation.negotiate();
    await exchange(caller, callee);
    expect(callee.pc.history).toEqual(["remote offer", "local answer", "local offer", "remote answer"]);
  });

  test("the answer waits for camera and microphone, once", async () => {
    let ready: () => void = () => undefined;
    const prepare = vi.fn(() => new Promise<void>((resolve) => (ready = resolve)));
    const [caller, callee] = [side(true), side(false, { prepare })];
    caller.negotiation.negotiate();
    await exchange(caller, callee);
    expect(callee.pc.signalingState).toBe("have-remote-offer");
    ready();
    await exchange(caller, callee);
    caller.negotiation.negotiate();
    await exchange(caller, callee);
    expect(caller.pc.signalingState).toBe("stable");
    expect(prepare).toHaveBeenCalledTimes(1);
  });

  test("the copy that is sent is edited, the local description is not", async () => {
    const caller = side(true);
    caller.version = 7;
    caller.negotiation.negotiate();
    await settle();
    expect(caller.descs[0]?.sdp.sdp).toMatch(/version 7$/);
    expect(caller.pc.localDescription?.sdp).not.toContain("version");
  });
});

describe("candidates", () => {
  const candidate = (name: string) => ({
    candidate: `candidate:${name} 1 udp 1 10.0.0.1 5 typ host`,
    sdpMid: "0",
    sdpMLineIndex: 0,
    usernameFragment: "u",
  });
  const found = (name: string) => ({ candidate: { ...candidate(name), toJSON: () => candidate(name) } });
  const cand = (...names: string[]): Cand => ({ pc: "p2p", g: 1, c: names.map(candidate) });

  test("the first go out at once, later ones within 50 ms as one, the end when gathering is complete", async () => {
    const caller = side(true);
    caller.pc.onicecandidate?.(found("a"));
    caller.pc.onicecandidate?.(found("b"));
    expect(caller.cands).toEqual([]);
    await vi.advanceTimersByTimeAsync(5);
    expect(caller.cands).toEqual([cand("a", "b")]);
    caller.pc.onicecandidate?.(found("c"));
    await vi.advanceTimersByTimeAsync(49);
    caller.pc.onicecandidate?.(found("d"));
    expect(caller.cands).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(caller.cands[1]).toEqual(cand("c", "d"));
    caller.pc.onicecandidate?.(found("e"));
    caller.pc.onicecandidate?.({ candidate: null });
    expect(caller.cands[2]).toEqual({ ...cand("e"), end: true });
    await settle();
    expect(caller.cands).toHaveLength(3);
  });

  test("the first answer takes the first candidate along, in a message behind it", async () => {
    const said: string[] = [];
    const callee = side(false, {
      sendDesc: () => said.push("answer"),
      sendCand: ({ c, end }) => said.push(`${c.length}${end ? " end" : ""}`),
    });
    callee.negotiation.receiveDesc({ pc: "p2p", g: 1, n: 1, sdp: { type: "offer", sdp: "x" } });
    await vi.advanceTimersByTimeAsync(2);
    expect(callee.kinds().at(-1)).toBe("setLocalDescription");
    callee.pc.onicecandidate?.(found("a"));
    await vi.advanceTimersByTimeAsync(2);
    expect(said).toEqual(["answer", "1"]);
    callee.pc.onicecandidate?.(found("b"));
    callee.pc.onicecandidate?.({ candidate: null });
    expect(said).toEqual(["answer", "1", "1 end"]);
  });

  test("an answer does not wait long for a candidate, a later one not at all", async () => {
    const callee = side(false);
    const offer = (n: number): Desc => ({ pc: "p2p", g: 1, n, sdp: { type: "offer", sdp: "x" } });
    callee.negotiation.receiveDesc(offer(1));
    await vi.advanceTimersByTimeAsync(25);
    expect(callee.descs).toHaveLength(1);
    callee.negotiation.receiveDesc(offer(2));
    await vi.advanceTimersByTimeAsync(5);
    expect(callee.descs).toHaveLength(2);
    expect(callee.cands).toEqual([]);
  });

  test("that come before their description wait for it, in order", async () => {
    const [caller, callee] = [side(true), side(false)];
    callee.negotiation.receiveCand(cand("a"));
    callee.negotiation.receiveCand(cand("b"));
    await settle();
    expect(callee.pc.candidates).toEqual([]);
    caller.negotiation.negotiate();
    await exchange(caller, callee);
    expect(callee.pc.candidates).toEqual([candidate("a").candidate, candidate("b").candidate]);
  });

  test("that a browser does not take harm nothing", async () => {
    const [caller, callee] = await connected();
    vi.spyOn(console, "debug").mockImplementation(() => undefined);
    vi.spyOn(callee.pc, "addIceCandidate").mockRejectedValue(new Error("unknown ufrag"));
    callee.negotiation.receiveCand(cand("x"));
    caller.negotiation.negotiate();
    await exchange(caller, callee);
    expect(callee.failures).toEqual([]);
    expect(callee.pc.history.filter((step) => step === "remote offer")).toHaveLength(2);
  });
});

describe("collisions", () => {
  test("the impolite side ignores the other's offer, the polite one gives way and offers again", async () => {
    const [caller, callee] = await connected();
    caller.version = callee.version = 1;
    caller.negotiation.negotiate();
    callee.negotiation.negotiate();
    await exchange(caller, callee);
    expect([caller.pc.rollbacks, callee.pc.rollbacks]).toEqual([0, 1]);
    expect(callee.kinds()).toContain("rollback");
    expect(caller.pc.remoteDescription?.sdp).toMatch(/version 1$/);
    expect(callee.pc.remoteDescription?.sdp).toMatch(/version 1$/);
  });

  test("an answer to another offer than the pending one is dropped", async () => {
    const [caller] = await connected();
    caller.negotiation.negotiate();
    await settle();
    caller.negotiation.receiveDesc({ pc: "p2p", g: 1, n: 1, sdp: { type: "answer", sdp: "stale" } });
    await settle();
    expect(caller.pc.signalingState).toBe("have-local-offer");
    caller.negotiation.receiveDesc({ pc: "p2p", g: 1, n: 2, sdp: { type: "answer", sdp: "right" } });
    await settle();
    expect(caller.pc.remoteDescription?.sdp).toBe("right");
  });

  test("an answer to nothing is dropped", async () => {
    const [caller] = await connected();
    const before = caller.pc.remoteDescription;
    caller.negotiation.receiveDesc({ pc: "p2p", g: 1, n: 1, sdp: { type: "answer", sdp: "again" } });
    await settle();
    expect(caller.pc.remoteDescription).toBe(before);
    expect(caller.failures).toEqual([]);
  });
});

describe("ICE restarts", () => {
  test("are made by the offerer and asked for by the other side", async () => {
    const [caller, callee] = await connected();
    callee.negotiation.restart("net");
    expect(callee.asked).toEqual(["net"]);
    caller.negotiation.restart("lost");
    await settle();
    expect(caller.descs[0]?.sdp.sdp).toContain("restart");
  });

  test("are deferred while a negotiation is under way, never skipped", async () => {
    const [caller, callee] = await connected();
    caller.negotiation.negotiate();
    await settle();
    caller.negotiation.restart("net");
    await settle();
    expect(caller.descs).toHaveLength(1);
    await exchange(caller, callee);
    expect(callee.pc.remoteDescription?.sdp).toContain("restart");
    expect(caller.kinds().filter((kind) => kind === "iceRestart")).toHaveLength(1);
  });

  test("after a lost session do not wait for an answer that will never come", async () => {
    const [caller, callee] = await connected();
    caller.negotiation.negotiate();
    await settle();
    caller.descs.length = 0;
    caller.negotiation.restartAnew();
    await exchange(caller, callee);
    expect(callee.pc.remoteDescription?.sdp).toContain("restart");
    expect(caller.pc.signalingState).toBe("stable");
  });

  test("the polite side whose offer was lost takes the restart all the same", async () => {
    const [caller, callee] = await connected();
    callee.negotiation.negotiate();
    await settle();
    callee.descs.length = 0;
    caller.negotiation.restartAnew();
    await exchange(caller, callee);
    expect([caller.pc.signalingState, callee.pc.signalingState]).toEqual(["stable", "stable"]);
    expect(callee.pc.rollbacks).toBe(1);
  });
});

test("a description that cannot be used is reported, and the next one is taken", async () => {
  const [caller, callee] = [side(true), side(false)];
  vi.spyOn(callee.pc, "setRemoteDescription").mockRejectedValueOnce(new Error("no SDP"));
  callee.negotiation.receiveDesc({ pc: "p2p", g: 1, n: 1, sdp: { type: "offer", sdp: "nonsense" } });
  await settle();
  expect(callee.failures).toHaveLength(1);
  caller.negotiation.negotiate();
  await exchange(caller, callee);
  expect(callee.pc.signalingState).toBe("stable");
});

test("after closing nothing is done or said", async () => {
  const [caller] = await connected();
  caller.negotiation.negotiate();
  caller.negotiation.close();
  await settle();
  expect(caller.descs).toEqual([]);
  expect(caller.failures).toEqual([]);
  expect(caller.pc.isClosed).toBe(true);
});

describe("whatever the two do, and whenever", () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed))("they agree in the end (%i)", async (seed) => {
    const random = seeded(seed);
    const [caller, callee] = [side(true, {}, random), side(false, {}, random)];
    const sides = [caller, callee] as const;
    caller.negotiation.negotiate();
    for (let i = 0; i < 60; i++) {
      const one = sides[below(random, 2)] as Side;
      const other = one === caller ? callee : caller;
      const dice = random();
      if (dice < 0.35) {
        one.version++;
        one.negotiation.negotiate();
      } else if (dice < 0.45) {
        one.negotiation.restart("lost");
        if (one.asked.pop()) other.negotiation.restart("lost");
      } else {
        const desc = one.descs.shift();
        if (desc) other.negotiation.receiveDesc(desc);
      }
      await vi.advanceTimersByTimeAsync(below(random, 12));
    }
    await exchange(caller, callee);
    expect([...caller.failures, ...callee.failures]).toEqual([]);
    expect([caller.pc.signalingState, callee.pc.signalingState]).toEqual(["stable", "stable"]);
    expect(caller.pc.remoteDescription?.sdp).toMatch(new RegExp(`version ${callee.version}$`));
    expect(callee.pc.remoteDescription?.sdp).toMatch(new RegExp(`version ${caller.version}$`));
    expect(caller.pc.rollbacks).toBe(0);
  });
});
