/** The report of certificates while authorities succeed each other: what is on its way is told as that, and what would cut somebody off as that. */
import { createHash, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CertificateEvidence, IssuedRecord, StoredAuthority } from '../../../src/domain/certificate-evidence.ts';
import { adminProfile, memberProfile } from '../../../src/pki/profile.ts';
import { holdersOf } from '../../../src/plan/certificate-clients.ts';
import { printMetrics } from '../../../src/plan/certificate-metrics.ts';
import { reportCertificates, stateOf } from '../../../src/plan/certificate-report.ts';
import { authority, crossOf, dayMs, leaf, now } from '../pki/material.ts';
import { healthySample, recordFor, withFiles, withHost } from './certificate-sample.ts';

const usual = { warnMs: undefined, critMs: undefined };
const { evidence: healthy, clientCa } = healthySample();
const successor = authority({ purpose: 'client', clusterName: 'next' });
const cross = crossOf(successor, clientCa);
const both = clientCa.pem + successor.pem;
const old = authorityNamed('client-1');
const peer = authorityNamed('peer-1');

function authorityNamed(id: string): StoredAuthority {
  const found = healthy.store.authorities.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the sample has no ${id}`);
  return found;
}

const next: StoredAuthority = {
  ...old,
  id: 'client-2',
  status: 'incoming',
  certificate: successor.pem,
  cross,
  key: 'ca/client-2.key.age',
};
const signed = [
  { ...recordFor(successor.pem, 'authority'), authority: 'client-2' },
  { ...recordFor(cross, 'authority'), authority: 'client-1' },
];

function told(evidence: CertificateEvidence): readonly string[] {
  return reportCertificates(evidence, usual).rows.flatMap((row) =>
    row.findings.map((each) => `${each.level} ${row.where}: ${each.code}`),
  );
}

function textsAt(evidence: CertificateEvidence, where: string): readonly string[] {
  const row = reportCertificates(evidence, usual).rows.find((each) => each.where === where);
  return row?.findings.map((each) => each.text) ?? [];
}

/** The cluster with these statuses, its bundles as they follow from them. */
function at(
  statuses: { readonly old: StoredAuthority['status']; readonly next: StoredAuthority['status'] },
  more: { readonly crossServed?: boolean; readonly trust?: string; readonly issued?: readonly IssuedRecord[] } = {},
): CertificateEvidence {
  const authorities = [
    { ...old, status: statuses.old },
    peer,
    { ...next, status: statuses.next, crossServed: more.crossServed ?? false },
  ];
  const issued = [...(healthy.store.issued ?? []), ...signed, ...(more.issued ?? [])];
  const store = { ...healthy.store, authorities, issued };
  const trust = more.trust ?? both;
  return healthy.cluster.controllers.reduce<CertificateEvidence>(
    (evidence, { name }) => withTrust(evidence, name, trust),
    { ...healthy, store },
  );
}

function withTrust(evidence: CertificateEvidence, name: string, trust: string): CertificateEvidence {
  const sha256 = createHash('sha256').update(trust).digest('hex');
  return withHost(withFiles(evidence, name, { 'ca.crt': trust }), name, (host) => ({
    files: {
      ...host.files,
      '/etc/etcd/pki/ca.crt': { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256 },
    },
    run: host.run && { ...host.run, caSha256: sha256 },
  }));
}

/** Every client-side leaf of every member, and the operator's, by the new authority; `behind` stands behind them on disk and as served. */
function renewed(evidence: CertificateEvidence, behind: string): CertificateEvidence {
  const issued: IssuedRecord[] = [...(evidence.store.issued ?? [])];
  const make = (profile: Parameters<typeof leaf>[1]) => {
    const made = leaf(successor, profile);
    issued.push({ ...recordFor(made.pem, profile?.purpose ?? 'server'), authority: 'client-2' });
    return made;
  };
  const admin = make(adminProfile(evidence.cluster.pki)).pem + behind;
  const changed = evidence.cluster.controllers.reduce<CertificateEvidence>((found, controller) => {
    const { name } = controller;
    const leaves = (['server', 'client'] as const).map((purpose) => {
      const made = make(memberProfile(purpose, controller, evidence.cluster.pki));
      const key = createPublicKey(made.keys.privateKey).export({ type: 'spki', format: 'pem' }).toString();
      return { purpose, pem: made.pem + behind, key };
    });
    const files = Object.fromEntries(leaves.map((each) => [`${each.purpose}.crt`, each.pem]));
    const texts = Object.fromEntries(leaves.map((each) => [`/etc/etcd/pki.d/1/${each.purpose}.pub`, each.key]));
    const onDisk = withHost(withFiles(found, name, files), name, (host) => ({ texts: { ...host.texts, ...texts } }));
    const peerPort = found.served[name]?.peer ?? { kind: 'silent', reason: '' };
    const ports = { client: { kind: 'certificate', pem: files['server.crt'] ?? '' }, peer: peerPort } as const;
    return { ...onDisk, served: { ...onDisk.served, [name]: ports } };
  }, evidence);
  return { ...changed, store: { ...changed.store, admin, issued } };
}

describe('certificates while an authority is replaced', () => {
  it('are in order once both authorities are trusted, with rows for the incoming one and its cross certificate', () => {
    const evidence = at({ old: 'active', next: 'incoming' });
    expect(told(evidence)).toEqual([]);
    const { rows } = reportCertificates(evidence, usual);
    expect(rows.filter((each) => each.kind === 'authority' || each.kind === 'cross').map((each) => each.where)).toEqual(
      ['authority client-1', 'authority peer-1', 'authority client-2', 'cross client-2'],
    );
    expect(printMetrics(reportCertificates(evidence, usual))).toContain('kind="cross",host="",where="cross client-2"');
  });

  it('lack trust where a bundle holds the old authority alone', () => {
    const evidence = withTrust(at({ old: 'active', next: 'incoming' }), 'etcd-2', clientCa.pem);
    expect(told(evidence)).toEqual(['critical etcd-2 ca.crt: trust-missing']);
  });

  it('of the outgoing authority are told as that at their places, and are sound', () => {
    const evidence = at({ old: 'outgoing', next: 'active' }, { crossServed: true });
    const places = ['server.crt', 'client.crt', ':2379'];
    expect(told(evidence)).toEqual([
      ...['etcd-1', 'etcd-2', 'etcd-3'].flatMap((host) => places.map((each) => `warning ${host} ${each}: outgoing`)),
      'warning authority client-1: rotation-open',
      'warning authority client-1: rotation-blocked',
      'warning operator admin: outgoing',
    ]);
    expect(textsAt(evidence, 'etcd-1 server.crt')).toEqual([
      `issued by ${clientCa.signer.facts.subject}, which signs no more`,
    ]);
  });

  it('of the new authority are in order with the cross certificate behind them, and critical where members serve them alone', () => {
    const evidence = at({ old: 'outgoing', next: 'active' }, { crossServed: true });
    expect(told(renewed(evidence, cross))).toEqual(['warning authority client-1: rotation-open']);
    const alone = told(renewed(evidence, ''));
    expect(alone).toContain('critical etcd-1 server.crt: chain');
    expect(alone).toContain('critical etcd-3 :2379: chain');
    expect(alone).toContain('warning operator admin: chain');
  });

  it('that are served without the cross certificate which is on disk are told at the port', () => {
    const evidence = renewed(at({ old: 'outgoing', next: 'active' }, { crossServed: true }), cross);
    const shown = evidence.served['etcd-1'];
    if (shown?.client.kind !== 'certificate') throw new Error('nothing is served');
    const [alone = ''] = shown.client.pem.split(cross);
    const client = { kind: 'certificate', pem: alone } as const;
    const cut = { ...evidence, served: { ...evidence.served, 'etcd-1': { ...shown, client } } };
    expect(told(cut)).toEqual(['critical etcd-1 :2379: chain', 'warning authority client-1: rotation-open']);
  });

  it('tell which clients would be refused once the old authority is trusted no more', () => {
    const record = (commonName: string, options: { now?: number; ca?: typeof successor; client?: string } = {}) => {
      const profile = { ...adminProfile(healthy.cluster.pki), commonName };
      const made = leaf(options.ca ?? clientCa, profile, { now: options.now ?? now });
      const by = options.ca === successor ? 'client-2' : 'client-1';
      return { ...recordFor(made.pem, 'client'), authority: by, client: options.client };
    };
    const issued = [
      record('backup'),
      record('renewed'),
      record('renewed', { ca: successor }),
      record('ended', { now: now - 390 * dayMs }),
      record('shared', { client: 'one' }),
      record('shared', { client: 'two', ca: successor }),
    ];
    const evidence = renewed(at({ old: 'outgoing', next: 'active' }, { crossServed: true, issued }), cross);
    expect(holdersOf(evidence.store, 'client-1', now).map((each) => each.commonName)).toEqual(['backup', 'shared']);
    const [, blocked = ''] = textsAt(evidence, 'authority client-1');
    expect(blocked).toMatch(/renew them first: backup \(until \d{4}-\d\d-\d\d\), shared \(until/);
    expect(told(evidence)).toContain('warning issued backup: outgoing');
  });

  it('are told once the old authority is retired: bundles that trust it, leaves of it, and the cross certificate that stays', () => {
    const retired = at({ old: 'retired', next: 'active' }, { crossServed: true, trust: successor.pem });
    expect(told(renewed(retired, cross))).toEqual(['warning cross client-2: cross-served']);
    const behind = withTrust(renewed(retired, cross), 'etcd-2', both);
    expect(told(behind)).toContain('warning etcd-2 ca.crt: trust-retired');
    expect(textsAt(retired, 'etcd-1 server.crt')).toEqual(['issued by client-1, which is trusted no more']);
    expect(told(retired)).toContain('critical etcd-1 server.crt: issuer');
  });

  it('are in order at the end; a cross certificate that still stands behind them is told', () => {
    const ended = at({ old: 'retired', next: 'active' }, { trust: successor.pem });
    const report = reportCertificates(renewed(ended, ''), usual);
    expect(told(renewed(ended, ''))).toEqual([]);
    const row = report.rows.find((each) => each.where === 'authority client-1');
    expect(row && stateOf(row)).toBe('ok');
    expect(told(renewed(ended, cross))).toContain('warning etcd-1 :2379: chain-unwanted');
  });

  it('of an outgoing authority near its end are told, of a retired one never', () => {
    const later = (evidence: CertificateEvidence) => ({ ...evidence, now: now + 3648 * dayMs });
    expect(told(later(at({ old: 'outgoing', next: 'active' })))).toContain('critical authority client-1: expires');
    const ended = told(later(at({ old: 'retired', next: 'active' }, { trust: successor.pem })));
    expect(ended.filter((each) => each.includes('client-1'))).toEqual([]);
  });
});

describe('name constraints', () => {
  it('that lack a name of the inventory, or are not there, are told with what to run', () => {
    const sans = healthy.cluster.controllers[0]?.sans ?? { dns: [], ip: [] };
    const grown = { ...sans, dns: [...sans.dns, 'new-host'] };
    const limited = healthySample({ nameConstraints: grown });
    expect(textsAt(limited.evidence, 'authority client-1')).toEqual([
      'it may certify any name, and pki.nameConstraints is true: renew it: quorate certs rotate-ca --renew',
    ]);
    const ca = authority({ nameConstraints: sans });
    const authorities = [{ ...old, certificate: ca.pem }, peer];
    const cluster = { ...healthy.cluster, pki: { ...healthy.cluster.pki, nameConstraints: grown } };
    expect(textsAt({ ...healthy, cluster, store: { ...healthy.store, authorities } }, 'authority client-1')).toContain(
      'it does not permit new-host: renew it: quorate certs rotate-ca --renew',
    );
  });
});
