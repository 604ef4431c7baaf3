// The call that this tab is in, kept in sessionStorage: after a crash of the page it is taken up again (section 9).

import { isObject } from "./envelope.js";
import { storage } from "./identity.js";
import type { Media } from "./types.js";

const CALL = "peerline.call";

export interface RememberedCall {
  call: string;
  /** Who we were. */
  me: string;
  peer: { u: string; n: string };
  role: "caller" | "callee";
  media: Media;
}

export function rememberCall(call: RememberedCall): void {
  try {
    storage("sessionStorage")?.setItem(CALL, JSON.stringify(call));
  } catch {
    // Full, or read only: then a crash ends the call.
  }
}

export function forgetCall(token?: string): void {
  if (token === undefined || rememberedCall()?.call === token) storage("sessionStorage")?.removeItem(CALL);
}

export function rememberedCall(): RememberedCall | null {
  let value: unknown;
  try {
    value = JSON.parse(storage("sessionStorage")?.getItem(CALL) ?? "null");
  } catch {
    return null;
  }
  if (!isObject(value) || !isObject(value.peer) || !Array.isArray(value.media)) return null;
  const { call, me, role, peer, media } = value;
  if (typeof call !== "string" || typeof me !== "string" || (role !== "caller" && role !== "callee"))
    return null;
  if (typeof peer.u !== "string" || typeof peer.n !== "string") return null;
  const kinds = media.filter((kind): kind is "a" | "v" => kind === "a" || kind === "v");
  return { call, me, role, peer: { u: peer.u, n: peer.n }, media: kinds };
}
