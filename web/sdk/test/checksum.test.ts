// The checksum of docs/protocol.md, section 13, against values computed elsewhere.

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { BLOCK_BYTES, BlockChecksum } from "../src/checksum.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

test("an empty file has no blocks", async () => {
  expect(await new BlockChecksum().sum()).toBe(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

test("is the digest of the digests of the blocks", async () => {
  const bytes = new Uint8Array(2 * BLOCK_BYTES + 77).map((_, i) => (i * 31) ^ (i >> 8));
  const checksum = new BlockChecksum();
  const digests: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.slice(at, at + BLOCK_BYTES);
    await checksum.add(block);
    digests.push(sha256(block));
  }
  expect(digests).toHaveLength(3);
  expect(await checksum.sum()).toBe(sha256(Buffer.concat(digests)).toString("hex"));
});
