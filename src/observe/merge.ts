/** Several streams of journal lines as one, by time, with bounded memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalLine } from '../domain/journal.ts';

type Lines = AsyncIterable<JournalLine>;

/** The lines of streams that end, each in the order of its time: holds one line of each. */
export async function* mergeEnding(sources: readonly Lines[]): AsyncGenerator<JournalLine> {
  const iterators = sources.map((each) => each[Symbol.asyncIterator]());
  const heads = await Promise.all(iterators.map((each) => each.next()));
  try {
    for (;;) {
      const first = earliest(heads);
      if (first === undefined) return;
      yield first.line;
      const next = await iterators[first.index]?.next();
      heads[first.index] = next ?? { done: true, value: undefined };
    }
  } finally {
    await Promise.all(iterators.map((each) => each.return?.()));
  }
}

function earliest(
  heads: readonly IteratorResult<JournalLine>[],
): { readonly line: JournalLine; readonly index: number } | undefined {
  let found: { readonly line: JournalLine; readonly index: number } | undefined;
  for (const [index, head] of heads.entries()) {
    if (head.done === true) continue;
    if (found === undefined || head.value.at < found.line.at) found = { line: head.value, index };
  }
  return found;
}

/** How long a line waits for earlier ones of other hosts. */
const HOLD_MS = 250;
/** So many lines wait at most; then hosts are read no further until some were taken. */
const HELD_LINES = 2_000;

/** The lines of streams that go on: a line waits a moment for earlier ones of other hosts, and for no host that is silent. */
export async function* mergeLive(sources: readonly Lines[]): AsyncGenerator<JournalLine> {
  let held: JournalLine[] = [];
  let open = sources.length;
  const arrived = bell();
  const taken = bell();
  const pumps = sources.map(async (source) => {
    try {
      for await (const line of source) {
        while (held.length >= HELD_LINES) await taken.rung();
        held.push(line);
        arrived.ring();
      }
    } finally {
      open -= 1;
      arrived.ring();
    }
  });
  const all = Promise.all(pumps);
  all.catch(() => undefined);
  while (open > 0 || held.length > 0) {
    if (held.length === 0) await arrived.rung();
    if (open > 0) await sleep(HOLD_MS);
    const batch = held.toSorted((left, right) => left.at - right.at);
    held = [];
    taken.ring();
    yield* batch;
  }
  await all;
}

interface Bell {
  ring(): void;
  /** Resolves at the next ring. */
  rung(): Promise<void>;
}

function bell(): Bell {
  let waiting: (() => void)[] = [];
  return {
    ring: () => {
      const all = waiting;
      waiting = [];
      for (const each of all) each();
    },
    rung: () => new Promise((resolve) => waiting.push(resolve)),
  };
}
