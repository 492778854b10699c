/** The report of certificates: each thing that can be wrong is told at its place, and nothing else is. */
import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CertificateEvidence, ServedFact } from '../../../src/domain/certificate-evidence.ts';
import { signRevocationList } from '../../../src/pki/crl.ts';
import { adminProfile, memberProfile } from '../../../src/pki/profile.ts';
import { printMetrics } from '../../../src/plan/certificate-metrics.ts';
import { reportCertificates, reportStatus, stateOf } from '../../../src/plan/certificate-report.ts';
import { judgeStrength, type Limits } from '../../../src/plan/certificate-row.ts';
import { authority, dayMs, leaf, now } from '../pki/material.ts';
import { healthySample, recordFor, withFiles, withHost } from './certificate-sample.ts';

const usual: Limits = { warnMs: undefined, critMs: undefined };
const sample = healthySample();
const { evidence: healthy, clientCa, peerCa } = sample;
const [first] = healthy.cluster.controllers;
if (first === undefined) throw new Error('no controller');
const serverProfile = memberProfile('server', first, healthy.cluster.pki);

/** All findings of a report, `where: code`. */
function told(evidence: CertificateEvidence, limits = usual): readonly string[] {
  return reportCertificates(evidence, limits).rows.flatMap((row) =>
    row.findings.map((each) => `${row.where}: ${each.code}`),
  );
}

function withServed(port: 'client' | 'peer', fact: ServedFact): CertificateEvidence {
  const other = healthy.served['etcd-1'] ?? { client: fact, peer: fact };
  return { ...healthy, served: { ...healthy.served, 'etcd-1': { ...other, [port]: fact } } };
}

/** A server certificate for the key that etcd-1 has, known to the journal. */
function serverFor(options: Parameters<typeof leaf>[2], profile = serverProfile, ca = clientCa) {
  const made = leaf(ca, profile, options);
  const publicKey = createPublicKey(made.keys.privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const onDisk = withHost(withFiles(healthy, 'etcd-1', { 'server.crt': made.pem }), 'etcd-1', (host) => ({
    texts: { ...host.texts, '/etc/etcd/pki.d/1/server.pub': publicKey },
  }));
  const ports = { ...onDisk.served['etcd-1'], client: { kind: 'certificate', pem: made.pem } as const };
  const peer = healthy.served['etcd-1']?.peer ?? { kind: 'silent', reason: '' };
  const issued = [...(healthy.store.issued ?? []), recordFor(made.pem, 'server')];
  const store = { ...healthy.store, issued };
  return { ...onDisk, served: { ...onDisk.served, 'etcd-1': { ...ports, peer } }, store };
}

describe('a healthy cluster', () => {
  it('has nothing told of it, and every place has its row', () => {
    const report = reportCertificates(healthy, usual);
    expect(told(healthy)).toEqual([]);
    expect(reportStatus(report)).toBe(0);
    expect(report.rows.map((each) => each.where).filter((each) => each.startsWith('etcd-2'))).toEqual([
      'etcd-2 server.crt',
      'etcd-2 peer.crt',
      'etcd-2 client.crt',
      'etcd-2 ca.crt',
      'etcd-2 peer-ca.crt',
      'etcd-2 :2379',
      'etcd-2 :2380',
    ]);
    expect(report.rows.slice(-3).map((each) => each.where)).toEqual([
      'authority client-1',
      'authority peer-1',
      'operator admin',
    ]);
  });
});

describe('dates', () => {
  it.each([
    [31, []],
    [29, ['expires']],
    [6, ['expires']],
    [-1, ['expired']],
  ])('of a certificate that has %d days left give %j, on disk and as served', (left, codes) => {
    const evidence = serverFor({ now: now - (365 - left) * dayMs });
    expect(told({ ...evidence, store: { ...evidence.store } })).toEqual([
      ...codes.map((code) => `etcd-1 server.crt: ${code}`),
      ...codes.map((code) => `etcd-1 :2379: ${code}`),
    ]);
    expect(reportStatus(reportCertificates(evidence, usual))).toBe(left > 30 ? 0 : left > 7 ? 2 : 3);
  });

  it('of a short-lived certificate warn at a third of its life, unless a limit is given', () => {
    const young = serverFor({ leafLifetimeDays: 9 });
    expect(told(young)).toEqual([]);
    expect(told(young, { warnMs: 30 * dayMs, critMs: undefined })).toContain('etcd-1 server.crt: expires');
    expect(told(serverFor({ now: now - 7 * dayMs, leafLifetimeDays: 9 }))).toContain('etcd-1 server.crt: expires');
  });

  it('tell a certificate that has not begun', () => {
    expect(told(serverFor({ now: now + dayMs }))).toEqual([
      'etcd-1 server.crt: not-yet-valid',
      'etcd-1 :2379: not-yet-valid',
    ]);
  });

  it("tell a certificate that is not valid by the host's own clock", () => {
    const slow = withHost(healthy, 'etcd-2', () => ({ clockOffsetMs: -dayMs }));
    expect(told(slow)).toEqual(['server', 'peer', 'client'].map((each) => `etcd-2 ${each}.crt: host-clock`));
  });

  it('of an authority are critical a leaf lifetime before its end', () => {
    const later = (days: number) => reportCertificates({ ...healthy, now: now + days * dayMs }, usual).rows;
    const state = (days: number) =>
      later(days)
        .filter((each) => each.kind === 'authority')
        .map(stateOf);
    expect(state(3650 - 365 - 31)).toEqual(['ok', 'ok']);
    expect(state(3650 - 365 - 29)).toEqual(['warning', 'warning']);
    expect(state(3650 - 365 + 1)).toEqual(['critical', 'critical']);
    expect(later(3651).filter((each) => each.kind === 'bundle')[0]?.findings[0]?.code).toBe('expired');
  });
});

describe('files', () => {
  it('that are gone are told one by one', () => {
    const gone = withHost(healthy, 'etcd-1', () => ({ certificates: {}, files: {} }));
    expect(told(gone).filter((each) => each.startsWith('etcd-1'))).toEqual([
      ...['server', 'peer', 'client'].flatMap((each) => [
        `etcd-1 ${each}.crt: absent`,
        `etcd-1 ${each}.crt: key-missing`,
      ]),
      'etcd-1 ca.crt: absent',
      'etcd-1 peer-ca.crt: absent',
    ]);
  });

  it('of another authority, or signed by nobody we know, are critical', () => {
    const stranger = serverFor({}, serverProfile, authority());
    expect(told(stranger)).toEqual(['etcd-1 server.crt: issuer', 'etcd-1 :2379: issuer']);
    const swapped = serverFor({}, serverProfile, peerCa);
    expect(told(swapped)).toEqual(['etcd-1 server.crt: issuer', 'etcd-1 :2379: issuer']);
  });

  it('lacking a name are told; lacking the advertised address is critical', () => {
    const lacking = { ...serverProfile, sans: { dns: ['localhost', 'old-name'], ip: ['127.0.0.1', '::1'] } };
    const rows = reportCertificates(serverFor({}, lacking), usual).rows;
    const findings = rows.find((each) => each.where === 'etcd-1 server.crt')?.findings ?? [];
    expect(findings.map((each) => `${each.level} ${each.text}`)).toEqual([
      'warning SAN etcd-1 is missing',
      'critical SAN 10.0.0.1 is missing',
      'warning SAN old-name is not wanted',
    ]);
  });

  it('whose key is another are told by the public key beside it', () => {
    const mixed = withHost(healthy, 'etcd-3', (host) => ({
      texts: { ...host.texts, '/etc/etcd/pki.d/1/peer.pub': host.texts['/etc/etcd/pki.d/1/server.pub'] ?? '' },
    }));
    expect(told(mixed)).toEqual(['etcd-3 peer.crt: key-mismatch']);
  });

  it('with wrong modes are told; a key that everybody can read is critical', () => {
    const key = { kind: 'file', mode: '0604', owner: 'etcd', group: 'etcd', sha256: '' } as const;
    const open = withHost(healthy, 'etcd-1', (host) => ({
      files: { ...host.files, '/etc/etcd/pki/peer.key': key, '/etc/etcd/pki/server.key': { ...key, mode: '0400' } },
    }));
    const rows = reportCertificates(open, usual).rows;
    expect(rows.flatMap((each) => each.findings)).toEqual([
      { level: 'warning', code: 'mode', text: 'server.key is 0400 etcd:etcd, not 0600 etcd:etcd' },
      { level: 'critical', code: 'mode', text: 'peer.key can be read by everybody (mode 0604)' },
    ]);
  });

  it('that the journal does not know are critical', () => {
    const issued = (healthy.store.issued ?? []).filter((each) => each.commonName !== 'root');
    expect(told({ ...healthy, store: { ...healthy.store, issued } })).toEqual(['operator admin: unknown']);
  });

  it('of revocation lists are compared with the store and the configuration, and their ends are told', () => {
    const day = (days: number): number => now + days * dayMs;
    const list = { authority: 'client-1', sha256: 'aa', serials: 1, thisUpdate: day(-1), nextUpdate: day(364) };
    const store = { ...healthy.store, lists: [list] };
    const named = { '/etc/etcd/etcd-config.yml': 'ClientTLSInfo: {"CRLFile":"/etc/etcd/pki/client.crl"}' };
    const put = (evidence: CertificateEvidence, name: string, sha256: string | undefined, texts = named) =>
      withHost(evidence, name, (host) => ({
        texts: { ...host.texts, ...texts },
        files: {
          ...host.files,
          '/etc/etcd/pki.d/1/client.crl':
            sha256 === undefined
              ? { kind: 'absent' }
              : { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256 },
        },
      }));
    const names = healthy.cluster.controllers.map((each) => each.name);
    const whole = names.reduce<CertificateEvidence>((found, name) => put(found, name, 'aa'), { ...healthy, store });
    expect(told(whole)).toEqual([]);
    const told1 = (evidence: CertificateEvidence) =>
      reportCertificates(evidence, usual).rows.flatMap((row) =>
        row.findings.map((each) => `${each.level} ${row.where}: ${each.code}`),
      );
    expect(told1(put(whole, 'etcd-1', 'bb'))).toEqual(['warning etcd-1 client.crl: list-differs']);
    expect(told1(put(whole, 'etcd-2', undefined))).toEqual(['critical etcd-2 client.crl: list-missing']);
    expect(told1({ ...put(whole, 'etcd-2', undefined), store: healthy.store })).toEqual([
      'warning etcd-1 client.crl: list-differs',
      'critical etcd-2 client.crl: list-missing',
      'warning etcd-3 client.crl: list-differs',
    ]);
    const unnamed = put({ ...healthy, store }, 'etcd-1', 'aa', { '/etc/etcd/etcd-config.yml': '' });
    expect(told1(unnamed)).toContain('warning etcd-1 client.crl: list-differs');
    const { signer, pem } = authority({ now });
    const entries = ['0a', '0b'].map((serial) => ({ serial, at: now, reason: 'unspecified' as const }));
    const der = signRevocationList(signer, { number: 3, thisUpdate: now, nextUpdate: day(30), revoked: entries });
    const newer = withHost(put(whole, 'etcd-1', 'bb'), 'etcd-1', () => ({
      lists: { '/etc/etcd/pki/client.crl': der.toString('base64') },
    }));
    const known = (revoked: readonly string[]) => {
      const authorities = store.authorities.map((each) => ({ ...each, certificate: pem }));
      return told1({ ...newer, store: { ...store, authorities, revoked } }).filter((each) => each.includes('list-'));
    };
    expect(known(['0a'])).toEqual([
      'critical etcd-1 client.crl: list-unrecorded',
      'warning etcd-1 client.crl: list-differs',
    ]);
    expect(known(['0a', '0b'])).toEqual(['warning etcd-1 client.crl: list-differs']);
    const until = (days: number) => {
      const lists = [{ ...list, thisUpdate: day(days - 100), nextUpdate: day(days) }];
      return told1({ ...whole, store: { ...store, lists } });
    };
    expect([34, 33, 10, 9, -1].map(until)).toEqual([
      [],
      ['warning list client-1: list-ends'],
      ['warning list client-1: list-ends'],
      ['critical list client-1: list-ends'],
      ['critical list client-1: list-ends'],
    ]);
  });

  it('of rubbish never make it throw', () => {
    for (const file of ['server.crt', 'ca.crt', 'peer-ca.crt']) {
      const rotten = withFiles(healthy, 'etcd-1', {
        [file]: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      });
      expect(told(rotten).filter((each) => each.startsWith(`etcd-1 ${file}`))).toHaveLength(1);
    }
  });
});

describe('trust bundles', () => {
  it('that lack an authority, hold another or hold something else are critical', () => {
    const other = authority({ clusterName: 'other' });
    expect(told(withFiles(healthy, 'etcd-1', { 'ca.crt': other.pem }))).toEqual([
      'etcd-1 ca.crt: trust-missing',
      'etcd-1 ca.crt: trust-unknown',
    ]);
    const withKey = `${clientCa.pem}-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n`;
    expect(told(withFiles(healthy, 'etcd-1', { 'ca.crt': withKey }))).toEqual(['etcd-1 ca.crt: trust-malformed']);
    expect(told(withFiles(healthy, 'etcd-1', { 'ca.crt': '' }))).toEqual(['etcd-1 ca.crt: trust-malformed']);
  });

  it('that the running etcd was not started with are told, and so is a start without a record', () => {
    const restarted = withHost(healthy, 'etcd-1', (host) => ({
      run: host.run && { ...host.run, peerCaSha256: 'another' },
    }));
    expect(told(restarted)).toEqual(['etcd-1 peer-ca.crt: trust-not-running']);
    expect(told(withHost(healthy, 'etcd-1', () => ({ run: undefined })))).toEqual([
      'etcd-1 ca.crt: trust-not-running',
      'etcd-1 peer-ca.crt: trust-not-running',
    ]);
  });
});

describe('ports', () => {
  it('that serve another certificate than the one on disk are told at the file, and judged themselves', () => {
    const old = leaf(clientCa, serverProfile, { now: now - 364 * dayMs });
    const issued = [...(healthy.store.issued ?? []), recordFor(old.pem, 'server')];
    const evidence = {
      ...withServed('client', { kind: 'certificate', pem: old.pem }),
      store: { ...healthy.store, issued },
    };
    expect(told(evidence)).toEqual(['etcd-1 server.crt: not-served', 'etcd-1 :2379: expires']);
  });

  it('that end every handshake are critical, less those that ask for a certificate first', () => {
    expect(told(withServed('peer', { kind: 'alert', alert: 'internal error (80)' }))).toEqual([
      'etcd-1 :2380: handshake',
    ]);
    expect(told(withServed('peer', { kind: 'alert', alert: 'bad certificate (42)' }))).toEqual([
      'etcd-1 :2380: not-seen',
    ]);
  });

  it('that are silent say whether etcd runs', () => {
    const stopped = withHost(
      withServed('client', { kind: 'silent', reason: 'connection refused' }),
      'etcd-1',
      (host) => ({
        unit: { ...host.unit, activeState: 'failed' },
      }),
    );
    const row = reportCertificates(stopped, usual).rows.find((each) => each.where === 'etcd-1 :2379');
    expect(row?.findings[0]?.text).toBe('no certificate was seen: connection refused; etcd.service is failed');
  });

  it('of a host without SSH are still told', () => {
    const { 'etcd-1': _, ...hosts } = healthy.facts.hosts;
    const away = { ...healthy, facts: { hosts, unreachable: { 'etcd-1': 'etcd-1: no route to host' } } };
    const report = reportCertificates(away, usual);
    expect(report.rows.slice(0, 3).map((each) => [each.where, stateOf(each)])).toEqual([
      ['etcd-1', 'warning'],
      ['etcd-1 :2379', 'ok'],
      ['etcd-1 :2380', 'ok'],
    ]);
    expect(report.rows[0]?.findings[0]?.text).toBe('its files were not looked at: no route to host');
    expect(reportStatus(report)).toBe(2);
  });
});

describe("the operator's store", () => {
  it('that is lost leaves the hosts to be judged by their own bundles', () => {
    const store = { ...healthy.store, uuid: undefined, authorities: [], admin: undefined, issued: undefined };
    expect(told({ ...healthy, store })).toEqual(['state directory: store']);
    const stranger = serverFor({}, serverProfile, authority());
    expect(told({ ...stranger, store })).toContain('etcd-1 server.crt: issuer');
  });

  it('tells what cannot be read, and what is missing', () => {
    const broken = { ...healthy.store, issued: undefined, problems: ['issued.jsonl: line 2 is not a record'] };
    expect(told({ ...healthy, store: broken })).toEqual(['state directory: store']);
    expect(told({ ...healthy, store: { ...healthy.store, admin: undefined } })).toEqual(['operator admin: absent']);
    const [client, ...others] = healthy.store.authorities;
    if (client === undefined) throw new Error('no authority');
    const keyless = [{ ...client, key: undefined }, ...others];
    expect(told({ ...healthy, store: { ...healthy.store, authorities: keyless } })).toEqual([
      'authority client-1: authority-key',
    ]);
  });

  it("judges clients' certificates, those of the journal alone too, and not those that were replaced", () => {
    const pki = healthy.cluster.pki;
    const backup = leaf(clientCa, { ...adminProfile(pki), commonName: 'backup' }, { now: now - 350 * dayMs });
    const lost = leaf(clientCa, { ...adminProfile(pki), commonName: 'lost' });
    const records = [recordFor(backup.pem, 'client'), recordFor(lost.pem, 'client')];
    const store = {
      ...healthy.store,
      clients: [{ name: 'backup', certificate: backup.pem }],
      issued: [...(healthy.store.issued ?? []), ...records],
    };
    const { rows } = reportCertificates({ ...healthy, store }, usual);
    expect(rows.slice(-2).map((each) => [each.where, stateOf(each)])).toEqual([
      ['client backup', 'warning'],
      ['issued lost', 'ok'],
    ]);
  });
});

describe('strength', () => {
  it.each([
    ['rsa-1024', 'rsa-sha256', ['RSA key of 1024 bits (at least 2048)']],
    ['rsa-2048', 'rsa-sha256', []],
    ['rsa-4096', '1.2.840.113549.1.1.5', ['signed with SHA-1']],
    ['ecdsa-1.3.132.0.33', 'ecdsa-sha256', ['key on a curve of less than 256 bits']],
    ['ecdsa-p521', 'ecdsa-sha384', []],
    ['ed25519', '1.3.101.112', []],
  ])('of %s signed with %s gives %j', (algorithm, signatureAlgorithm, texts) => {
    expect(judgeStrength({ algorithm, signatureAlgorithm }).map((each) => each.text)).toEqual(texts);
  });
});

describe('any evidence', () => {
  const damage = fc.record({
    at: fc.date({ min: new Date(now - 400 * dayMs), max: new Date(now + 4000 * dayMs), noInvalidDate: true }),
    warnDays: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined }),
    unreachable: fc.constantFrom(undefined, 'etcd-1', 'etcd-3'),
    served: fc.constantFrom<ServedFact>(
      { kind: 'silent', reason: 'x' },
      { kind: 'alert', alert: 'internal error (80)' },
      { kind: 'certificate', pem: '' },
      { kind: 'certificate', pem: clientCa.pem },
    ),
    file: fc.constantFrom('server.crt', 'peer.crt', 'client.crt', 'ca.crt', 'peer-ca.crt'),
    text: fc.constantFrom(undefined, '', 'rubbish', clientCa.pem, peerCa.pem, healthy.store.admin),
    storeLost: fc.constantFrom(true, false),
  });

  it('is told without throwing, its state is its worst row, the metrics agree, and time only makes it worse', () => {
    fc.assert(
      fc.property(damage, ({ at, warnDays, unreachable, served, file, text, storeLost }) => {
        const damaged = withFiles({ ...withServed('client', served), now: at.getTime() }, 'etcd-1', { [file]: text });
        const { [unreachable ?? '']: _, ...hosts } = damaged.facts.hosts;
        const lost = { ...healthy.store, uuid: undefined, authorities: [], admin: undefined, issued: undefined };
        const evidence: CertificateEvidence = {
          ...damaged,
          facts: { hosts, unreachable: {} },
          store: storeLost ? lost : healthy.store,
        };
        const limits = { warnMs: warnDays === undefined ? undefined : warnDays * dayMs, critMs: undefined };
        const report = reportCertificates(evidence, limits);
        const states = report.rows.map(stateOf);
        const rank = Math.max(...states.map((each) => ['ok', 'warning', 'critical'].indexOf(each)));
        expect(report.state).toBe(['ok', 'warning', 'critical'][rank]);
        expect(new Set(report.rows.map((each) => each.where)).size).toBe(report.rows.length);
        expect(report.rows.every((row) => row.host === undefined || row.where.startsWith(row.host))).toBe(true);
        expect(printMetrics(report)).toContain(
          `quorate_certificates_check_status{cluster="demo"} ${reportStatus(report)}\n`,
        );
        const ended = reportCertificates({ ...evidence, now: now + 5000 * dayMs }, limits);
        expect(ended.state).toBe('critical');
      }),
      { numRuns: 100 },
    );
  });
});

describe('metrics', () => {
  /** https://prometheus.io/docs/instrumenting/exposition_formats/: HELP, TYPE, then all samples of that name; label values escaped. */
  it('are in the text format: one block a family, no series twice, values escaped', () => {
    const odd = { ...healthy, cluster: { ...healthy.cluster, name: 'a"b\\c\u001b[2J\u009b\r\n' } };
    const text = printMetrics(
      reportCertificates(
        withHost(odd, 'etcd-1', () => ({ certificates: {} })),
        usual,
      ),
    );
    const seen = new Set<string>();
    const families: string[] = [];
    for (const line of text.trimEnd().split('\n')) {
      if (line.startsWith('# HELP ')) families.push(line.split(' ')[2] ?? '');
      else if (line.startsWith('# TYPE ')) expect(line).toBe(`# TYPE ${families.at(-1)} gauge`);
      else {
        const [, name, labels, value] =
          /^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} ([0-9.]+)$/.exec(line) ?? [];
        expect(name, line).toBe(families.at(-1));
        expect(Number(value)).not.toBeNaN();
        expect(seen.has(`${name}{${labels}}`)).toBe(false);
        seen.add(`${name}{${labels}}`);
      }
    }
    expect(new Set(families).size).toBe(families.length);
    expect(text).toContain('cluster="a\\"b\\\\c[2J\\n"');
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(text.endsWith('\n')).toBe(true);
  });
});

describe('plaintext', () => {
  const evidence = (port: 'client' | 'peer', fact: ServedFact): CertificateEvidence => {
    const seen = withServed(port, fact);
    const own = seen.served['etcd-1'];
    if (own === undefined) throw new Error('no ports');
    return { ...seen, served: { ...seen.served, 'etcd-1': { ...own, plaintext: [port] } } };
  };

  it('beside TLS is a warning, alone it is critical', () => {
    const beside = evidence('client', healthy.served['etcd-1']?.client ?? { kind: 'silent', reason: '' });
    expect([told(beside), reportCertificates(beside, usual).state]).toEqual([['etcd-1 :2379: plaintext'], 'warning']);
    const alone = evidence('peer', { kind: 'silent', reason: 'it is no TLS' });
    expect([told(alone), reportCertificates(alone, usual).state]).toEqual([['etcd-1 :2380: plaintext'], 'critical']);
  });
});
