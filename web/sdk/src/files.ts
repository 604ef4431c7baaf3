// File transfers of a call, one data channel per file (docs/protocol.md, section 13).

import { receiveFile } from "./file-receiving.js";
import { sendFile } from "./file-sending.js";
import { makeSecret } from "./identity.js";
import type { FileState, FileTransfer } from "./types.js";

export const FILE_LABEL = "file";
export const FILE_PROTOCOL = "peerline.file.v1";
/** More at once than this a page is not offered. */
const MAX_INCOMING = 16;
/** A page needs to show progress only so often. */
const PROGRESS_MS = 100;

/** A transfer as its sender or receiver works on it. */
export class Transfer implements FileTransfer {
  readonly id = makeSecret(9);
  name = "";
  size = 0;
  type = "";
  done = 0;
  state: FileState = "waiting";
  blob: Blob | null = null;
  /** Set by whoever moves the bytes. */
  stop: (state: FileState) => void = () => undefined;

  private notedAt = -Infinity;

  constructor(
    readonly mine: boolean,
    private readonly notify: () => void,
  ) {}

  get isOver(): boolean {
    return this.state !== "waiting" && this.state !== "moving" && this.state !== "checking";
  }

  /** Move on; what is over stays over. */
  turn(state: FileState): void {
    if (this.isOver || this.state === state) return;
    this.state = state;
    this.notify();
  }

  progress(bytes: number): void {
    this.done += bytes;
    const now = performance.now();
    if (now - this.notedAt < PROGRESS_MS) return;
    this.notedAt = now;
    this.notify();
  }

  cancel(): void {
    if (!this.isOver) this.stop("cancelled");
  }
}

export class Files {
  readonly transfers: Transfer[] = [];
  #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  send(pc: RTCPeerConnection | null, file: File): Transfer {
    const transfer = this.#add(true);
    transfer.name = file.name;
    transfer.size = file.size;
    transfer.type = file.type;
    if (pc && pc.connectionState !== "closed") {
      const channel = pc.createDataChannel(FILE_LABEL, { protocol: FILE_PROTOCOL });
      void sendFile(channel, file, transfer);
    } else {
      transfer.turn("failed");
    }
    return transfer;
  }

  /** The other side opened a channel for a file. */
  accept(channel: RTCDataChannel): void {
    const open = this.transfers.filter((transfer) => !transfer.mine && !transfer.isOver);
    if (channel.protocol !== FILE_PROTOCOL || open.length >= MAX_INCOMING) channel.close();
    else receiveFile(channel, () => this.#add(false));
  }

  /** The call is over. */
  close(): void {
    for (const transfer of this.transfers) if (!transfer.isOver) transfer.stop("failed");
  }

  #add(mine: boolean): Transfer {
    const transfer = new Transfer(mine, this.#changed);
    this.transfers.push(transfer);
    this.#changed();
    return transfer;
  }
}
