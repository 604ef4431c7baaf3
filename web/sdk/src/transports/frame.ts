// Frames (docs/protocol.md, section 2): one message, or a batch of them.

import type { Envelope } from "../envelope.js";
import { MAX_BATCH, MAX_FRAME_BYTES } from "../protocol.js";

/** As many messages as one frame takes: its text, and how many they are. */
export function batch(messages: Envelope[]): [body: string, count: number] {
  const texts: string[] = [];
  let bytes = 2;
  for (const message of messages.slice(0, MAX_BATCH)) {
    const text = JSON.stringify(message);
    bytes += new TextEncoder().encode(text).length + 1;
    if (texts.length > 0 && bytes > MAX_FRAME_BYTES) break;
    texts.push(text);
  }
  return [texts.length === 1 ? (texts[0] as string) : `[${texts.join(",")}]`, texts.length];
}
