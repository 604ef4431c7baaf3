// Who we are: the owner key of a name, the device id of a tab, and the tokens that name calls (section 1).

const OWNER = "peerline.owner";
const DEVICE = "peerline.device";
/** How long a reloaded page waits for its former self to let go of the device id. */
const HANDOVER_MS = 400;

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A secret of `bytes` random bytes, in base64url. */
export function makeSecret(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...random))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** A ULID: 48 bits of time, 80 random bits. */
export function makeCallToken(now = Date.now()): string {
  let time = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = CROCKFORD[rest % 32] + time;
  const random = crypto.getRandomValues(new Uint8Array(16));
  return time + Array.from(random, (byte) => CROCKFORD[byte % 32]).join("");
}

/** The secret that owns our name, kept for good. */
export function ownerKey(): string {
  return kept(storage("localStorage"), OWNER, () => makeSecret(32));
}

/** This tab's device id, and how to let go of it. */
export interface Device {
  id: string;
  /** False: another tab has the id that was stored here (a duplicated tab copies sessionStorage). */
  isOriginal: boolean;
  release(): void;
}

/** The device id of this tab: made once, kept as long as the tab lives. */
export async function claimDevice(): Promise<Device> {
  const store = storage("sessionStorage");
  const stored = store?.getItem(DEVICE) ?? null;
  if (stored) {
    const release = await hold(stored);
    if (release) return { id: stored, isOriginal: true, release };
  }
  const id = makeSecret(16);
  store?.setItem(DEVICE, id);
  return { id, isOriginal: stored === null, release: (await hold(id)) ?? (() => undefined) };
}

/** Hold the lock named after the device id as long as this page lives; null if another tab has it. */
async function hold(id: string): Promise<(() => void) | null> {
  // Web Locks exist in secure contexts only; without them a duplicated tab replaces its original.
  const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
  if (!locks) return () => undefined;
  return new Promise((resolve) => {
    const options = { signal: AbortSignal.timeout(HANDOVER_MS) };
    locks
      .request(`${DEVICE}.${id}`, options, () => new Promise<void>((release) => resolve(release)))
      .catch(() => resolve(null));
  });
}

/** Storage may be switched off in the browser: then everything lasts as long as the page. */
export function storage(kind: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return globalThis[kind] ?? null;
  } catch {
    return null;
  }
}

function kept(store: Storage | null, name: string, make: () => string): string {
  const found = store?.getItem(name);
  if (found) return found;
  const made = make();
  try {
    store?.setItem(name, made);
  } catch {
    // Full, or read only: it lasts as long as the page.
  }
  return made;
}
