// Text chat over the data channel `chat` (docs/protocol.md, section 13).

import { PeerlineError } from "./error.js";
import { readJson } from "./exchange.js";
import { makeSecret } from "./identity.js";
import type { ChatMessage } from "./types.js";

export const CHAT_LABEL = "chat";
export const MAX_TEXT = 16_000;

export class Chat {
  readonly messages: ChatMessage[] = [];
  #channel: RTCDataChannel | null = null;
  #unsent: ChatMessage[] = [];
  #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** A new channel: the first, or the one of a new peer connection. What waited goes out. */
  open(channel: RTCDataChannel): void {
    this.#channel = channel;
    channel.onopen = () => this.#flush();
    channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    this.#flush();
  }

  send(text: string): void {
    if (text.length > MAX_TEXT)
      throw new PeerlineError("too_large", `a message has at most ${MAX_TEXT} characters`);
    const message: ChatMessage = { id: makeSecret(9), mine: true, text, at: Date.now() };
    this.messages.push(message);
    this.#unsent.push(message);
    this.#flush();
    this.#changed();
  }

  #flush(): void {
    while (this.#channel?.readyState === "open") {
      const message = this.#unsent.shift();
      if (!message) return;
      const { id, text, at } = message;
      this.#channel.send(JSON.stringify({ id, text, at }));
    }
  }

  #receive(data: unknown): void {
    const message = readJson(data);
    if (typeof message?.id !== "string" || message.id === "" || message.id.length > 64) return;
    if (typeof message.text !== "string" || message.text.length > MAX_TEXT) return;
    const { id, text } = message;
    if (this.messages.some((known) => known.id === id)) return;
    const at = typeof message.at === "number" && Number.isFinite(message.at) ? message.at : Date.now();
    this.messages.push({ id, mine: false, text, at });
    this.#changed();
  }
}
