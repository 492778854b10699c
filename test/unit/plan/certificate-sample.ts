/** Evidence of a healthy cluster of three with real certificates, for tests to damage. */
import { createHash, createPublicKey } from 'node:crypto';
import type { CertificateEvidence, IssuedRecord, StoredAuthority } from '../../../src/domain/certificate-evidence.ts';
import type { Cluster } from '../../../src/domain/cluster.ts';
import type { Controller } from '../../../src/domain/controller.ts';
import type { FileFact, HostFacts } from '../../../src/domain/facts.ts';
import { leafPurposes } from '../../../src/domain/step.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { adminProfile, memberProfile } from '../../../src/pki/profile.ts';
import { sampleCluster } from '../observe/sample-cluster.ts';
import { readyHost } from '../observe/sample-facts.ts';
import { authority, dayMs, leaf, now, type TestAuthority } from '../pki/material.ts';

export interface Sample {
  readonly evidence: CertificateEvidence;
  readonly clientCa: TestAuthority;
  readonly peerCa: TestAuthority;
}

/** Everything in order, authorities begun 400 days ago with 3650 days left: files, ports, journal, store. */
export function healthySample(change: Partial<Cluster['pki']> = {}): Sample {
  const base = sampleCluster();
  const cluster = { ...base, pki: { ...base.pki, ...change } };
  const begun = { now: now - 400 * dayMs, caLifetimeDays: 3650 + 400 };
  const clientCa = authority({ purpose: 'client', ...begun });
  const peerCa = authority({ purpose: 'peer', ...begun });
  const issued: IssuedRecord[] = [];
  const note = (pem: string, purpose: IssuedRecord['purpose']): string => {
    issued.push(recordFor(pem, purpose));
    return pem;
  };
  const hosts = cluster.controllers.map((controller) => memberHost(cluster, controller, { clientCa, peerCa, note }));
  const admin = note(leaf(clientCa, adminProfile(cluster.pki)).pem, 'client');
  const authorities = [stored('client', clientCa, note), stored('peer', peerCa, note)];
  const served = hosts.map(({ host, certificates }) => [
    host,
    {
      client: { kind: 'certificate' as const, pem: certificates['/etc/etcd/pki/server.crt'] ?? '' },
      peer: { kind: 'certificate' as const, pem: certificates['/etc/etcd/pki/peer.crt'] ?? '' },
    },
  ]);
  const evidence: CertificateEvidence = {
    cluster,
    now,
    facts: { hosts: Object.fromEntries(hosts.map((each) => [each.host, each])), unreachable: {} },
    served: Object.fromEntries(served),
    store: { location: '/state', uuid: 'a-uuid', authorities, admin, clients: [], issued, problems: [] },
  };
  return { evidence, clientCa, peerCa };
}

/** The same evidence with another host. */
export function withHost(sample: CertificateEvidence, name: string, change: (host: HostFacts) => Partial<HostFacts>) {
  const host = sample.facts.hosts[name];
  if (host === undefined) throw new Error(`no host ${name}`);
  const hosts = { ...sample.facts.hosts, [name]: { ...host, ...change(host) } };
  return { ...sample, facts: { ...sample.facts, hosts } };
}

/** The same evidence with other texts of certificates on one host's disk, by file name; undefined: the file is gone. */
export function withFiles(
  sample: CertificateEvidence,
  name: string,
  files: Readonly<Record<string, string | undefined>>,
): CertificateEvidence {
  return withHost(sample, name, (host) => {
    const certificates = { ...host.certificates };
    for (const [file, text] of Object.entries(files)) {
      if (text === undefined) delete certificates[`/etc/etcd/pki/${file}`];
      else certificates[`/etc/etcd/pki/${file}`] = text;
    }
    return { certificates };
  });
}

export function recordFor(pem: string, purpose: IssuedRecord['purpose']): IssuedRecord {
  const facts = readCertificate(pem);
  return {
    serial: facts.serial,
    sha256: facts.sha256,
    commonName: facts.commonName,
    purpose,
    authority: purpose === 'peer' ? 'peer-1' : 'client-1',
    notBefore: new Date(facts.notBefore).toISOString(),
    notAfter: new Date(facts.notAfter).toISOString(),
    when: new Date(now).toISOString(),
    who: 'tester@unit',
  };
}

type Note = (pem: string, purpose: IssuedRecord['purpose']) => string;

function stored(purpose: 'client' | 'peer', ca: TestAuthority, note: Note): StoredAuthority {
  const key = `ca/${purpose}-1.key.age`;
  return {
    id: `${purpose}-1`,
    purpose,
    status: 'active',
    certificate: note(ca.pem, 'authority'),
    cross: undefined,
    crossServed: false,
    key,
    recipients: ['age1x'],
  };
}

function memberHost(
  cluster: Cluster,
  controller: Controller,
  { clientCa, peerCa, note }: { readonly clientCa: TestAuthority; readonly peerCa: TestAuthority; readonly note: Note },
): HostFacts {
  const certificates: Record<string, string> = {
    '/etc/etcd/pki/ca.crt': clientCa.pem,
    '/etc/etcd/pki/peer-ca.crt': peerCa.pem,
  };
  const texts: Record<string, string> = {};
  for (const purpose of leafPurposes) {
    const profile = memberProfile(purpose, controller, cluster.pki);
    const made = leaf(purpose === 'peer' ? peerCa : clientCa, profile);
    certificates[`/etc/etcd/pki/${purpose}.crt`] = note(made.pem, purpose);
    texts[`/etc/etcd/pki.d/1/${purpose}.pub`] = createPublicKey(made.keys.privateKey)
      .export({ type: 'spki', format: 'pem' })
      .toString();
  }
  const ready = readyHost(controller.name);
  return {
    ...ready,
    certificates,
    texts,
    files: filesOf(certificates),
    unit: { ...ready.unit, loadState: 'loaded', activeState: 'active', invocationId: 'one' },
    run: {
      invocationId: 'one',
      configSha256: '',
      caSha256: sha256(clientCa.pem),
      peerCaSha256: sha256(peerCa.pem),
      binarySha256: '',
      unitSha256: '',
    },
  };
}

function filesOf(certificates: Readonly<Record<string, string>>): Record<string, FileFact> {
  const key = { kind: 'file', mode: '0600', owner: 'etcd', group: 'etcd', sha256: '' } as const;
  const plain = Object.entries(certificates).map(
    ([path, text]) =>
      [path, { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256: sha256(text) } as const] as const,
  );
  return {
    ...Object.fromEntries(plain),
    '/etc/etcd/pki': { kind: 'link', target: 'pki.d/1' },
    '/etc/etcd/pki/server.key': key,
    '/etc/etcd/pki/peer.key': key,
    '/etc/etcd/pki/client.key': { ...key, mode: '0640', owner: 'root' },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
