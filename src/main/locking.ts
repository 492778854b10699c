/** Which hosts a run locks, and how locks left behind are released. */
import { type HeldLock, takeLock } from '../apply/lock.ts';
import { unlockScript } from '../apply/lock-script.ts';
import type { Facts } from '../domain/facts.ts';
import type { Plan } from '../domain/plan.ts';
import type { Connection } from '../transport/transport.ts';
import type { Process } from './process.ts';

const UNLOCK_TIMEOUT_MS = 30_000;

/** Locks every host that the plan changes and every voter that is reached: at least a majority is among them. */
export async function lockHosts(
  connections: ReadonlyMap<string, Connection>,
  plan: Plan,
  input: { readonly process: Process; readonly command: string },
): Promise<HeldLock> {
  const { process } = input;
  return takeLock([...connections.values()], {
    owner: `${process.who} (pid ${process.pid})`,
    command: input.command === '' ? plan.verb : input.command,
    since: new Date(process.now()).toISOString(),
  });
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
