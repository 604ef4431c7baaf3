// What stands in the address of a STUN or TURN server (RFC 7064, RFC 7065).

export type Transport = "udp" | "tcp" | "tls";

/** How a TURN server is spoken to; null for a STUN server. */
export function relayTransport(url: string): Transport | null {
  if (url.startsWith("turns:")) return "tls";
  if (!url.startsWith("turn:")) return null;
  return /[?&]transport=tcp$/.test(url) ? "tcp" : "udp";
}

/** The port that is meant, if it is written or not. */
export function portOf(url: string): number {
  const port = /:(\d+)(\?|$)/.exec(url)?.[1];
  return port ? Number(port) : /^(stuns|turns):/.test(url) ? 5349 : 3478;
}
