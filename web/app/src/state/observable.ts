// Something that changes and tells who looks at it: the only link between state and page.

import { useEffect, useReducer } from "preact/hooks";

export class Observable {
  readonly #watchers = new Set<() => void>();

  /** Calls `watcher` after each change; returns how to stop that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  protected changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Draws the component again whenever `source` changes. */
export function useObservable<T extends Observable>(source: T): T {
  useSubscription((redraw) => source.watch(redraw), source);
  return source;
}

/** Draws the component again whenever `subscribe`'s callback is called; subscribes anew when `source` is another. */
export function useSubscription(subscribe: (redraw: () => void) => () => void, source: unknown): void {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useEffect(() => {
    const stop = subscribe(redraw);
    // What changed between drawing and subscribing would be missed otherwise.
    redraw();
    return stop;
  }, [source]);
}
