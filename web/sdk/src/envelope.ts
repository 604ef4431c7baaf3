// What every message looks like from outside, and how a frame is read (docs/protocol.md, section 3).

import { MAX_BATCH } from "./protocol.js";

export type Body = Record<string, unknown>;

export interface Envelope {
  t: string;
  s?: number;
  a?: number;
  id?: string;
  re?: string;
  call?: string;
  from?: { u: string; n: string };
  d?: Body;
}

export const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Read a frame. What is no envelope is left out: if it had a number, the gap it leaves makes the session resume,
 * which is the cure for a broken stream anyway.
 */
export function readFrame(text: string): Envelope[] {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return [];
  }
  const items: unknown[] = Array.isArray(frame) ? frame.slice(0, MAX_BATCH) : [frame];
  return items.map(readEnvelope).filter((envelope) => envelope !== null);
}

/** One envelope with every field of the right type; fields of a wrong type are left out. */
export function readEnvelope(value: unknown): Envelope | null {
  if (!isObject(value) || typeof value.t !== "string") return null;
  const envelope: Envelope = { t: value.t };
  if (isCount(value.s)) envelope.s = value.s;
  if (isCount(value.a)) envelope.a = value.a;
  if (typeof value.id === "string") envelope.id = value.id;
  if (typeof value.re === "string") envelope.re = value.re;
  if (typeof value.call === "string") envelope.call = value.call;
  if (isObject(value.from) && typeof value.from.u === "string" && typeof value.from.n === "string") {
    envelope.from = { u: value.from.u, n: value.from.n };
  }
  if (isObject(value.d)) envelope.d = value.d;
  return envelope;
}
