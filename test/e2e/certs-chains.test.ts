/** Real etcd as the judge of what our authorities sign: name constraints, and leaves that only a cross certificate leads to an authority that is trusted. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEtcd } from '../../src/etcd/client.ts';
import { presentCertificate, servedCertificate } from '../../src/etcd/prove.ts';
import type { TlsMaterial } from '../../src/etcd/secure.ts';
import { parseChain } from '../../src/pki/chain.ts';
import type { LeafProfile } from '../../src/pki/profile.ts';
import { authority, crossOf, leaf, type TestAuthority } from '../unit/pki/material.ts';
import { type RunningMember, releasedEtcd, startMembers, stopMembers, tcp } from './etcd-processes.ts';

const root = mkdtempSync(join(tmpdir(), 'quorate-chains-'));
const sans = { dns: ['member', 'localhost'], ip: ['127.0.0.1', '::1'] };
const member: LeafProfile = {
  purpose: 'server',
  commonName: 'member',
  organization: '',
  sans,
  algorithm: 'ecdsa-p256',
};
const noNames: LeafProfile = {
  ...member,
  purpose: 'client',
  commonName: 'backup.example.org',
  sans: { dns: [], ip: [] },
};

const old = authority({ nameConstraints: sans });
const successor = authority({ nameConstraints: sans });
const cross = crossOf(successor, old, { nameConstraints: sans });
const peers = { old: authority({ purpose: 'peer', nameConstraints: sans }), successor: authority({ purpose: 'peer' }) };
const peerCross = crossOf(peers.successor, peers.old);

afterAll(() => rm(root, { recursive: true, force: true }));

/** Certificate and key of a new leaf, and what stands behind it. */
function made(ca: TestAuthority, profile: LeafProfile, behind = ''): Omit<TlsMaterial, 'ca'> {
  const { pem, keys } = leaf(ca, profile);
  return { cert: pem + behind, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** An authority that signs what its constraints do not permit. */
function lawless(ca: TestAuthority): TestAuthority {
  const facts = { ...ca.signer.facts, nameConstraints: undefined };
  return { ...ca, signer: { ...ca.signer, facts } };
}

describe.each(['3.4.23', '3.7.3'])('etcd %s with authorities of limited names', (version) => {
  const etcd = releasedEtcd(version, root);
  const folder = join(root, version);
  let members: readonly RunningMember[] = [];

  beforeAll(async () => {
    if (etcd === undefined) return;
    const server = made(successor, member, cross);
    const peer = made(peers.successor, { ...member, purpose: 'peer' }, peerCross);
    const files = {
      ...{ 'ca.crt': old.pem, 'member.crt': server.cert, 'member.key': server.key },
      ...{ 'peer-ca.crt': peers.old.pem, 'peer.crt': peer.cert, 'peer.key': peer.key },
    };
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text ?? '', { mode: 0o600 });
    members = await startMembers(etcd, { folder, names: ['a', 'b', 'c'], token: `chains-${process.pid}` });
  });

  afterAll(() => stopMembers(members));

  const skipped = etcd === undefined;

  it.skipIf(skipped)(
    'forms a cluster whose members trust the old authority alone, through the cross certificate',
    async () => {
      const all = () => Promise.all([0, 1, 2].map(healthy));
      await expect.poll(all, { timeout: 30_000, interval: 200 }).toEqual(['healthy', 'healthy', 'healthy']);
    },
  );

  it.skipIf(skipped)(
    'takes a client without names, and one of the new authority with the cross certificate',
    async () => {
      expect(await present(made(old, noNames))).toMatchObject({ accepted: true });
      expect(await present(made(successor, noNames, cross))).toMatchObject({ accepted: true });
      expect(await present(made(successor, noNames))).toMatchObject({ accepted: false, alert: expect.any(String) });
    },
  );

  it.skipIf(skipped)('shows the leaf and the cross certificate behind it, on both ports', async () => {
    const at = (port = 0) => servedCertificate({ host: 'a', stream: tcp(port), timeoutMs: 5000 });
    expect((await at(members[0]?.clientPort)).endsWith(cross)).toBe(true);
    expect((await at(members[0]?.peerPort)).endsWith(peerCross)).toBe(true);
    expect(parseChain(await at(members[0]?.clientPort))).toMatchObject({ leaf: { facts: { commonName: 'member' } } });
  });

  it.skipIf(skipped)('refuses a client whose names the authority does not permit', async () => {
    const beyond = { ...member, sans: { dns: ['elsewhere.example.org'], ip: [] } };
    expect(await present(made(old, member))).toMatchObject({ accepted: true });
    expect(await present(made(lawless(old), beyond))).toMatchObject({ accepted: false, alert: expect.any(String) });
  });

  async function present(material: Omit<TlsMaterial, 'ca'>) {
    const target = { host: 'a', stream: tcp(members[0]?.clientPort ?? 0), timeoutMs: 5000 };
    return presentCertificate(target, { ...material, ca: old.pem });
  }

  async function healthy(index: number): Promise<string> {
    const stream = tcp(members[index]?.clientPort ?? 0);
    const tls = { ...made(old, noNames), ca: old.pem };
    try {
      const client = await connectEtcd({ host: 'a', stream, tls, identities: ['127.0.0.1'], timeoutMs: 5000 });
      try {
        await client.get('any');
        return 'healthy';
      } finally {
        client.close();
      }
    } catch (error) {
      return String(error);
    }
  }
});
