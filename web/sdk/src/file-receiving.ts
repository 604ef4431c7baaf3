// Receiving one file: each block is checked and put away as a Blob, so that memory holds one block at a time.

import { BLOCK_BYTES, BlockChecksum } from "./checksum.js";
import { readJson } from "./exchange.js";
import type { Transfer } from "./files.js";
import type { FileState } from "./types.js";

const MAX_NAME = 255;
const MAX_CHUNK = 65_536;
/** Whatever the sender says a file is: a download, never something that a browser would run as this page. */
const DOWNLOAD = "application/octet-stream";

/** `begin` makes the transfer once the sender has said what comes. */
export function receiveFile(channel: RTCDataChannel, begin: () => Transfer): void {
  channel.binaryType = "arraybuffer";
  let receiving: Receiving | null = null;
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (receiving) return receiving.take(data);
    const offer = readOffer(data);
    if (offer) receiving = new Receiving(channel, Object.assign(begin(), offer));
    else channel.close();
  };
}

interface Offer {
  name: string;
  size: number;
  type: string;
}

/** The first message of a channel; null if it is not one. */
export function readOffer(data: unknown): Offer | null {
  const message = readJson(data);
  if (message?.t !== "file" || typeof message.name !== "string") return null;
  if (!Number.isSafeInteger(message.size) || (message.size as number) < 0) return null;
  const type = typeof message.type === "string" ? message.type.slice(0, MAX_NAME) : "";
  return { name: safeName(message.name), size: message.size as number, type };
}

/** A name without directories and without what reads differently from what it is. */
export function safeName(name: string): string {
  const last = name.split(/[/\\]/).pop() ?? "";
  const plain = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").replace(/^\.+/, "");
  return plain.trim().slice(-MAX_NAME) || "file";
}

class Receiving {
  #channel: RTCDataChannel;
  #transfer: Transfer;
  #checksum = new BlockChecksum();
  #parts: Blob[] = [];
  #block: Uint8Array<ArrayBuffer>;
  #filled = 0;
  #arrived = 0;
  /** Digests take a moment: what comes meanwhile waits its turn. */
  #work: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(channel: RTCDataChannel, transfer: Transfer) {
    this.#channel = channel;
    this.#transfer = transfer;
    this.#block = this.#nextBlock();
    channel.onclose = () => this.#finish("failed");
    transfer.stop = (state) => {
      this.#say("cancel");
      this.#finish(state);
    };
    transfer.turn("moving");
    this.#say("go");
  }

  take(data: unknown): void {
    if (this.#isOver) return;
    if (data instanceof ArrayBuffer) return this.#store(new Uint8Array(data));
    const message = readJson(data);
    if (message?.t === "cancel") this.#finish("cancelled");
    else if (message?.t === "end") void this.#check(message.sum);
    else this.#transfer.stop("failed");
  }

  #store(chunk: Uint8Array): void {
    this.#arrived += chunk.length;
    const isTooMuch = this.#arrived > this.#transfer.size || chunk.length > MAX_CHUNK;
    if (isTooMuch || this.#transfer.state !== "moving") return this.#transfer.stop("failed");
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#block.length) this.#putAway();
    }
    this.#transfer.progress(chunk.length);
  }

  #nextBlock(): Uint8Array<ArrayBuffer> {
    const missing = this.#transfer.size - this.#parts.length * BLOCK_BYTES;
    return new Uint8Array(Math.max(0, Math.min(BLOCK_BYTES, missing)));
  }

  #putAway(): void {
    const block = this.#block;
    this.#parts.push(new Blob([block]));
    this.#work = this.#work.then(() => this.#checksum.add(block));
    this.#filled = 0;
    this.#block = this.#nextBlock();
  }

  async #check(sum: unknown): Promise<void> {
    this.#transfer.turn("checking");
    await this.#work;
    const isWhole = this.#arrived === this.#transfer.size && (await this.#checksum.sum()) === sum;
    if (this.#isOver) return;
    if (isWhole) this.#transfer.blob = new Blob(this.#parts, { type: DOWNLOAD });
    this.#say(isWhole ? "ok" : "bad");
    this.#finish(isWhole ? "ok" : "bad");
  }

  #say(t: string): void {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify({ t }));
  }

  #finish(state: FileState): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts = [];
    this.#transfer.turn(state);
    // After `ok` and `bad` the sender closes, when it has read the word.
    if (state !== "ok" && state !== "bad") this.#channel.close();
  }
}
