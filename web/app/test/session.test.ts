// The page's state over a client that is made to do things.

import type { ConnectOptions } from "@peerline/sdk";
import { describe, expect, it } from "vitest";
import { readOptions } from "../src/state/options";
import { Session } from "../src/state/session";
import { FakeCall, FakeClient } from "./fake-sdk";

const bob = { u: "bob", n: "Bob" };

async function registered(search = "") {
  const client = new FakeClient();
  const asked: ConnectOptions[] = [];
  const session = new Session(
    async (options) => {
      asked.push(options);
      return client.asClient();
    },
    readOptions(search),
    `https://example.org/talk/index.html${search}`,
  );
  await session.register("Ann");
  return { client, session, asked };
}

describe("registering", () => {
  it("passes on what the address asks for, and where the page is mounted", async () => {
    const { session, asked } = await registered("?transport=http&ice=relay");
    expect(asked).toEqual([
      { name: "Ann", url: "https://example.org/talk/", transport: "http", iceTransportPolicy: "relay" },
    ]);
    expect(session.phase).toBe("in");
  });

  it("keeps the refusal's code and lets one try again", async () => {
    const refuse = () => Promise.reject(Object.assign(new Error("name is taken"), { code: "taken" }));
    const session = new Session(refuse, readOptions(""), "http://localhost:8080/");
    await session.register("Ann");
    expect(session.problem).toEqual({ code: "taken", detail: "name is taken" });
    expect(session.phase).toBe("out");
  });

  it("happens once, however often one clicks", async () => {
    let connects = 0;
    const session = new Session(
      () => {
        connects += 1;
        return new Promise(() => {});
      },
      readOptions(""),
      "http://localhost:8080/",
    );
    void session.register("Ann");
    void session.register("Ann");
    expect(connects).toBe(1);
  });
});

describe("people", () => {
  it("are everybody but oneself and those who left", async () => {
    const { client, session } = await registered();
    client.shows(
      { ...bob, st: "away" },
      { u: "cem", n: "Cem", st: "offline" },
      { u: "al", n: "Al", st: "online" },
    );
    expect(session.others().map((person) => person.n)).toEqual(["Al", "Bob"]);
  });

  it("shows the presence chosen on another device, but not that a call is on", async () => {
    const { client, session } = await registered();
    client.shows({ u: "ann", n: "Ann", st: "dnd" });
    expect(session.chosen).toBe("dnd");
    client.shows({ u: "ann", n: "Ann", st: "call" });
    expect(session.chosen).toBe("dnd");
  });
});

describe("a call", () => {
  it("that is made twice is made once", async () => {
    const { client, session } = await registered();
    session.dial("bob", ["a", "v"]);
    const first = client.currentCall;
    session.dial("bob", ["a", "v"]);
    expect(client.currentCall).toBe(first);
    expect(session.status).toBe("calling");
  });

  it("leaves its last word in the status line until the next one", async () => {
    const { client, session } = await registered();
    session.dial("bob", ["a"]);
    client.currentCall!.go("ended", "busy");
    expect(session.call).toBeNull();
    expect(session.status).toBe("busy");
    session.dial("bob", ["a"]);
    expect(session.status).toBe("calling");
  });

  it("that comes in is followed from ringing to its end", async () => {
    const { client, session } = await registered();
    const call = client.rings(new FakeCall("c1", "in", bob));
    expect(session.call?.state).toBe("incoming");
    await call.accept(["a", "v"]);
    call.go("connected");
    expect(session.status).toBe("connected");
    call.hangup();
    expect(session.status).toBe("ended");
    expect(call.listeners()).toBe(0);
  });

  it("that met another halfway goes on in the other, without a word of an end", async () => {
    const { client, session } = await registered();
    session.dial("bob", ["a", "v"]);
    const mine = client.currentCall!;
    const theirs = new FakeCall("c0", "in", bob);
    theirs.go("connecting");
    const words: string[] = [];
    session.watch(() => words.push(session.status));
    client.emit("call", theirs);
    mine.go("ended", "merged");
    theirs.go("connected");
    expect(session.call?.id).toBe("c0");
    expect(words).not.toContain("ended");
    expect(session.status).toBe("connected");
  });

  it("that the client took up again after a crash is shown at once", async () => {
    const client = new FakeClient();
    client.currentCall = new FakeCall("c2", "in", bob);
    client.currentCall.go("reconnecting");
    const session = new Session(async () => client.asClient(), readOptions(""), "http://localhost/");
    await session.register("Ann");
    expect(session.call?.id).toBe("c2");
    expect(session.status).toBe("reconnecting");
  });

  it("stays connected when only the server is out of reach", async () => {
    const { client, session } = await registered();
    session.dial("bob", ["a"]);
    client.currentCall!.go("connected");
    client.goes("reconnecting");
    expect(session.status).toBe("connected");
  });
});

describe("missed calls", () => {
  const missed = { call: "m1", from: bob, media: ["a" as const], at: 5, why: "offline" };

  it("are listed once each, and gone when they were seen", async () => {
    const { client, session } = await registered();
    client.missed(missed);
    client.missed(missed, { ...missed, call: "m2", at: 9 });
    expect(session.missed.map((call) => call.call)).toEqual(["m2", "m1"]);
    session.acknowledgeMissed();
    expect(client.acknowledged).toEqual(["m2", "m1"]);
    expect(session.missed).toEqual([]);
  });
});

describe("leaving", () => {
  it("says so to the server and forgets everything", async () => {
    const { client, session } = await registered();
    session.leave();
    expect(client.closed).toBe(true);
    expect(client.listeners()).toBe(0);
    expect(session.phase).toBe("out");
    expect(session.problem).toBeNull();
  });

  it("because another window took over is told", async () => {
    const { client, session } = await registered();
    client.goes("closed", "replaced");
    expect(session.phase).toBe("out");
    expect(session.problem?.code).toBe("replaced");
  });
});
