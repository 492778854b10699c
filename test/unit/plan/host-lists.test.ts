/** A state directory that is older than its cluster: what hosts' revocation lists have is never taken back by it. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { HostFacts } from '../../../src/domain/facts.ts';
import { signRevocationList } from '../../../src/pki/crl.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planDrift } from '../../../src/plan/drift.ts';
import { takenOver, unrecordedRevocations } from '../../../src/plan/host-lists.ts';
import { planRevocation } from '../../../src/plan/revocation.ts';
import { planRotate } from '../../../src/plan/rotate.ts';
import type { View } from '../../../src/plan/view.ts';
import { authorityOf } from '../../fakes/certificates.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { authority, dayMs, type TestAuthority } from '../pki/material.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const path = '/etc/etcd/pki/client.crl';
const serials = ['0a', '0b', '0c', '0d'];
let model: Model;
let signer: TestAuthority;
beforeEach(async () => {
  model = createModel(cluster);
  expect((await runOn(model, planBootstrap(model.view()))).error).toBeUndefined();
  signer = authorityOf(cluster, 'client');
});

function listBy({ signer: by }: TestAuthority, revoked: readonly string[]): Buffer {
  const { now } = model.view();
  const entries = revoked.map((serial) => ({ serial, at: now, reason: 'key-compromise' as const }));
  return signRevocationList(by, { number: 7, thisUpdate: now, nextUpdate: now + 30 * dayMs, revoked: entries });
}

function withList(host: HostFacts, der: Buffer): HostFacts {
  const sha256 = createHash('sha256').update(der).digest('hex');
  const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256 } as const;
  return { ...host, files: { ...host.files, [path]: file }, lists: { [path]: der.toString('base64') } };
}

function give(der: Buffer, ...names: readonly string[]): View {
  for (const name of names) model.edit(name, (host) => withList(host, der));
  return model.view();
}

function told(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    expect(error.code).toBe('refused');
    const all = error.errors.length === 0 ? [error] : error.errors;
    return all.map((each) => `${each.message} (${each.hint})`).join('\n');
  }
  return '';
}

const rotation = { members: [], purposes: ['server'], due: false, keys: 'make' } as const;

describe('a list that a host has and the state directory does not know', () => {
  it.each<readonly [string, (view: View) => unknown]>([
    ['a rotation', (view) => planRotate(view, rotation)],
    ['a revocation', (view) => planRevocation(view, { restart: false })],
    ['whatever apply would do', planDrift],
  ])('refuses %s, host by host, with both ways out', (_, planner) => {
    const view = give(listBy(signer, serials), 'etcd-1', 'etcd-3');
    const words = told(() => planner(view));
    expect(words).toContain('etcd-1: has 4 revocations that the state directory does not know (0a, 0b, 0c, …)');
    expect(words).toContain('etcd-3: has 4 revocations');
    expect(words).not.toContain('etcd-2');
    expect(words).toContain('restore the newer state directory');
    expect(words).toContain('quorate certs revoke -i FILE (without a name)');
  });

  it.each<readonly [string, (view: View) => unknown]>([
    ['a rotation', (view) => planRotate(view, rotation)],
    ['a revocation', (view) => planRevocation(view, { restart: false })],
    ['whatever apply would do', planDrift],
  ])('refuses %s where it is too long to be compared', (_, planner) => {
    model.edit('etcd-2', (host) => ({ ...host, tooLong: ['/etc/etcd/other', path] }));
    const words = told(() => planner(model.view()));
    expect(words).toContain(`etcd-2: ${path} is too long to be compared with what the state directory has revoked`);
    expect(words).toContain('quorate makes none of that length');
    model.edit('etcd-2', (host) => ({ ...host, tooLong: ['/etc/etcd/other'] }));
    expect(told(() => planner(model.view()))).toBe('');
  });

  it("is in nobody's way once all of it is noted, or where the store has that very list", () => {
    const der = listBy(signer, serials);
    give(der, 'etcd-1');
    model.editPki((pki) => ({ ...pki, revoked: ['0a', '0b', '0c', '0d', '0e'] }));
    expect(told(() => planRotate(model.view(), rotation))).toBe('');
    model.editPki((pki) => ({ ...pki, revoked: ['0a', '0c', '0d'] }));
    expect(told(() => planRotate(model.view(), rotation))).toContain('has 1 revocation that');
    const sha256 = createHash('sha256').update(der).digest('hex');
    const list = { authority: 'client-1', der: '', sha256, thisUpdate: 0, nextUpdate: 9e15, lacksUntil: 0 };
    model.editPki((pki) => ({ ...pki, crls: { client: list } }));
    expect(told(() => planRotate(model.view(), rotation))).toBe('');
  });

  it('counts only where an authority of the store has signed it: hosts could show anything', () => {
    const stranger = authority({ now: model.view().now, clusterName: 'demo' });
    const cut = listBy(signer, serials).subarray(0, -3);
    const forged = Buffer.from(listBy(signer, serials));
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    for (const der of [listBy(stranger, serials), cut, forged, Buffer.from('rubbish')]) {
      expect(told(() => planRotate(give(der, 'etcd-2'), rotation))).toBe('');
    }
  });

  it('is noted with what the journal knows, and else until its authority ends', () => {
    const { facts, pki } = give(listBy(signer, serials), 'etcd-1', 'etcd-2');
    const known = { cluster, authorities: pki.authorities, revoked: ['0a'], lists: [] };
    const lost = unrecordedRevocations(Object.values(facts.hosts), known);
    expect(lost.map(({ host, use, serial }) => `${host} ${use} ${serial}`)).toEqual(
      ['etcd-1', 'etcd-2'].flatMap((host) => ['0b', '0c', '0d'].map((serial) => `${host} client ${serial}`)),
    );
    const issued = [
      { serial: '0c', commonName: 'backup', notAfter: '2026-03-01T00:00:00.000Z', authority: 'client-1' },
    ];
    const end = new Date(readCertificate(signer.pem).notAfter).toISOString();
    const rest = { authority: 'client-1', reason: 'key-compromise' };
    expect(takenOver(lost, issued)).toMatchObject([
      { ...rest, serial: '0b', commonName: '', notAfter: end, why: 'on the list that etcd-2 has' },
      { ...rest, serial: '0c', commonName: 'backup', notAfter: '2026-03-01T00:00:00.000Z' },
      { ...rest, serial: '0d', notAfter: end },
    ]);
    expect(unrecordedRevocations(Object.values(facts.hosts), { ...known, revoked: undefined })).toEqual([]);
  });
});
