/** Which hosts a run locks, and how locks left behind are released. */
import { once } from 'node:events';
import { type HeldLock, type LockOptions, takeLock } from '../apply/lock.ts';
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
  input: { readonly process: Process; readonly command: string } & Pick<LockOptions, 'onTaken'>,
): Promise<HeldLock> {
  const { process, onTaken } = input;
  const owner = {
    owner: `${process.who} (pid ${process.pid})`,
    command: input.command === '' ? plan.verb : input.command,
    since: new Date(process.now()).toISOString(),
  };
  return takeLock([...connections.values()], owner, { onTaken });
}

/**
 * Locks as {@link lockHosts} does and looks at the hosts meanwhile, at each from the moment on in which it is locked; endpoints are asked behind all of them.
 * @throws QuorateError where the lock is not had, or what `look` throws, with the lock given back
 */
export async function lockAndLook<T>(
  hosts: readonly string[],
  lock: (onTaken: (host: string) => void) => Promise<HeldLock>,
  look: (locked: (host: string) => Promise<void>) => Promise<T>,
): Promise<{ readonly lock: HeldLock; readonly seen: T }> {
  const gates = new Map(hosts.map((host) => [host, new AbortController()]));
  const lost = new AbortController();
  const locking = lock((host) => gates.get(host)?.abort());
  const looking = look((host) => opened(gates.get(host)?.signal, lost.signal));
  looking.catch(() => undefined);
  const held = await locking.catch((error: unknown) => {
    lost.abort();
    throw error;
  });
  try {
    return { lock: held, seen: await looking };
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** Resolves once `gate` is aborted; rejects once `lost` is. */
async function opened(gate: AbortSignal | undefined, lost: AbortSignal): Promise<void> {
  if (gate !== undefined && !gate.aborted && !lost.aborted) await once(AbortSignal.any([gate, lost]), 'abort');
  lost.throwIfAborted();
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
