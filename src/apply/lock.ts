/** Takes the lock on hosts in sorted order, holds it through the connections, gives it back. */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../domain/errors.ts';
import { compareText } from '../domain/plan.ts';
import type { Connection } from '../transport/transport.ts';
import { giveBack, type Holder, startBeating, watchHolders } from './lock-holders.ts';
import {
  LOCK_HELD,
  LOCK_LOOKED,
  LOCK_TAKEN,
  LOCK_TAKEN_OVER,
  type LockOwner,
  lockScript,
  TAKE,
} from './lock-script.ts';

/** Who holds it, since when, and why: far less than this. */
const ANSWER_LIMIT_BYTES = 64 * 1024;
/** The script gives up waiting for others after about 100 s. */
const ANSWER_TIMEOUT_S = 180;
/** As much as any other script may print, and as long as any other look may take. */
const LOOK_LIMIT_BYTES = 64 * 1024 * 1024;
const LOOK_TIMEOUT_S = 30;

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
  readonly look?: LockLook | undefined;
}

/** What every host does at once when it is locked, while the next one is. */
export interface LockLook {
  /** POSIX sh, run as root by the lock's own script. */
  script(host: string): string;
  /** Told what it prints; the promise rejects with QuorateError where that does not come. */
  onLooked(host: string, output: Promise<string>): void;
}

/**
 * Locks every one of `connections`, one after the other in the order of their names, so that of two runs one wins; their
 * scripts are started all at once before. When one is held by somebody else, those taken so far are given back.
 * @throws QuorateError locked, with who holds it since when; unreachable.
 */
export async function takeLock(
  connections: readonly Connection[],
  owner: Omit<LockOwner, 'token'>,
  { now = Date.now, look }: LockOptions = {},
): Promise<HeldLock> {
  const token = randomBytes(16).toString('hex');
  const waiting = await startAll(connections, { ...owner, token }, look);
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
      const { answer, answers } = await take(each, look === undefined ? ANSWER_LIMIT_BYTES : LOOK_LIMIT_BYTES);
      holders.push(each);
      watch.add(each);
      look?.onLooked(each.host, lookedAt(answers));
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
async function startAll(
  connections: readonly Connection[],
  owner: LockOwner,
  look: LockLook | undefined,
): Promise<readonly Holder[]> {
  const sorted = [...connections].sort((a, b) => compareText(a.host, b.host));
  const start = (connection: Connection) => {
    const script = lockScript(owner, { look: look?.script(connection.host) });
    return connection.start({ script, root: true, label: 'take the lock' });
  };
  const settled = await Promise.allSettled(sorted.map(start));
  const started = settled.flatMap((each, index) =>
    each.status === 'fulfilled' ? [{ host: sorted[index]?.host ?? '', process: each.value }] : [],
  );
  for (const { process } of started) process.done.catch(() => undefined);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return started;
  for (const { process } of started) process.close();
  throw failed.reason;
}

async function take(
  holder: Holder,
  limitBytes: number,
): Promise<{ readonly answer: string; readonly answers: Answers }> {
  const { host, process } = holder;
  process.stderr.resume();
  const answers = answersOf(holder, limitBytes);
  process.stdin.write(TAKE);
  const answer = await answers.next(ANSWER_TIMEOUT_S);
  if (answer === LOCK_TAKEN || answer === LOCK_TAKEN_OVER) return { answer, answers };
  if (answer !== LOCK_HELD) {
    process.close();
    throw new QuorateError('step-failed', `${host}: the lock could not be taken`, {
      host,
      hint: 'look at /var/lib/quorate on that host: is the disk full or read-only?',
    });
  }
  throw await heldBy(host, () => answers.next(ANSWER_TIMEOUT_S));
}

/** What the host printed up to the end of its look. */
async function lookedAt(answers: Answers): Promise<string> {
  const lines: string[] = [];
  const late = after(LOOK_TIMEOUT_S);
  for (;;) {
    const line = await answers.next(LOOK_TIMEOUT_S, late);
    if (line === undefined || line === LOCK_LOOKED) return `${lines.join('\n')}\n`;
    lines.push(line);
  }
}

interface Answers {
  /** The next line, undefined once the script has ended. @throws QuorateError step-failed for more, or later, than it may */
  next(seconds: number, late?: Promise<typeof LATE>): Promise<string | undefined>;
}

const LATE = Symbol('late');

function after(seconds: number): Promise<typeof LATE> {
  return sleep(seconds * 1000, LATE, { ref: false });
}

/** The script's lines, one after another. What it says is read on, so that it can end. */
function answersOf({ host, process }: Holder, limitBytes: number): Answers {
  let sizeBytes = 0;
  process.stdout.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) process.close();
  });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const next: Answers['next'] = async (seconds, late = after(seconds)) => {
    const line = await Promise.race([lines.next(), late]);
    if (line === LATE) {
      process.close();
      throw unsound(host, `says nothing within ${seconds} s`);
    }
    if (sizeBytes > limitBytes) throw unsound(host, `says more than ${limitBytes / 1024} KiB`);
    return line.done === true ? undefined : line.value;
  };
  return { next };
}

function unsound(host: string, what: string): QuorateError {
  return new QuorateError('step-failed', `${host}: its lock ${what}`, {
    host,
    hint: 'look at that host: is its disk stuck, does its login shell print without end?',
  });
}

async function heldBy(host: string, next: () => Promise<string | undefined>): Promise<QuorateError> {
  await next();
  const owner = (await next()) ?? '';
  const command = await next();
  const since = await next();
  const alive = (await next()) === 'yes';
  const scripts = (await next())?.trim();
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
