/** Which hosts a run locks, and how locks left behind are released. */
import { type HeldLock, type LockLook, type LockOptions, takeLock } from '../apply/lock.ts';
import { unlockScript } from '../apply/lock-script.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import type { Plan } from '../domain/plan.ts';
import { majority } from '../domain/quorum.ts';
import { OPERATOR } from '../domain/step.ts';
import { votersOf } from '../domain/voters.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';
import type { Process } from './process.ts';

const UNLOCK_TIMEOUT_MS = 30_000;

/** Locks every host that the plan changes and every voter that is reached: at least a majority is among them. */
export async function lockHosts(
  connections: ReadonlyMap<string, Connection>,
  plan: Plan,
  input: { readonly process: Process; readonly command: string } & Pick<LockOptions, 'look'>,
): Promise<HeldLock> {
  const { process, look } = input;
  const owner = {
    owner: `${process.who} (pid ${process.pid})`,
    command: input.command === '' ? plan.verb : input.command,
    since: new Date(process.now()).toISOString(),
  };
  return takeLock([...connections.values()], owner, { look });
}

/** What a host's look printed under the lock; rejects where the lock is not had. */
export type Looked = (host: string) => Promise<string>;

/**
 * Locks as {@link lockHosts} does; each host is looked at by the script that locks it, in the moment in which it is locked. Endpoints are asked behind all of them.
 * @throws QuorateError where the lock is not had, or what `look` throws, with the lock given back
 */
export async function lockAndLook<T>(
  hosts: readonly string[],
  lock: (onLooked: LockLook['onLooked']) => Promise<HeldLock>,
  look: (looked: Looked) => Promise<T>,
): Promise<{ readonly lock: HeldLock; readonly seen: T }> {
  const outputs = new Map(hosts.map((host) => [host, pending<string>()]));
  const locking = lock((host, output) => outputs.get(host)?.resolve(output));
  const looking = look((host) => outputs.get(host)?.promise ?? Promise.reject(new Error(`${host}: is not locked`)));
  looking.catch(() => undefined);
  const held = await locking.catch((error: unknown) => {
    for (const { reject } of outputs.values()) reject(error);
    throw error;
  });
  try {
    return { lock: held, seen: await looking };
  } catch (error) {
    await held.release();
    throw error;
  }
}

function pending<T>() {
  let resolve: (value: T | Promise<T>) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((settle, fail) => {
    [resolve, reject] = [settle, fail];
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/**
 * Before anything is locked: a run holds most of the voters, and every host that it changes; a dead host that is replaced cannot be locked.
 * @throws QuorateError unreachable
 */
export function requireLockable(plan: Plan, { cluster, facts }: View, reached: ReadonlyMap<string, Connection>): void {
  const changed = new Set(plan.stages.flatMap((each) => each.steps.map((step) => step.host)));
  const missing = [...changed].filter((host) => host !== OPERATOR && !reached.has(host));
  if (missing.length > 0) {
    throw new QuorateError('unreachable', `${missing.join(', ')}: cannot be reached, and would be changed`, {
      hint: 'let quorate reach it, and run the same command again',
    });
  }
  const voters = votersOf(cluster, facts).map((each) => each.name);
  const held = voters.filter((each) => reached.has(each));
  if (held.length >= majority(voters.length)) return;
  throw new QuorateError(
    'unreachable',
    `${held.length} of the hosts of ${voters.length} voters are reached, and a run locks most of them: another one could change the cluster meanwhile`,
    {
      hint: `let quorate reach ${voters.filter((each) => !reached.has(each)).join(', ')}`,
    },
  );
}

/** Releases every lock whose holder and scripts have ended; says what was found, host by host. */
export async function unlockHosts(
  facts: Facts,
  connections: ReadonlyMap<string, Connection>,
): Promise<readonly { host: string; outcome: 'none' | 'released' | 'held'; text: string }[]> {
  return Promise.all(
    [...connections.values()].map(async (connection) => {
      const { host } = connection;
      const lock = facts.hosts[host]?.records.lock;
      if (lock === undefined) return { host, outcome: 'none' as const, text: 'not locked' };
      const script = { script: unlockScript(lock.token), root: true, label: 'releasing the lock' };
      const { stdout } = await connection.run(script, { timeoutMs: UNLOCK_TIMEOUT_MS });
      const who = `locked by ${lock.owner} since ${lock.since} (${lock.command})`;
      if (stdout.trim() === 'released')
        return { host, outcome: 'released' as const, text: `${who}: its owner is gone; released` };
      if (stdout.trim() === 'none') return { host, outcome: 'none' as const, text: `${who}: released meanwhile` };
      const alive = lock.holderAlive ? 'its connection is alive' : `its scripts run: ${lock.scripts.join(', ')}`;
      return { host, outcome: 'held' as const, text: `${who}: ${alive}` };
    }),
  );
}
