// Keys, device ids and call tokens.

import { afterEach, expect, test, vi } from "vitest";
import { claimDevice, makeCallToken, makeSecret, ownerKey } from "../src/identity.js";

class MemoryStorage {
  #items = new Map<string, string>();
  getItem = (name: string) => this.#items.get(name) ?? null;
  setItem = (name: string, value: string) => void this.#items.set(name, value);
  removeItem = (name: string) => void this.#items.delete(name);
}

/** Web Locks, as far as they are used: a request waits until the lock is free or its signal aborts. */
class FakeLocks {
  #held = new Map<string, Promise<void>>();
  async request(name: string, options: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void> {
    const aborted = new Promise<never>((_, reject) =>
      options.signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
    );
    aborted.catch(() => undefined);
    while (this.#held.has(name)) await Promise.race([this.#held.get(name), aborted]);
    const held = hold();
    this.#held.set(name, held);
    await held;
    this.#held.delete(name);
  }
}

afterEach(() => vi.unstubAllGlobals());

test("secrets are base64url and all different", () => {
  const secrets = Array.from({ length: 200 }, () => makeSecret(16));
  expect(new Set(secrets).size).toBe(200);
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(makeSecret(32)).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test("call tokens are ULIDs: they carry the time and sort by it", () => {
  // The example of the ULID specification.
  expect(makeCallToken(1_469_918_176_385).slice(0, 10)).toBe("01ARYZ6S41");
  expect(makeCallToken()).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(makeCallToken(1000) < makeCallToken(1001)).toBe(true);
  expect(new Set(Array.from({ length: 200 }, () => makeCallToken(5))).size).toBe(200);
});

test("the owner key is kept", () => {
  vi.stubGlobal("localStorage", new MemoryStorage());
  expect(ownerKey()).toBe(ownerKey());
});

test("without storage there is a key all the same", () => {
  vi.stubGlobal("localStorage", undefined);
  expect(ownerKey()).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test("a reloaded tab keeps its device id, a duplicated one gets its own", async () => {
  vi.stubGlobal("navigator", { locks: new FakeLocks() });
  const tab = new MemoryStorage();
  vi.stubGlobal("sessionStorage", tab);
  const first = await claimDevice();
  expect(first.isOriginal).toBe(true);

  const copy = new MemoryStorage();
  copy.setItem("peerline.device", first.id);
  vi.stubGlobal("sessionStorage", copy);
  const second = await claimDevice();
  expect(second.isOriginal).toBe(false);
  expect(second.id).not.toBe(first.id);
  expect(copy.getItem("peerline.device")).toBe(second.id);

  first.release();
  vi.stubGlobal("sessionStorage", tab);
  const reloaded = await claimDevice();
  expect(reloaded).toMatchObject({ id: first.id, isOriginal: true });
});
