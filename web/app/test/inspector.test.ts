// The diagram: the order of the steps, where they stand, what they contain.

import type { Step } from "@peerline/sdk";
import { describe, expect, it } from "vitest";
import { drawingOf, familyOf, laneCentre, passes, stepTime } from "../src/parts/inspector/layout";
import { inOrder } from "../src/parts/inspector/order";
import { payloadLines, payloadText } from "../src/parts/inspector/payload";
import { classicCall } from "./preview/classic-call";

const step = (n: number, at: number, side: Step["side"]): Step => ({
  n,
  at,
  side,
  kind: "call",
  from: "me",
  to: "server",
});

describe("the order of the steps", () => {
  it("is by time over both sides", () => {
    const steps = [step(1, 10, "local"), step(2, 30, "local"), step(3, 20, "remote")];
    expect(inOrder(steps).map((one) => one.n)).toEqual([1, 3, 2]);
  });

  it("never turns round what one side did, even if its clock was set anew meanwhile", () => {
    const steps = [step(1, 40, "remote"), step(2, 20, "remote"), step(3, 30, "local"), step(4, 50, "local")];
    const order = inOrder(steps);
    expect(order.filter((one) => one.side === "remote").map((one) => one.n)).toEqual([1, 2]);
    expect(order.filter((one) => one.side === "local").map((one) => one.n)).toEqual([3, 4]);
    expect(order).toHaveLength(4);
  });

  it("never lets something arrive before it left", () => {
    const steps = [
      { ...step(1, 10, "remote"), kind: "offerReceived" as const },
      { ...step(2, 12, "local"), kind: "createOffer" as const },
      { ...step(3, 14, "local"), kind: "offerSent" as const },
      { ...step(4, 15, "remote"), kind: "setRemoteDescription" as const },
      { ...step(5, 90, "local"), kind: "offerSent" as const },
    ];
    expect(inOrder(steps).map((one) => one.n)).toEqual([2, 3, 1, 4, 5]);
  });

  it("does not wait for a departure that was never told", () => {
    const steps = [
      { ...step(1, 10, "remote"), kind: "offerReceived" as const },
      { ...step(2, 5000, "local"), kind: "offerSent" as const },
    ];
    expect(inOrder(steps).map((one) => one.n)).toEqual([1, 2]);
  });
});

const drawn = (side: Step["side"], from: Step["from"], to: Step["to"]) =>
  drawingOf({ kind: "call", side, from, to });

describe("the place of a step", () => {
  it("is a label on the lifeline of who did it inside", () => {
    expect(drawn("local", "me", "me")).toEqual({ shape: "label", lane: 0 });
    expect(drawn("remote", "peer", "peer")).toEqual({ shape: "label", lane: 2 });
  });

  it("is an arrow from the sender's lifeline to the receiver's", () => {
    expect(drawn("local", "me", "server")).toEqual({ shape: "arrow", left: 0, right: 1, points: "right" });
    expect(drawn("remote", "peer", "server")).toEqual({ shape: "arrow", left: 1, right: 2, points: "left" });
  });

  it("leads through the server for what the two pages send each other", () => {
    expect(drawn("local", "me", "peer")).toEqual({ shape: "arrow", left: 0, right: 1, points: "right" });
    expect(drawn("remote", "me", "peer")).toEqual({ shape: "arrow", left: 1, right: 2, points: "right" });
    expect(drawn("remote", "peer", "me")).toEqual({ shape: "arrow", left: 1, right: 2, points: "left" });
    expect(drawn("local", "peer", "me")).toEqual({ shape: "arrow", left: 0, right: 1, points: "left" });
  });

  it("passes the server by once the two are connected", () => {
    expect(drawingOf({ kind: "connected", side: "local", from: "me", to: "me" })).toEqual({
      shape: "arrow",
      left: 0,
      right: 2,
      points: "both",
    });
  });

  it("leaves the lifelines in the middle of three equal lanes", () => {
    expect([0, 1, 2].map(laneCentre).map(Math.round)).toEqual([17, 50, 83]);
  });

  it("is found for a step of a newer page, too", () => {
    expect(familyOf("somethingNew")).toBe("state");
    expect(familyOf("toString")).toBe("state");
    expect(familyOf("createOffer")).toBe("description");
  });
});

describe("the time of a step", () => {
  it("is in seconds to the millisecond, before the call's beginning too", () => {
    expect(stepTime(2231.4)).toBe("2.231");
    expect(stepTime(-4)).toBe("-0.004");
  });
});

describe("the filter", () => {
  it("hides candidates of a kind and nothing else", () => {
    const shown = classicCall().filter((one) => passes(one, new Set(["local", "relayed"] as const)));
    expect(shown.some((one) => one.candidate?.label === "public")).toBe(true);
    expect(shown.some((one) => one.candidate?.label === "local")).toBe(false);
    expect(shown.some((one) => one.kind === "createOffer")).toBe(true);
  });
});

describe("the payload", () => {
  it("is shown line by line if it is SDP, with what matters marked", () => {
    const lines = payloadLines({
      type: "offer",
      sdp: "v=0\r\nm=audio 9 RTP 0\r\nb=AS:64\r\na=ice-ufrag:x\r\n",
    });
    expect(lines).toEqual([
      { text: "v=0", tone: "plain" },
      { text: "m=audio 9 RTP 0", tone: "media" },
      { text: "b=AS:64", tone: "limit" },
      { text: "a=ice-ufrag:x", tone: "ice" },
    ]);
  });

  it("is found inside a message that carries a description", () => {
    expect(payloadText({ pc: "p2p", sdp: { type: "answer", sdp: "v=0\r\n" } })).toBe("v=0");
  });

  it("is indented JSON otherwise", () => {
    expect(payloadText({ to: "u/bob" })).toBe('{\n  "to": "u/bob"\n}');
    expect(payloadLines("checking")).toEqual([{ text: "checking", tone: "plain" }]);
  });

  it("may be missing", () => {
    expect(payloadLines(undefined)).toEqual([]);
    expect(payloadLines(null)).toEqual([]);
  });
});
