// Seeded randomness: a test that fails fails again.

export type Random = () => number;

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, end: number): number => Math.floor(random() * end);

/** Cut a text into random pieces. */
export function pieces(random: Random, text: string): string[] {
  const all: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = 1 + below(random, 9);
    all.push(text.slice(at, at + length));
    at += length;
  }
  return all;
}
