// Delivery: nothing lost, nothing doubled, nothing reordered, whatever happens to the sockets.

import { describe, expect, test } from "vitest";
import { Delivery, MAX_UNACKNOWLEDGED, MAX_UNACKNOWLEDGED_BYTES } from "../src/delivery.js";
import type { Envelope } from "../src/envelope.js";
import { below, type Random, seeded } from "./random.js";

const say = (delivery: Delivery, value: number) => delivery.push({ t: "x", d: { value } }, 20);

describe("one side", () => {
  test("numbers what it sends from 1", () => {
    const delivery = new Delivery();
    expect([say(delivery, 7).s, say(delivery, 8).s]).toEqual([1, 2]);
  });

  test("processes the next message, drops what came twice, reports a gap", () => {
    const delivery = new Delivery();
    expect(delivery.receive({ t: "x", s: 1 })).toBe("process");
    expect(delivery.receive({ t: "x", s: 1 })).toBe("drop");
    expect(delivery.receive({ t: "x", s: 3 })).toBe("gap");
    expect(delivery.received).toBe(1);
  });

  test("lets messages without a number pass", () => {
    const delivery = new Delivery();
    expect(delivery.receive({ t: "ack", a: 0 })).toBe("process");
    expect(delivery.received).toBe(0);
  });

  test("counts what the other side was not told of", () => {
    const delivery = new Delivery();
    for (let s = 1; s <= 3; s++) delivery.receive({ t: "x", s });
    expect(delivery.untold).toBe(3);
    expect(delivery.stamp({ t: "ack" })).toEqual({ t: "ack", a: 3 });
    expect(delivery.untold).toBe(0);
  });

  test("sends again after a resume exactly what the other side has not", () => {
    const delivery = new Delivery();
    for (let value = 1; value <= 5; value++) say(delivery, value);
    delivery.acknowledge(2);
    expect(delivery.resume(3)?.map((envelope) => envelope.s)).toEqual([4, 5]);
    expect(delivery.resume(3)?.map((envelope) => envelope.s)).toEqual([4, 5]);
  });

  test("refuses a resume with a number that cannot be", () => {
    const delivery = new Delivery();
    for (let value = 1; value <= 5; value++) say(delivery, value);
    delivery.acknowledge(4);
    expect(delivery.resume(3)).toBeNull();
    expect(delivery.resume(6)).toBeNull();
  });

  test("ignores the acknowledgement of what was never sent", () => {
    const delivery = new Delivery();
    say(delivery, 1);
    delivery.receive({ t: "ack", a: 99 });
    expect(delivery.resume(0)?.length).toBe(1);
  });

  test("has overflowed when too many messages wait, or too many bytes", () => {
    const many = new Delivery();
    for (let i = 0; i < MAX_UNACKNOWLEDGED; i++) say(many, i);
    expect(many.hasOverflowed).toBe(false);
    say(many, 0);
    expect(many.hasOverflowed).toBe(true);
    many.acknowledge(1);
    expect(many.hasOverflowed).toBe(false);

    const big = new Delivery();
    big.push({ t: "x" }, MAX_UNACKNOWLEDGED_BYTES);
    expect(big.hasOverflowed).toBe(false);
    big.push({ t: "x" }, 1);
    expect(big.hasOverflowed).toBe(true);
  });
});

/** One direction of a socket: in order, until it is cut; what is under way then is lost. */
class Wire {
  flying: Envelope[] = [];
}

class Side {
  readonly delivery = new Delivery();
  readonly got: number[] = [];
  sent = 0;

  say(wire: Wire): void {
    wire.flying.push(this.delivery.stamp(say(this.delivery, ++this.sent)));
  }

  acknowledge(wire: Wire): void {
    wire.flying.push(this.delivery.stamp({ t: "ack" }));
  }

  /** Take the next message; false if only a new socket helps. */
  take(wire: Wire): boolean {
    const envelope = wire.flying.shift();
    if (!envelope) return true;
    const verdict = this.delivery.receive(envelope);
    if (verdict === "process" && envelope.d) this.got.push(envelope.d.value as number);
    return verdict !== "gap";
  }
}

/** Both sides tell each other what they have, and send the rest again. */
function resume(a: Side, b: Side, toA: Wire, toB: Wire): void {
  const fromA = a.delivery.resume(b.delivery.received);
  const fromB = b.delivery.resume(a.delivery.received);
  toB.flying = (fromA ?? []).map((envelope) => a.delivery.stamp(envelope));
  toA.flying = (fromB ?? []).map((envelope) => b.delivery.stamp(envelope));
  expect(fromA).not.toBeNull();
  expect(fromB).not.toBeNull();
}

function converse(random: Random, steps: number): void {
  const [a, b, toA, toB] = [new Side(), new Side(), new Wire(), new Wire()];
  let aborts = 0;
  for (let i = 0; i < steps; i++) {
    const dice = random();
    if (dice < 0.35) a.say(toB);
    else if (dice < 0.6) b.say(toA);
    else if (dice < 0.78) expect(b.take(toB)).toBe(true);
    else if (dice < 0.93) expect(a.take(toA)).toBe(true);
    else if (dice < 0.945) a.acknowledge(toB);
    else if (dice < 0.96) b.acknowledge(toA);
    else {
      aborts++;
      resume(a, b, toA, toB);
    }
  }
  resume(a, b, toA, toB);
  while (toA.flying.length + toB.flying.length > 0) {
    expect(a.take(toA)).toBe(true);
    expect(b.take(toB)).toBe(true);
  }
  const upTo = (n: number) => Array.from({ length: n }, (_, k) => k + 1);
  expect(a.got).toEqual(upTo(b.sent));
  expect(b.got).toEqual(upTo(a.sent));
  expect(aborts).toBeGreaterThan(0);
}

describe("two sides over sockets that are cut at random", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "conversation %i arrives whole and in order",
    (seed) => {
      converse(seeded(seed), 1500);
    },
  );

  test("a message lost within a living socket is noticed and healed", () => {
    const random = seeded(99);
    const [a, b, toA, toB] = [new Side(), new Side(), new Wire(), new Wire()];
    let gaps = 0;
    for (let i = 0; i < 400; i++) {
      a.say(toB);
      if (random() < 0.1) toB.flying.splice(below(random, toB.flying.length), 1);
      if (b.take(toB)) continue;
      gaps++;
      resume(a, b, toA, toB);
    }
    resume(a, b, toA, toB);
    while (toB.flying.length > 0) b.take(toB);
    expect(gaps).toBeGreaterThan(0);
    expect(b.got).toEqual(Array.from({ length: 400 }, (_, k) => k + 1));
  });
});

test("hostile numbers move nothing", () => {
  const random = seeded(5);
  const delivery = new Delivery();
  for (let value = 1; value <= 10; value++) say(delivery, value);
  for (let i = 0; i < 2000; i++) {
    const wild = () => Math.floor((random() - 0.3) * 2 ** (1 + below(random, 52)));
    const before = delivery.received;
    const envelope = { t: "x", s: wild(), a: 10 + Math.abs(wild()) + 1 };
    const verdict = delivery.receive(envelope);
    expect(verdict).toBe(envelope.s <= before ? "drop" : envelope.s === before + 1 ? "process" : "gap");
    expect(delivery.received - before).toBe(verdict === "process" ? 1 : 0);
  }
  expect(delivery.resume(0)?.length).toBe(10);
});
