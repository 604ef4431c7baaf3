// A checksum that can be computed while a file streams (docs/protocol.md, section 13): SHA-256 over the SHA-256
// digests of the file's blocks. crypto.subtle has no streaming digest; this needs one block at a time.

export const BLOCK_BYTES = 1 << 20;

export class BlockChecksum {
  #digests: Uint8Array[] = [];

  /** The next block; all but the last are BLOCK_BYTES long. */
  async add(block: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#digests.push(new Uint8Array(await crypto.subtle.digest("SHA-256", block)));
  }

  /** The checksum of what was added, in hexadecimal. */
  async sum(): Promise<string> {
    const all = new Uint8Array(this.#digests.length * 32);
    this.#digests.forEach((digest, i) => all.set(digest, i * 32));
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
    return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
