// Who the doctor signs in as: always the same in this browser, so that no server fills up with names of doctors.

const KEY = "peerline.doctor";

export interface Identity {
  name: string;
  /** The secret that owns the name (docs/protocol.md, section 1). */
  own: string;
}

/** The one that is kept, or a new one; where nothing can be kept, one for this visit. */
export function doctorIdentity(): Identity {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (isIdentity(kept)) return kept;
  } catch {
    // Blocked, or not ours: a new one.
  }
  const made = { name: `doctor ${random(4)}`, own: random(32) };
  try {
    localStorage.setItem(KEY, JSON.stringify(made));
  } catch {
    // It lasts as long as the page.
  }
  return made;
}

/** So many random bytes, in hexadecimal. */
export function random(bytes: number): string {
  const made = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(made, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isIdentity(kept: unknown): kept is Identity {
  const { name, own } = (kept ?? {}) as Partial<Identity>;
  return typeof name === "string" && typeof own === "string" && /^[\w-]{32,128}$/.test(own);
}
