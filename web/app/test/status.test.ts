// The status line and the tones follow the call.

import { describe, expect, it } from "vitest";
import { endStatus, statusOf, toneOf } from "../src/state/status";
import { FakeCall } from "./fake-sdk";

function callAs(direction: "in" | "out", state: FakeCall["state"], endReason: string | null = null) {
  const call = new FakeCall("c", direction, { u: "bob", n: "Bob" });
  call.go(state, endReason);
  return call.asCall();
}

describe("the status line", () => {
  it("follows the caller's call from the first moment to the last", () => {
    expect(statusOf(callAs("out", "calling"))).toBe("calling");
    expect(statusOf(callAs("out", "ringing"))).toBe("ringing");
    expect(statusOf(callAs("out", "connecting"))).toBe("ringing");
    expect(statusOf(callAs("out", "connected"))).toBe("connected");
    expect(statusOf(callAs("out", "reconnecting"))).toBe("reconnecting");
    expect(statusOf(callAs("out", "ended", "hangup"))).toBe("ended");
  });

  it("is silent for the callee until the two are connected", () => {
    expect(statusOf(callAs("in", "incoming"))).toBe("none");
    expect(statusOf(callAs("in", "connecting"))).toBe("none");
    expect(statusOf(callAs("in", "connected"))).toBe("connected");
  });

  it.each([
    ["busy", "busy"],
    ["dnd", "busy"],
    ["declined", "declined"],
    ["timeout", "noAnswer"],
    ["offline", "notAvailable"],
    ["hangup", "ended"],
    ["cancelled", "ended"],
    ["ice_failed", "ended"],
    ["ice_lost", "ended"],
    ["lost", "ended"],
    ["media", "ended"],
    ["something new", "ended"],
    ["merged", "none"],
    ["elsewhere", "none"],
    [null, "ended"],
  ] as const)("says of the end %s: %s", (reason, word) => {
    expect(endStatus(reason)).toBe(word);
  });
});

describe("the tone", () => {
  it("rings for the callee until the call is answered", () => {
    expect(toneOf(callAs("in", "incoming"))).toBe("ring");
    expect(toneOf(callAs("in", "connecting"))).toBeNull();
  });

  it("rings back for the caller only while it really rings", () => {
    expect(toneOf(callAs("out", "calling"))).toBeNull();
    expect(toneOf(callAs("out", "ringing"))).toBe("ringback");
    expect(toneOf(callAs("out", "connected"))).toBeNull();
  });

  it("is silent without a call", () => {
    expect(toneOf(null)).toBeNull();
  });
});
