/** The store against what was acknowledged: every member, linearizable and serializable, and the hashes of all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Calls, createCalls } from '../../../src/etcd/calls.ts';
import { connectSecurely } from '../../../src/etcd/secure.ts';
import { dial } from './dial.ts';
import { contentOf, keyOf, writtenAt } from './keys.ts';
import type { Material } from './material.ts';
import type { Endpoint, StoreVerdict } from './order.ts';

const PAGE = 2_000n;
const CALL_MS = 10_000;
/** For members that were stopped to come back and catch up. */
const PATIENCE_MS = 60_000;
const EXAMPLES = 20;

export interface Acknowledged {
  readonly prefix: string;
  readonly written: ReadonlyMap<string, ReadonlySet<number>>;
}

interface Reader {
  readonly name: string;
  readonly calls: Calls;
}

/** Throws where a member does not answer within a minute. */
export async function verifyStore(
  endpoints: readonly Endpoint[],
  material: Material,
  acknowledged: Acknowledged,
): Promise<StoreVerdict> {
  const readers = await Promise.all(endpoints.map((endpoint) => patiently(() => openReader(endpoint, material))));
  try {
    const revisions = await Promise.all(readers.map((each) => patiently(() => revisionOf(each))));
    const revision = Math.max(...revisions);
    for (const each of readers) await untilCaughtUp(each, revision);
    const views: View[] = [];
    for (const reader of readers) {
      for (const serializable of [false, true]) views.push(await look(reader, serializable, acknowledged));
    }
    const hashes = await Promise.all(readers.map(async (each) => [each.name, await hashOf(each, revision)] as const));
    return {
      looked: sum([...acknowledged.written.values()].map((each) => each.size)),
      lost: sum(views.map((each) => each.lost.length)),
      examples: views.flatMap((each) => each.lost.slice(0, 2)).slice(0, EXAMPLES),
      strangers: sum(views.map((each) => each.strangers)),
      revision,
      hashes: Object.fromEntries(hashes),
      hashesEqual: new Set(hashes.map(([, hash]) => hash)).size === 1,
    };
  } finally {
    for (const { calls } of readers) calls.close();
  }
}

async function openReader({ name, address, port }: Endpoint, material: Material): Promise<Reader> {
  const options = { host: name, stream: dial(address, port), identities: [address], timeoutMs: 5_000 };
  const socket = await connectSecurely({ ...options, tls: material(), alpn: ['h2'] });
  return { name, calls: createCalls(socket) };
}

/** The revision that the quorum has agreed on. */
async function revisionOf({ calls }: Reader): Promise<number> {
  const answer = await calls.kv.range({ key: Buffer.from('\0'), limit: 1n }, { timeoutMs: CALL_MS });
  return Number(answer.header?.revision ?? 0n);
}

async function untilCaughtUp({ name, calls }: Reader, revision: number): Promise<void> {
  await patiently(async () => {
    const answer = await calls.maintenance.status({}, { timeoutMs: CALL_MS });
    const reached = Number(answer.header?.revision ?? 0n);
    if (reached < revision) throw new Error(`${name}: is at revision ${reached}, not ${revision}`);
  });
}

interface View {
  readonly lost: readonly string[];
  readonly strangers: number;
}

async function look(reader: Reader, serializable: boolean, { prefix, written }: Acknowledged): Promise<View> {
  const missing = new Map([...written].map(([client, sequences]) => [client, new Set(sequences)]));
  const lost: string[] = [];
  let strangers = 0;
  const where = `${reader.name} ${serializable ? 'serializable' : 'linearizable'}`;
  for await (const { key, value } of pages(reader, prefix, serializable)) {
    const found = writtenAt(prefix, key);
    if (found === undefined) strangers += 1;
    else if (missing.get(found.client)?.delete(found.sequence) && value !== contentOf(prefix, found)) {
      lost.push(`${where}: ${key} is ${JSON.stringify(value.slice(0, 60))}`);
    }
  }
  for (const [client, sequences] of missing) {
    for (const sequence of sequences) lost.push(`${where}: ${keyOf(prefix, { client, sequence })} is missing`);
  }
  return { lost, strangers };
}

async function* pages({ calls }: Reader, prefix: string, serializable: boolean) {
  const rangeEnd = Buffer.from(
    `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`,
  );
  let key = Buffer.from(prefix);
  for (;;) {
    const answer = await calls.kv.range({ key, rangeEnd, limit: PAGE, serializable }, { timeoutMs: CALL_MS });
    for (const kv of answer.kvs) yield { key: text(kv.key), value: text(kv.value) };
    const last = answer.kvs.at(-1);
    if (!answer.more || last === undefined) return;
    key = Buffer.concat([last.key, Buffer.from([0])]);
  }
}

async function hashOf({ calls }: Reader, revision: number): Promise<number> {
  const answer = await calls.maintenance.hashKV({ revision: BigInt(revision) }, { timeoutMs: CALL_MS });
  return answer.hash;
}

async function patiently<T>(look: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(250);
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
