/** The operator's steps of upgrades and downgrades: the snapshot before, checks, and what has to be waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compareHashes } from '../domain/divergence.ts';
import { QuorateError } from '../domain/errors.ts';
import { newestSnapshot, raftSnapshotFolder } from '../domain/raft-snapshot.ts';
import { quote } from '../domain/shell-quote.ts';
import type { Step } from '../domain/step.ts';
import { compareVersions, minorOf } from '../domain/version.ts';
import type { EndpointStatus, EtcdClient } from '../etcd/client.ts';
import { takeHashes } from '../observe/hashes.ts';
import { askVersions, type Reach, withClients } from './member-clients.ts';
import { type SavedSnapshot, saveSnapshot } from './save-snapshot.ts';
import { requireMinorStarts } from './version-checks.ts';

export interface VersionContext extends Reach {
  readonly signal: AbortSignal;
  now(): number;
}

type VersionStep = Step<
  'snapshot.save' | 'version.check' | 'version.await' | 'raft.snapshot' | 'downgrade.enable' | 'downgrade.cancel'
>;

/** Performs one of them; what is worth telling of it. @throws QuorateError */
export async function performVersionStep(step: VersionStep, context: VersionContext): Promise<string | undefined> {
  switch (step.kind) {
    case 'snapshot.save': {
      const { path, sizeBytes } = await saveLeader(step.version, context);
      return `snapshot: ${path} (${sizeBytes} octets, sha256 checked; it holds every secret in etcd)`;
    }
    case 'version.check':
      await checkHop(step, context);
      return undefined;
    case 'version.await':
      await awaitVersion(step.version, context);
      return undefined;
    case 'raft.snapshot':
      return forceSnapshots(step.members, context);
    case 'downgrade.enable':
      await enableDowngrade(step.minor, context);
      return undefined;
    case 'downgrade.cancel':
      await cancelDowngrade(context);
      return undefined;
  }
}

const SNAPSHOT_TIMEOUT_MS = 30 * 60_000;

/** Of the leader, which has every entry that is committed. */
async function saveLeader(version: string, context: VersionContext): Promise<SavedSnapshot> {
  const { cluster, signal } = context;
  return withClients(context, names(context), {
    signal,
    use: async (clients) => {
      const [leader] = await leaderFirst(clients);
      if (leader === undefined) throw new QuorateError('step-failed', 'no member gives a snapshot');
      const [host, client] = leader;
      const time = new Date(context.now()).toISOString().replaceAll(/[-:]/g, '').replace(/\.\d+/, '');
      const source = { host, pieces: client.snapshot(SNAPSHOT_TIMEOUT_MS) };
      return saveSnapshot(source, `${cluster.stateDir}/snapshots`, `${cluster.name}-${version}-${time}.db`);
    },
  });
}

async function leaderFirst(
  clients: ReadonlyMap<string, EtcdClient>,
): Promise<readonly (readonly [string, EtcdClient])[]> {
  const asked = await Promise.all([...clients].map(async (each) => ({ each, status: await each[1].status() })));
  const leads = ({ leaderId, memberId }: EndpointStatus): number => (leaderId === memberId ? 0 : 1);
  return asked.toSorted((a, b) => leads(a.status) - leads(b.status)).map(({ each }) => each);
}

/** What must hold before the first member of a hop is touched, and again before its next ones where a run goes on. */
async function checkHop(step: Step<'version.check'>, context: VersionContext): Promise<void> {
  const { signal } = context;
  await withClients(context, names(context), {
    signal,
    use: async (clients) => {
      for (const [host, client] of clients) requireSound(host, await client.status(), step);
      const { state, differing } = compareHashes(await takeHashes(clients));
      if (state === 'equal') return;
      throw notSound(
        state === 'differs'
          ? `members do not hold the same data: ${differing.join(', ')}`
          : "members' data cannot be compared: they have compacted differently",
        'quorate verify -i FILE tells whose data differs; mend that member first',
      );
    },
  });
  await requireMinorStarts(step, context);
}

function requireSound(host: string, status: EndpointStatus, { from, to }: Step<'version.check'>): void {
  const between = [from, to].toSorted(compareVersions);
  const within =
    compareVersions(status.version, between[0] ?? '') >= 0 && compareVersions(status.version, between[1] ?? '') <= 0;
  if (!within)
    throw notSound(`${host}: runs etcd ${status.version}, which is not between ${from} and ${to}`, 'plan again');
  if (status.learner) throw notSound(`${host}: is a learner`, 'promote or remove it first');
  const [alarm] = status.alarms;
  if (alarm === undefined) return;
  throw notSound(
    `${host}: the alarm ${alarm.kind} is raised (member ${alarm.memberId})`,
    'clear it first: quorate doctor -i FILE',
  );
}

/** etcd looks at its members' versions every 4 s or 5 s (etcdserver/server.go, monitorVersionInterval). */
const AWAIT_MS = 60_000;
const POLL_MS = 500;

async function awaitVersion(version: string, context: VersionContext): Promise<void> {
  const minor = minorOf(version);
  await poll(AWAIT_MS, context, async () => {
    const told = await askVersions(context, names(context), context.signal);
    const missing = names(context).filter((name) => told[name]?.server !== version);
    if (missing.length > 0) return `${missing.join(', ')} do not run etcd ${version}`;
    const behind = names(context).filter((name) => !told[name]?.cluster.startsWith(`${minor}.`));
    return behind.length === 0 ? undefined : `${behind.join(', ')} call the cluster ${told[behind[0] ?? '']?.cluster}`;
  });
}

/** So many writes at most, one key each time: twice what the snapshot-count of the plan takes, and what others write comes to it. */
const WRITES = 400;
const WRITES_AT_ONCE = 20;
const SNAPSHOT_MS = 60_000;
const KEY = 'quorate/raft-snapshot';

/**
 * Raft snapshots are written every snapshot-count entries and at no other time: this writes until every one of these members has one past the last
 * entry that there was when it began.
 */
async function forceSnapshots(members: readonly string[], context: VersionContext): Promise<string> {
  const { signal } = context;
  return withClients(context, names(context), {
    signal,
    use: async (clients) => {
      const statuses = await Promise.all([...clients.values()].map((each) => each.status()));
      const needed = Math.max(...statuses.map((each) => each.raftIndex));
      const [writer] = await leaderFirst(clients);
      let writes = 0;
      await poll(SNAPSHOT_MS, context, async () => {
        const behind = await behindSnapshot(members, needed, context);
        if (behind.length === 0) return undefined;
        for (let each = 0; each < WRITES_AT_ONCE && writes < WRITES; each += 1, writes += 1) {
          await writer?.[1].put(KEY, `${needed}`);
        }
        return `no raft snapshot past entry ${needed} on ${behind.join(', ')} after ${writes} writes`;
      });
      await writer?.[1].delete(KEY);
      return `every member has a raft snapshot past entry ${needed} (${writes} writes to ${KEY})`;
    },
  });
}

async function behindSnapshot(
  members: readonly string[],
  needed: number,
  context: VersionContext,
): Promise<readonly string[]> {
  const { cluster, connections, signal } = context;
  const found = await Promise.all(
    members.map(async (name) => {
      const script = `ls -1 ${quote(raftSnapshotFolder(cluster))}`;
      const run = connections
        .get(name)
        ?.run({ script, root: true, label: 'looking for raft snapshots' }, { timeoutMs: 30_000, signal });
      const index = newestSnapshot(((await run)?.stdout ?? '').split('\n'));
      return index > needed ? [] : [name];
    }),
  );
  return found.flat();
}

async function enableDowngrade(minor: string, context: VersionContext): Promise<void> {
  const { signal } = context;
  const told = await askVersions(context, names(context), signal);
  const down = Object.values(told).some((each) => each.cluster.startsWith(`${minor}.`));
  await withClients(context, names(context), {
    signal,
    use: async (clients) => {
      const [leader] = await leaderFirst(clients);
      if (leader === undefined) throw new QuorateError('step-failed', 'no member can be asked for the downgrade');
      const [host, client] = leader;
      const status = await client.status();
      if (!down && status.downgradesTo !== minor) {
        await client.downgrade('validate', `${minor}.0`);
        await client.downgrade('enable', `${minor}.0`);
      }
      await poll(AWAIT_MS, context, async () => {
        const all = await Promise.all(
          [...clients].map(async ([name, each]) => ({ name, status: await each.status() })),
        );
        // etcd 3.5 tells no version of its data.
        const behind = all.filter(
          (each) => each.status.storageVersion !== '' && !each.status.storageVersion.startsWith(`${minor}.`),
        );
        return behind.length === 0
          ? undefined
          : `the data of ${behind.map((each) => each.name).join(', ')} has the form of ${behind[0]?.status.storageVersion} (${host} leads)`;
      });
    },
  });
}

/** It is no error that there is nothing to cancel. */
async function cancelDowngrade(context: VersionContext): Promise<void> {
  await withClients(context, names(context), {
    signal: context.signal,
    use: async (clients) => {
      const asked = await Promise.all([...clients.values()].map((each) => each.status()));
      if (asked.every((each) => each.downgradesTo === undefined)) return;
      const [leader] = await leaderFirst(clients);
      await leader?.[1].downgrade('cancel', '');
    },
  });
}

/** Looks until there is no objection. @throws QuorateError step-failed with the last one */
async function poll(
  timeoutMs: number,
  { signal, now }: VersionContext,
  objection: () => Promise<string | undefined>,
): Promise<void> {
  const begun = now();
  for (;;) {
    const found = await objection();
    if (found === undefined) return;
    if (now() - begun >= timeoutMs) {
      throw new QuorateError('step-failed', `after ${timeoutMs / 1000} s: ${found}`, {
        hint: 'look with quorate status -i FILE, and run the same command again: it goes on from here',
      });
    }
    signal.throwIfAborted();
    await sleep(POLL_MS, undefined, { ref: false });
  }
}

function names({ cluster }: VersionContext): readonly string[] {
  return cluster.controllers.map((each) => each.name);
}

function notSound(message: string, hint: string): QuorateError {
  return new QuorateError('refused', message, { hint });
}
