import { expect, test } from 'vitest';
import type { IssuedRecord, StoreEvidence } from '../../../src/domain/certificate-evidence.ts';
import { selectRevoked } from '../../../src/plan/revoke-selection.ts';
import { freshHost } from '../../fakes/facts.ts';
import { authority, leaf } from '../pki/material.ts';

const ca = authority();
const client = {
  purpose: 'client',
  commonName: 'root',
  organization: '',
  sans: { dns: [], ip: [] },
  algorithm: 'ecdsa-p256',
} as const;
const now = Date.parse('2026-06-01T00:00:00Z');

function line(serial: string, change: Partial<IssuedRecord> = {}): IssuedRecord {
  const dates = { notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-12-01T00:00:00Z', when: '2026-01-01T00:00:00Z' };
  const base = {
    serial,
    sha256: serial,
    commonName: 'backup',
    purpose: 'client',
    authority: 'client-1',
    who: 'me@here',
  } as const;
  return { ...base, ...dates, ...change };
}

function select(
  target: string,
  issued: readonly IssuedRecord[],
  change: Partial<StoreEvidence> = {},
  certificates = {},
) {
  const store = {
    location: '/s',
    uuid: 'u',
    authorities: [],
    admin: undefined,
    clients: [],
    issued,
    problems: [],
    ...change,
  };
  const facts = { hosts: { 'etcd-1': { ...freshHost('etcd-1'), certificates } } };
  return selectRevoked(target, { store, facts, now }).map((each) => each.serial);
}

test('a name means every certificate of that client that has not ended and is not revoked', () => {
  const issued = [
    line('5a', { client: 'backup', commonName: 'other' }),
    line('5b', { client: 'backup' }),
    line('5c', { client: 'backup', notAfter: '2026-05-31T00:00:00Z' }),
    line('5d', { client: 'backup' }),
    line('5e', { client: 'someone', commonName: 'backup' }),
    line('5f'),
    line('60', { purpose: 'server', commonName: 'backup' }),
  ];
  expect(select('backup', issued, { revoked: ['5d'] })).toEqual(['5a', '5b', '5f']);
  expect(select('someone', issued)).toEqual(['5e']);
});

test('a serial means one certificate of any kind, as other tools print it', () => {
  expect(select('5A:5B', [line('5a5b', { purpose: 'peer', commonName: 'etcd-1' }), line('5a5c')])).toEqual(['5a5b']);
  expect(select('beef', [line('60', { client: 'beef' })])).toEqual(['60']);
});

test('what nobody knows is refused, and so is an authority', () => {
  expect(() => select('stranger', [line('5a')])).toThrow('no certificate of that name or serial');
  expect(() => select('5a', [line('5a', { purpose: 'authority' })])).toThrow('is an authority');
});

test("what a member uses now, and the operator's own, are refused", () => {
  const used = leaf(ca);
  const own = leaf(ca, client);
  const member = { purpose: 'peer', commonName: 'etcd-1', sha256: used.sha256 } as const;
  const issued = [line(used.serial, member), line(own.serial, { client: 'x', sha256: own.sha256 })];
  const onHost = { '/etc/etcd/pki/peer.crt': used.pem + ca.pem };
  expect(() => select(used.serial, issued, {}, onHost)).toThrow('etcd-1 uses it: /etc/etcd/pki/peer.crt');
  expect(select(used.serial, issued, {}, { '/etc/etcd/pki.d/1/peer.crt': used.pem })).toEqual([used.serial]);
  expect(() => select('x', issued, { admin: own.pem })).toThrow("it is the operator's own");
});

test('a host cannot keep a certificate in force that is not its own, nor stop a revocation by a file that cannot be read', () => {
  const stolen = leaf(ca, client);
  const issued = [line(stolen.serial, { client: 'backup', sha256: stolen.sha256 })];
  expect(select('backup', issued, {}, { '/etc/etcd/pki/client.crt': stolen.pem })).toEqual([stolen.serial]);
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  expect(select('backup', issued, {}, { '/etc/etcd/pki/server.crt': broken })).toEqual([stolen.serial]);
});
