/** What issuing.ts runs in a process of its own, `issue.js WHO ALGORITHM MEMBERS FOLDER`: `{certificates, ms}` on stdout. */
import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { join } from 'node:path';
import type { Cluster, KeyAlgorithm } from '../../src/domain/cluster.ts';
import { leafPurposes } from '../../src/domain/step.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import { resolveCluster } from '../../src/inventory/resolve.ts';
import { createAuthorities } from '../../src/pki/authorities.ts';
import type { PkiContext } from '../../src/pki/context.ts';
import { openCustody } from '../../src/pki/custody.ts';
import { systemEntropy } from '../../src/pki/entropy.ts';
import { openFileStore } from '../../src/pki/file-store.ts';
import { issueMembers } from '../../src/pki/members.ts';
import { keyAlgorithms } from '../../src/pki/public-key.ts';
import { createCluster } from '../../src/pki/state.ts';

const [who = '', name, members = '', folder = ''] = process.argv.slice(2);
const algorithm = keyAlgorithms.find((each) => each === name);
if (algorithm === undefined) throw new Error(`${name}: no key algorithm`);
const count = Number(members);
const work = who === 'bare' ? await prepareBare(algorithm) : await prepareQuorate(algorithm);
const startedAt = performance.now();
const certificates = await work();
process.stdout.write(JSON.stringify({ certificates, ms: performance.now() - startedAt }));

/** A store with its authorities; the work is keys and certificates for every member, in one go. */
async function prepareQuorate(keys: KeyAlgorithm): Promise<() => Promise<number>> {
  const cluster = clusterOf(keys);
  const { generateIdentity } = await import('age-encryption');
  const store = openFileStore(folder);
  const uuid = randomUUID();
  await createCluster(store, { uuid, name: cluster.name, token: 'bench' }, Date.now());
  const custody = await openCustody([await generateIdentity()], []);
  const context: PkiContext = {
    ...{ store, custody, policy: cluster.pki, uuid, entropy: systemEntropy },
    ...{ now: Date.now, who: 'bench' },
  };
  await createAuthorities(context, 'a benchmark');
  return async () => {
    const wanted = cluster.controllers.flatMap(({ name: member, sans }) =>
      leafPurposes.map((purpose) => ({ member, sans, purpose, why: 'a benchmark' })),
    );
    const requests = await Promise.all(wanted.map(async (each) => ({ ...each, publicKey: await newPublicKey(keys) })));
    return (await issueMembers(context, requests)).length;
  };
}

async function newPublicKey(keys: KeyAlgorithm): Promise<Buffer> {
  return createPublicKey(await systemEntropy.privateKey(keys)).export({ type: 'spki', format: 'der' });
}

/** As many keys and signatures, and nothing else. */
async function prepareBare(keys: KeyAlgorithm): Promise<() => Promise<number>> {
  const make = () =>
    keys.startsWith('rsa')
      ? generateKeyPairSync('rsa', { modulusLength: Number(keys.slice('rsa-'.length)) })
      : generateKeyPairSync('ec', { namedCurve: keys === 'ecdsa-p384' ? 'P-384' : 'P-256' });
  const authority = make().privateKey;
  const body = Buffer.alloc(600, 1);
  const certificates = count * leafPurposes.length;
  return async () => {
    for (let index = 0; index < certificates; index += 1) {
      make();
      sign('sha256', body, authority);
    }
    return certificates;
  };
}

function clusterOf(keys: KeyAlgorithm): Cluster {
  const controllers = Array.from({ length: count }, (_, index) => {
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    return `  etcd-${index}: { address: ${address} }`;
  });
  const text = [
    'apiVersion: quorate/v1',
    'cluster: { name: bench, version: 3.6.16 }',
    'ssh: { user: root }',
    'controllers:',
    ...controllers,
    `pki: { algorithm: ${keys} }`,
  ].join('\n');
  const source = { fileName: join(folder, 'bench.yml'), env: {}, directory: folder, home: folder };
  return resolveCluster(parseInventory(text, source));
}
