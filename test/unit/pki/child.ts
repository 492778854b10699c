/** What the tests of this folder run in processes of their own: `count DIR TIMES`, `issue DIR IDENTITY TIMES`, `authorities DIR IDENTITY [STOP-AT]`, `hold DIR`. */
import { generateKeyPairSync } from 'node:crypto';
import { withFileLock } from '../../../src/files/lock.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { openCustody } from '../../../src/pki/custody.ts';
import { systemEntropy } from '../../../src/pki/entropy.ts';
import { openFileStore } from '../../../src/pki/file-store.ts';
import { issueMembers } from '../../../src/pki/members.ts';
import { readDocument } from '../../../src/pki/state.ts';
import { type PkiStore, updateObject } from '../../../src/pki/store.ts';

const [verb = '', folder = '', ...rest] = process.argv.slice(2);

const verbs: Readonly<Record<string, () => Promise<void>>> = {
  /** Adds one to a number in the store, again and again: a lost update shows in the sum. */
  count: async () => {
    const store = openFileStore(folder);
    for (let i = 0; i < Number(rest[0]); i++) {
      await updateObject(store, 'count', (bytes) => String(Number(bytes ?? 0) + 1));
    }
  },
  /** Swaps from the version that is there when a line comes on stdin; prints won or lost. */
  race: async () => {
    const store = openFileStore(folder);
    const current = await store.read('race');
    process.stdout.write('ready\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.pause();
    const won = await store.swap('race', current?.version ?? null, `by ${process.pid}`).then(
      () => true,
      () => false,
    );
    process.stdout.write(won ? 'won\n' : 'lost\n');
  },
  issue: async () => {
    const context = await contextOf(openFileStore(folder), rest[0] ?? '');
    for (let i = 0; i < Number(rest[1]); i++) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const spki = publicKey.export({ type: 'spki', format: 'pem' });
      const request = { member: `m-${process.pid}-${i}`, publicKey: spki, sans: { dns: ['m'], ip: [] }, why: 'race' };
      await issueMembers(context, [
        { ...request, purpose: 'server' },
        { ...request, purpose: 'peer' },
      ]);
    }
  },
  authorities: async () => {
    const store = openFileStore(folder);
    const context = await contextOf(stoppingAt(store, rest[1] ?? ''), rest[0] ?? '');
    await createAuthorities(context, 'bootstrap');
  },
  /** Holds a lock until it is killed. */
  hold: async () => {
    await withFileLock(folder, { timeoutMs: 1000 }, async () => {
      process.stdout.write('ready\n');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });
  },
};

async function contextOf(store: PkiStore, identity: string) {
  const { uuid } = await readDocument(store);
  const policy = {
    authorities: 'separate',
    external: [],
    algorithm: 'ecdsa-p256',
    caLifetimeDays: 3650,
    leafLifetimeDays: 365,
    backdateMinutes: 5,
    renewBefore: { share: 1 / 3 },
    nameConstraints: undefined,
    organization: '',
    recipients: [],
    identityFile: undefined,
  } as const;
  const custody = await openCustody([identity], []);
  return { store, custody, policy, uuid, entropy: systemEntropy, now: Date.now, who: `child-${process.pid}` };
}

/** The process kills itself before its first write of `key`. */
function stoppingAt(store: PkiStore, key: string): PkiStore {
  return {
    ...store,
    swap: async (each, expected, bytes) => {
      if (each === key) process.kill(process.pid, 'SIGKILL');
      return store.swap(each, expected, bytes);
    },
  };
}

await verbs[verb]?.();
