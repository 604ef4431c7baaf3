// What the browser tells a page about its network and its life.

export interface PageLife {
  /** The network has changed or come back. */
  network(): void;
  /** The page can be seen again, after timers may have slept. */
  visible(): void;
  /** The page goes: for good, or into the back/forward cache. */
  hide(): void;
  /** It came back from that cache. */
  restored(): void;
}

/** Follow the page's life; returns how to stop. Does nothing where there is no page. */
export function followPage(life: PageLife): () => void {
  if (typeof window === "undefined") return () => undefined;
  const stop = new AbortController();
  const options = { signal: stop.signal };
  window.addEventListener("online", () => life.network(), options);
  window.addEventListener("pagehide", () => life.hide(), options);
  window.addEventListener("pageshow", (event) => event.persisted && life.restored(), options);
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && life.visible(),
    options,
  );
  connection()?.addEventListener("change", () => life.network(), options);
  return () => stop.abort();
}

/** Network Information API: not in every browser, nor in TypeScript's types. */
function connection(): EventTarget | undefined {
  return (navigator as Navigator & { connection?: EventTarget }).connection;
}
