/** Makes a cluster's certificates old: the same keys, names and authorities, with dates that have passed. On hosts and with the operator, as time would. */
import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as age from 'age-encryption';
import { Decrypter } from 'age-encryption';
import type { KeyAlgorithm } from '../../src/domain/cluster.ts';
import type { LabHost } from '../../src/lab/host.ts';
import { renewAuthorityCertificate } from '../../src/pki/authority-certificate.ts';
import { readRevocationList, signRevocationList } from '../../src/pki/crl.ts';
import { systemEntropy } from '../../src/pki/entropy.ts';
import { type CertificateFacts, readCertificate, splitPem } from '../../src/pki/inspect.ts';
import { issueLeaf, signerOf } from '../../src/pki/issue.ts';
import type { LeafProfile } from '../../src/pki/profile.ts';
import { readPublicKey } from '../../src/pki/public-key.ts';
import type { Stage } from './stage.ts';

const dayMs = 86_400_000;
/** The inventory's default. */
const algorithm: KeyAlgorithm = 'ecdsa-p256';
const purposes = ['server', 'peer', 'client'] as const;

type Purpose = (typeof purposes)[number];

interface Aged {
  readonly lifeDays: number;
  readonly endedDaysAgo: number;
}

const usual: Aged = { lifeDays: 30, endedDaysAgo: 3 };

/** The leaves of all members (or of these) have expired three days ago, and so has the operator's own where all have. */
export async function expireLeaves(stage: Stage, numbers?: readonly number[]): Promise<void> {
  const hosts = numbers === undefined ? stage.lab.hosts : numbers.map((number) => stage.host(number));
  for (const host of hosts) for (const purpose of purposes) await reissueOn(host, stage, purpose);
  if (numbers === undefined) await reissueAdmin(stage);
}

/** Both authorities have expired three days ago, and with them every leaf; every member was restarted since. */
export async function expireAuthorities(stage: Stage): Promise<void> {
  const made = await Promise.all((['client', 'peer'] as const).map((name) => ageAuthority(stage, name)));
  const [client = '', peer = ''] = made;
  await expireLeaves(stage);
  for (const host of stage.lab.hosts) {
    await host.putFile('/etc/etcd/pki/ca.crt', client, 0o644);
    await host.putFile('/etc/etcd/pki/peer-ca.crt', peer, 0o644);
  }
  await Promise.all(stage.lab.hosts.map((host) => host.exec('systemctl restart --no-block etcd')));
}

/** The list of revoked clients ends in 20 days, after 80; with the operator and on every host. */
export async function ageClientList(stage: Stage): Promise<void> {
  const { pem, key } = await readAuthority(stage, 'client');
  const signer = signerOf(pem, (data, hash) => sign(hash, data, key));
  const path = join(stateFolder(stage), 'crl', 'client-1.crl');
  const { number, revoked } = readRevocationList(await readFile(path));
  const dates = { thisUpdate: wholeDay(-80), nextUpdate: wholeDay(20) };
  const der = signRevocationList(signer, { number: number + 1, revoked, ...dates });
  await writeFile(path, der, { mode: 0o600 });
  const base64 = der.toString('base64');
  await Promise.all(stage.lab.hosts.map((host) => host.sh(`echo ${base64} | base64 -d >/etc/etcd/pki/client.crl`)));
}

function wholeDay(days: number): number {
  return (Math.floor(Date.now() / dayMs) + days) * dayMs;
}

async function ageAuthority(stage: Stage, name: 'client' | 'peer'): Promise<string> {
  const { pem, key } = await readAuthority(stage, name);
  const facts = readCertificate(pem);
  const { pem: aged } = renewAuthorityCertificate({
    current: facts,
    publicKey: publicKeyOf(pem),
    sign: (data, hash) => sign(hash, data, key),
    policy: { caLifetimeDays: 365, backdateMinutes: 5, nameConstraints: undefined },
    serial: systemEntropy.serial(),
    now: Date.now() - (365 + usual.endedDaysAgo) * dayMs,
  });
  await writeFile(join(stateFolder(stage), 'ca', `${name}-1.crt`), aged, { mode: 0o600 });
  return aged;
}

async function reissueOn(host: LabHost, stage: Stage, purpose: Purpose): Promise<void> {
  const path = `/etc/etcd/pki/${purpose}.crt`;
  await host.putFile(path, await reissued(stage, purpose, await host.sh(['cat', path])), 0o644);
}

async function reissueAdmin(stage: Stage): Promise<void> {
  const path = join(stateFolder(stage), 'clients', 'admin.crt');
  await writeFile(path, await reissued(stage, 'client', await readFile(path, 'utf8')), { mode: 0o600 });
}

/** The same certificate with dates that have passed. */
async function reissued(stage: Stage, purpose: Purpose, pem: string): Promise<string> {
  const [first = ''] = splitPem(pem);
  const { pem: authority, key } = await readAuthority(stage, purpose === 'peer' ? 'peer' : 'client');
  const now = Date.now() - (usual.lifeDays + usual.endedDaysAgo) * dayMs;
  const signer = signerOf(authority, (data, hash) => sign(hash, data, key));
  const facts = { ...signer.facts, notBefore: now - dayMs, notAfter: Date.now() };
  return issueLeaf(
    { ...signer, facts },
    {
      profile: profileOf(readCertificate(first), purpose),
      publicKey: publicKeyOf(first),
      policy: { leafLifetimeDays: usual.lifeDays, backdateMinutes: 5 },
      serial: systemEntropy.serial(),
      now,
    },
  ).pem;
}

function profileOf({ commonName, organization, sans }: CertificateFacts, purpose: Purpose): LeafProfile {
  return { purpose, commonName, organization, sans, algorithm };
}

function publicKeyOf(pem: string) {
  const { publicKey } = new X509Certificate(pem);
  return readPublicKey(publicKey.export({ type: 'spki', format: 'der' }), algorithm);
}

async function readAuthority(
  stage: Stage,
  name: 'client' | 'peer',
): Promise<{ readonly pem: string; readonly key: KeyObject }> {
  const state = stateFolder(stage);
  const identity = /^AGE-SECRET-KEY-.*$/m.exec(await readFile(join(stage.folder, 'identity.txt'), 'utf8'))?.[0] ?? '';
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const armored = await readFile(join(state, 'ca', `${name}-1.key.age`), 'utf8');
  const key = createPrivateKey(await decrypter.decrypt(age.armor.decode(armored), 'text'));
  return { pem: await readFile(join(state, 'ca', `${name}-1.crt`), 'utf8'), key };
}

function stateFolder(stage: Stage): string {
  return join(stage.folder, '.quorate', stage.cluster);
}
