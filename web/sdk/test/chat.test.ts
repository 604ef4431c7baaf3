// Chat: what waits goes out in order, what comes is checked.

import { expect, test, vi } from "vitest";
import { Chat, CHAT_LABEL, MAX_TEXT } from "../src/chat.js";
import { channelPair, open } from "./fakes/channel.js";

const texts = (chat: Chat) => chat.messages.map(({ text, mine }) => (mine ? `me: ${text}` : text));

test("messages said before the channel is open follow in order, once", async () => {
  const [a, b] = [new Chat(vi.fn()), new Chat(vi.fn())];
  const pair = channelPair(CHAT_LABEL);
  a.send("one");
  a.open(pair[0].asChannel);
  b.open(pair[1].asChannel);
  a.send("two");
  open(pair);
  b.send("three");
  await vi.waitFor(() => expect(texts(a)).toEqual(["me: one", "me: two", "three"]));
  await vi.waitFor(() => expect(texts(b)).toEqual(["me: three", "one", "two"]));
});

test("a channel that opens before it is handed over sends at once", async () => {
  const [a, b] = [new Chat(vi.fn()), new Chat(vi.fn())];
  const pair = channelPair(CHAT_LABEL);
  open(pair);
  b.open(pair[1].asChannel);
  a.send("one");
  a.open(pair[0].asChannel);
  await vi.waitFor(() => expect(texts(b)).toEqual(["one"]));
});

test("what is no message is ignored, and one is not shown twice", () => {
  const changed = vi.fn();
  const chat = new Chat(changed);
  const [end] = channelPair(CHAT_LABEL);
  chat.open(end.asChannel);
  const hear = (data: unknown) => end.onmessage?.({ data });
  const good = { id: "1", text: "hello", at: 5 };
  for (const bad of [
    "",
    "null",
    "[]",
    new ArrayBuffer(4),
    { ...good, id: 7 },
    { ...good, id: "" },
    { ...good, id: "x".repeat(65) },
    { ...good, text: 3 },
    { ...good, text: "x".repeat(MAX_TEXT + 1) },
  ]) {
    hear(typeof bad === "object" && !(bad instanceof ArrayBuffer) ? JSON.stringify(bad) : bad);
  }
  expect(chat.messages).toEqual([]);
  hear(JSON.stringify({ ...good, at: "yesterday" }));
  hear(JSON.stringify(good));
  expect(texts(chat)).toEqual(["hello"]);
  expect(changed).toHaveBeenCalledTimes(1);
});

test("a text over the limit is refused", () => {
  const chat = new Chat(vi.fn());
  expect(() => chat.send("x".repeat(MAX_TEXT + 1))).toThrow(
    expect.objectContaining({ code: "too_large" }) as Error,
  );
  expect(chat.messages).toEqual([]);
});
