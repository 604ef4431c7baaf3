// What sort of address it is: who can reach somebody there?

export type Place = "loopback" | "linkLocal" | "container" | "cgnat" | "private" | "public";

/** Null for what is no IP address, such as a name. */
export function placeOf(address: string): Place | null {
  const ip = address.replace(/^\[|\]$/g, "").toLowerCase();
  const parts = ip.split(".").map(Number);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ip) && parts.every((part) => part < 256)) return placeOf4(parts);
  if (!ip.includes(":")) return null;
  if (ip === "::1") return "loopback";
  if (/^fe[89ab]/.test(ip)) return "linkLocal";
  return /^f[cd]/.test(ip) ? "private" : "public";
}

function placeOf4([a = 0, b = 0]: number[]): Place {
  if (a === 127) return "loopback";
  if (a === 169 && b === 254) return "linkLocal";
  if (a === 172 && b === 17) return "container";
  if (a === 100 && b >= 64 && b < 128) return "cgnat";
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ? "private" : "public";
}

/** The network to write behind --allow-peer, so that this address may be reached. */
export function networkOf(address: string): string {
  if (placeOf(address) === "loopback") return address.includes(":") ? "::1/128" : "127.0.0.0/8";
  if (!address.includes(":")) return `${address.split(".").slice(0, 3).join(".")}.0/24`;
  return `${address}/128`;
}
