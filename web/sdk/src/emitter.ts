// Typed events. `on` returns the function that unsubscribes.

type Listener<Args extends unknown[]> = (...args: Args) => void;

/** How many events of a kind wait for their first listener. */
const HELD = 32;

export class Emitter<Events extends { [K in keyof Events]: unknown[] }> {
  #listeners = new Map<keyof Events, Set<Listener<never[]>>>();
  #held = new Map<keyof Events, unknown[][]>();

  /**
   * Events named in `held` wait for their first listener instead of being lost: a call may ring in the same
   * moment in which `connect()` resolves, before the page could subscribe.
   */
  constructor(held: (keyof Events)[] = []) {
    for (const event of held) this.#held.set(event, []);
  }

  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void {
    let set = this.#listeners.get(event);
    if (!set) this.#listeners.set(event, (set = new Set()));
    const entry = listener as unknown as Listener<never[]>;
    set.add(entry);
    const waiting = this.#held.get(event);
    if (waiting) {
      this.#held.delete(event);
      for (const args of waiting) call(listener, args as Events[K]);
    }
    return () => {
      set.delete(entry);
    };
  }

  emit<K extends keyof Events>(event: K, ...args: Events[K]): void {
    const waiting = this.#held.get(event);
    if (waiting) {
      waiting.push(args);
      if (waiting.length > HELD) waiting.shift();
      return;
    }
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      call(listener as unknown as Listener<Events[K]>, args);
    }
  }
}

/** A listener's mistake must stop neither the other listeners nor the protocol: it is reported and that is all. */
function call<Args extends unknown[]>(listener: Listener<Args>, args: Args): void {
  try {
    listener(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
