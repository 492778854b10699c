/** Takes the lock on hosts in sorted order, holds it through the connections, gives it back. */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { compareText } from '../domain/plan.ts';
import type { Connection } from '../transport/transport.ts';
import { giveBack, type Holder, startBeating, watchHolders } from './lock-holders.ts';
import { LOCK_HELD, LOCK_TAKEN, LOCK_TAKEN_OVER, type LockOwner, lockScript, TAKE } from './lock-script.ts';

/** Who holds it, since when, and why: far less than this. */
const ANSWER_LIMIT_BYTES = 64 * 1024;
/** The script gives up waiting for others after about 100 s. */
const ANSWER_TIMEOUT_MS = 180_000;

/** A lock that is held on every host it was asked for. */
export interface HeldLock {
  readonly token: string;
  /** Hosts on which a lock left behind by a run that is gone was taken over. */
  readonly takenOver: readonly string[];
  /** @throws QuorateError unreachable, locked, where a host may have given the lock to another run since */
  requireHeld(): void;
  release(): Promise<void>;
}

export interface LockOptions {
  /** Epoch milliseconds. */
  readonly now?: (() => number) | undefined;
  /** Called for each host once it is locked, while the next one is. */
  readonly onTaken?: ((host: string) => void) | undefined;
}

/**
 * Locks every one of `connections`, one after the other in the order of their names, so that of two runs one wins; their
 * scripts are started all at once before. When one is held by somebody else, those taken so far are given back.
 * @throws QuorateError locked, with who holds it since when; unreachable.
 */
export async function takeLock(
  connections: readonly Connection[],
  owner: Omit<LockOwner, 'token'>,
  { now = Date.now, onTaken }: LockOptions = {},
): Promise<HeldLock> {
  const token = randomBytes(16).toString('hex');
  const waiting = await startAll(connections, { ...owner, token });
  const holders: Holder[] = [];
  const takenOver: string[] = [];
  const heart = startBeating(holders, now);
  const watch = watchHolders();
  const release = async (): Promise<void> => {
    watch.stop();
    heart.stop();
    await Promise.allSettled(holders.map(giveBack));
  };
  try {
    for (const each of waiting) {
      const answer = await take(each);
      holders.push(each);
      watch.add(each);
      onTaken?.(each.host);
      if (answer === LOCK_TAKEN_OVER) takenOver.push(each.host);
    }
  } catch (error) {
    await release();
    for (const { process } of waiting.slice(holders.length)) process.close();
    throw error;
  }
  const requireHeld = (): void => {
    heart.requireBeating();
    watch.requireAlive();
  };
  return { token, takenOver, requireHeld, release };
}

/** A script on every host that waits for its word, sorted by host. */
async function startAll(connections: readonly Connection[], owner: LockOwner): Promise<readonly Holder[]> {
  const sorted = [...connections].sort((a, b) => compareText(a.host, b.host));
  const script = { script: lockScript(owner), root: true, label: 'take the lock' };
  const settled = await Promise.allSettled(sorted.map((each) => each.start(script)));
  const started = settled.flatMap((each, index) =>
    each.status === 'fulfilled' ? [{ host: sorted[index]?.host ?? '', process: each.value }] : [],
  );
  for (const { process } of started) process.done.catch(() => undefined);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return started;
  for (const { process } of started) process.close();
  throw failed.reason;
}

async function take({ host, process }: Holder): Promise<typeof LOCK_TAKEN | typeof LOCK_TAKEN_OVER> {
  process.stderr.resume();
  const next = answersOf({ host, process });
  process.stdin.write(TAKE);
  const answer = await next();
  if (answer === LOCK_TAKEN || answer === LOCK_TAKEN_OVER) return answer;
  if (answer !== LOCK_HELD) {
    process.close();
    throw new QuorateError('step-failed', `${host}: the lock could not be taken`, {
      host,
      hint: 'look at /var/lib/quorate on that host: is the disk full or read-only?',
    });
  }
  throw await heldBy(host, next);
}

/** The script's lines, one after another, '' once it has ended. What it says is read on, so that it can end. Throws `step-failed` for more, or later, than it ever says. */
function answersOf({ host, process }: Holder): () => Promise<string> {
  let sizeBytes = 0;
  process.stdout.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > ANSWER_LIMIT_BYTES) process.close();
  });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  return async () => {
    const line = await Promise.race([lines.next(), sleep(ANSWER_TIMEOUT_MS, 'late', { ref: false })]);
    if (typeof line === 'string') {
      process.close();
      throw unsound(host, `says nothing within ${ANSWER_TIMEOUT_MS / 1000} s`);
    }
    if (sizeBytes > ANSWER_LIMIT_BYTES) throw unsound(host, `says more than ${ANSWER_LIMIT_BYTES / 1024} KiB`);
    return line.done === true ? '' : line.value;
  };
}

function unsound(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: its lock ${what}`, {
    host,
    hint: 'look at that host: is its disk stuck, does its login shell print without end?',
  });
}

async function heldBy(host: string, next: () => Promise<string>): Promise<QuorateError> {
  await next();
  const owner = await next();
  const command = await next();
  const since = await next();
  const alive = (await next()) === 'yes';
  const scripts = (await next()).trim();
  if (owner === '') {
    return new QuorateError('locked', `${host}: other runs are asking for its lock in this moment`, {
      host,
      hint: 'run the same command again',
    });
  }
  const what = alive ? 'its connection is alive' : `a script of it still runs there (pid ${scripts})`;
  return new QuorateError('locked', `${host}: locked by ${owner} since ${since} (${command}); ${what}`, {
    host,
    hint: 'wait for that run, or look with quorate unlock -i FILE: it releases a lock whose owner is proved gone',
  });
}
