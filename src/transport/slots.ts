/** A counting semaphore: at most so many at a time, first come first served. */

/** Gives back what {@link Slots} handed out; calling it again does nothing. */
export type Release = () => void;

/** Resolves once a place is free. */
export type Slots = () => Promise<Release>;

/** Slots for `limit` holders at a time. */
export function createSlots(limit: number): Slots {
  const waiting: (() => void)[] = [];
  let free = limit;

  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };

  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return once(release);
  };
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
