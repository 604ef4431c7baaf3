// The live peer connections of this page, for tests and diagnosis: `window.__peerline`.

import type { Step } from "./types.js";

interface Exposed {
  peerConnections: RTCPeerConnection[];
  /** The inspector's log of the latest call. */
  steps: readonly Step[];
}

declare global {
  var __peerline: Exposed | undefined;
}

const exposed: Exposed = (globalThis.__peerline ??= { peerConnections: [], steps: [] });

export function expose(pc: RTCPeerConnection, steps: readonly Step[]): void {
  exposed.peerConnections.push(pc);
  exposed.steps = steps;
}

export function conceal(pc: RTCPeerConnection): void {
  const place = exposed.peerConnections.indexOf(pc);
  if (place >= 0) exposed.peerConnections.splice(place, 1);
}
