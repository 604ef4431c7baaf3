// Sending one file: read a block at a time, never more in flight than the channel has room for.

import { BLOCK_BYTES, BlockChecksum } from "./checksum.js";
import { readJson } from "./exchange.js";
import type { Transfer } from "./files.js";
import type { FileState } from "./types.js";

const CHUNK_BYTES = 65_536;
/** The sender waits while more than this is buffered, and goes on when it has gone down to the low mark. */
const HIGH_BYTES = 1 << 20;
const LOW_BYTES = 1 << 18;

/** Thrown inside when the transfer was stopped. */
class Stopped extends Error {}

export async function sendFile(channel: RTCDataChannel, file: Blob, transfer: Transfer): Promise<void> {
  const ear = new Ear(channel, transfer);
  const say = (message: object) => channel.send(JSON.stringify(message));
  try {
    await ear.opened();
    say({ t: "file", name: transfer.name, size: transfer.size, type: transfer.type });
    if ((await ear.word()) !== "go") throw new Stopped();
    transfer.turn("moving");
    const checksum = new BlockChecksum();
    for (let offset = 0; offset < file.size; offset += BLOCK_BYTES) {
      const block = new Uint8Array(await file.slice(offset, offset + BLOCK_BYTES).arrayBuffer());
      await checksum.add(block);
      for (let start = 0; start < block.length; start += CHUNK_BYTES) {
        await ear.room();
        const chunk = block.subarray(start, start + CHUNK_BYTES);
        channel.send(chunk);
        transfer.progress(chunk.length);
      }
    }
    ear.check();
    transfer.turn("checking");
    say({ t: "end", sum: await checksum.sum() });
    ear.finish((await ear.word()) === "ok" ? "ok" : "bad");
  } catch {
    // The file cannot be read any more, or the channel broke; if it was stopped, its state says so already.
    transfer.stop("failed");
  }
}

/** Listens to the receiver, and is what `transfer.stop` pulls. */
class Ear {
  #channel: RTCDataChannel;
  #transfer: Transfer;
  #words: string[] = [];
  #wake: () => void = () => undefined;
  #isOver = false;

  constructor(channel: RTCDataChannel, transfer: Transfer) {
    this.#channel = channel;
    this.#transfer = transfer;
    channel.bufferedAmountLowThreshold = LOW_BYTES;
    channel.onopen = channel.onbufferedamountlow = () => this.#wake();
    channel.onclose = () => this.finish("failed");
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const word = readJson(data)?.t;
      if (word === "cancel") this.finish("cancelled");
      else if (word === "go" || word === "ok" || word === "bad") this.#words.push(word);
      this.#wake();
    };
    transfer.stop = (state) => {
      if (channel.readyState === "open") channel.send(JSON.stringify({ t: "cancel" }));
      this.finish(state);
    };
  }

  opened(): Promise<void> {
    return this.#until(() => this.#channel.readyState === "open");
  }

  /** What the receiver says next. */
  async word(): Promise<string> {
    await this.#until(() => this.#words.length > 0);
    return this.#words.shift() as string;
  }

  room(): Promise<void> {
    return this.#until(() => this.#channel.bufferedAmount <= HIGH_BYTES);
  }

  check(): void {
    if (this.#isOver) throw new Stopped();
  }

  finish(state: FileState): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transfer.turn(state);
    this.#channel.close();
    this.#wake();
  }

  async #until(isReady: () => boolean): Promise<void> {
    this.check();
    while (!isReady()) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.check();
    }
  }
}
