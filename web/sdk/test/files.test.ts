// File transfer between two fake channels: whole, bounded, cancelled, spoiled, and offered by somebody hostile.

import { describe, expect, test, vi } from "vitest";
import { FILE_LABEL, FILE_PROTOCOL, Files, type Transfer } from "../src/files.js";
import { readOffer, safeName } from "../src/file-receiving.js";
import { channelPair, type FakeChannel, open } from "./fakes/channel.js";
import { seeded } from "./random.js";

interface Setup {
  sender: Files;
  receiver: Files;
  pair: [FakeChannel, FakeChannel];
  sent: Transfer;
  /** The receiver's transfer, when it has begun. */
  received(): Transfer;
}

function begin(file: File): Setup {
  const sender = new Files(() => undefined);
  const receiver = new Files(() => undefined);
  const pair = channelPair(FILE_LABEL, FILE_PROTOCOL);
  const pc = { connectionState: "connected", createDataChannel: () => pair[0].asChannel };
  const sent = sender.send(pc as unknown as RTCPeerConnection, file);
  receiver.accept(pair[1].asChannel);
  open(pair);
  return { sender, receiver, pair, sent, received: () => receiver.transfers[0] as Transfer };
}

const bytesOf = (length: number) => {
  const random = seeded(length);
  return new Uint8Array(length).map(() => random() * 256);
};

const over = (transfer: () => Transfer | undefined) =>
  vi.waitFor(() => expect(transfer()?.isOver).toBe(true), { timeout: 5000, interval: 1 });

describe("a transfer", () => {
  test.each([0, 1, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 3_500_000])(
    "of %i bytes arrives whole",
    async (size) => {
      const bytes = bytesOf(size);
      const { sent, received, pair } = begin(new File([bytes], "a.bin", { type: "text/html" }));
      await over(() => sent);
      expect([sent.state, received().state]).toEqual(["ok", "ok"]);
      expect([sent.done, received().done]).toEqual([size, size]);
      expect(received().name).toBe("a.bin");
      expect(received().type).toBe("text/html");
      expect(received().blob?.type).toBe("application/octet-stream");
      const arrived = Buffer.from((await received().blob?.arrayBuffer()) as ArrayBuffer);
      // Not toEqual: it compares millions of numbers one by one.
      expect(arrived.equals(bytes)).toBe(true);
      expect(pair[0].highest).toBeLessThanOrEqual((1 << 20) + 65_536);
    },
  );

  test("ends as `bad` on both sides when a byte was changed on the way", async () => {
    const { sent, received, pair } = begin(new File([bytesOf(200_000)], "a"));
    pair[0].spoil = (data) => {
      if (typeof data !== "string") new Uint8Array(data)[5] = (new Uint8Array(data)[5] ?? 0) ^ 1;
      return data;
    };
    await over(() => sent);
    await over(received);
    expect([sent.state, received().state, received().blob]).toEqual(["bad", "bad", null]);
  });

  test("ends as `bad` when a piece is missing", async () => {
    const { sent, received, pair } = begin(new File([bytesOf(200_000)], "a"));
    let count = 0;
    pair[0].spoil = (data) => (typeof data !== "string" && ++count === 2 ? null : data);
    await over(() => sent);
    expect([sent.state, received().state]).toEqual(["bad", "bad"]);
  });

  test.each(["sender", "receiver"] as const)("cancelled by the %s stops on both sides", async (who) => {
    const { sent, received } = begin(new File([bytesOf(4_000_000)], "a"));
    await vi.waitFor(() => expect(received().done).toBeGreaterThan(0), { interval: 1 });
    (who === "sender" ? sent : received()).cancel();
    await over(() => sent);
    await over(received);
    expect([sent.state, received().state]).toEqual(["cancelled", "cancelled"]);
    expect(sent.done).toBeLessThan(4_000_000);
    expect(received().blob).toBeNull();
  });

  test("fails on both sides when the connection breaks, and when the call ends", async () => {
    const broken = begin(new File([bytesOf(4_000_000)], "a"));
    await vi.waitFor(() => expect(broken.received().done).toBeGreaterThan(0), { interval: 1 });
    broken.pair[0].break();
    expect([broken.sent.state, broken.received().state]).toEqual(["failed", "failed"]);

    const ended = begin(new File([bytesOf(4_000_000)], "a"));
    await vi.waitFor(() => expect(ended.received().done).toBeGreaterThan(0), { interval: 1 });
    ended.sender.close();
    expect(ended.sent.state).toBe("failed");
  });

  test("fails at once without a connection", () => {
    const files = new Files(() => undefined);
    expect(files.send(null, new File(["x"], "a")).state).toBe("failed");
  });

  test("fails when the file cannot be read any more", async () => {
    const file = new File([bytesOf(100_000)], "a");
    file.slice = () =>
      ({
        arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")),
      }) as unknown as Blob;
    const { sent, received } = begin(file);
    await over(() => sent);
    await over(received);
    expect([sent.state, received().state]).toEqual(["failed", "cancelled"]);
  });

  test("what is over stays over", async () => {
    const { sent } = begin(new File(["x"], "a"));
    await over(() => sent);
    sent.cancel();
    expect(sent.state).toBe("ok");
  });
});

describe("a hostile sender", () => {
  function hostile(): { say(data: unknown): void; files: Files; channel: FakeChannel } {
    const files = new Files(() => undefined);
    const pair = channelPair(FILE_LABEL, FILE_PROTOCOL);
    files.accept(pair[1].asChannel);
    open(pair);
    return { say: (data) => pair[1].onmessage?.({ data }), files, channel: pair[1] };
  }
  const offer = (size: unknown, name: unknown = "a") => JSON.stringify({ t: "file", name, size, type: "" });

  test("that says something else first is closed", () => {
    for (const first of [
      new ArrayBuffer(3),
      "",
      "[]",
      '{"t":"end"}',
      offer(-1),
      offer(1.5),
      offer("1"),
      offer(1, 7),
    ]) {
      const { say, files, channel } = hostile();
      say(first);
      expect(channel.readyState).toBe("closing");
      expect(files.transfers).toEqual([]);
    }
  });

  test("that sends more than it said is stopped, and nothing is kept", () => {
    const { say, files } = hostile();
    say(offer(10));
    say(new ArrayBuffer(11));
    expect(files.transfers[0]?.state).toBe("failed");
    expect(files.transfers[0]?.done).toBe(0);
  });

  test("that says that a file is huge takes no memory for it", () => {
    const { say, files } = hostile();
    say(offer(Number.MAX_SAFE_INTEGER));
    expect(files.transfers[0]?.state).toBe("moving");
  });

  test("that sends pieces over the limit is stopped", () => {
    const { say, files } = hostile();
    say(offer(1 << 20));
    say(new ArrayBuffer(65_537));
    expect(files.transfers[0]?.state).toBe("failed");
  });

  test("that ends early gets `bad`", async () => {
    const { say, files, channel } = hostile();
    say(offer(10));
    say('{"t":"end","sum":7}');
    await over(() => files.transfers[0]);
    expect(files.transfers[0]?.state).toBe("bad");
    expect(channel.sent.at(-1)).toBe('{"t":"bad"}');
  });

  test("opens no more than sixteen at once, and only by the protocol", () => {
    const files = new Files(() => undefined);
    const channels = Array.from({ length: 20 }, () => channelPair(FILE_LABEL, FILE_PROTOCOL));
    for (const pair of channels) {
      open(pair);
      files.accept(pair[1].asChannel);
      pair[1].onmessage?.({ data: offer(5) });
    }
    expect(files.transfers).toHaveLength(16);
    const other = channelPair(FILE_LABEL, "else");
    open(other);
    files.accept(other[1].asChannel);
    expect(other[1].readyState).toBe("closing");
  });
});

test.each([
  ["../../etc/passwd", "passwd"],
  ["C:\\temp\\a.txt", "a.txt"],
  ["...hidden", "hidden"],
  ["a\u202Egnp.exe", "agnp.exe"],
  ["\u0000\n", "file"],
  ["", "file"],
  ["  b  ", "b"],
  ["x".repeat(300) + ".txt", "x".repeat(251) + ".txt"],
])("the name %j becomes %j", (given, name) => {
  expect(safeName(given)).toBe(name);
  expect(readOffer(JSON.stringify({ t: "file", name: given, size: 1 }))?.name).toBe(name);
});
