/** Every certificate of a cluster, judged: on the hosts, as served, and with the operator. Pure. */
import type { CertificateEvidence, IssuedRecord, StoredAuthority } from '../domain/certificate-evidence.ts';
import { printDuration } from '../domain/duration.ts';
import { leafDrift } from '../pki/drift.ts';
import { parseOnce } from '../pki/inspect.ts';
import { adminProfile } from '../pki/profile.ts';
import { hostRows } from './certificate-hosts.ts';
import { certificateFindings } from './certificate-leaf.ts';
import {
  type CertificateRow,
  critical,
  type Finding,
  findingsOf,
  type Judging,
  judgeDates,
  judgeIssued,
  judgeStrength,
  type Limits,
  limitsOf,
  shownOf,
  warning,
} from './certificate-row.ts';
import { trustOf } from './certificate-trust.ts';

export interface CertificateReport {
  readonly cluster: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Hosts in the inventory's order, then what the operator has. */
  readonly rows: readonly CertificateRow[];
  readonly state: RowState;
}

export type RowState = 'ok' | 'warning' | 'critical';

/** Judges everything that was seen; nothing in the evidence makes it throw. */
export function reportCertificates(evidence: CertificateEvidence, limits: Limits): CertificateReport {
  const { cluster, store, now } = evidence;
  const judging: Judging = { now, limits, issued: store.issued, read: parseOnce() };
  const rows = [
    ...cluster.controllers.flatMap((controller) => hostRows({ evidence, judging, controller })),
    ...store.authorities.flatMap((each) => authorityRow(evidence, each, judging)),
    ...adminRows(evidence, judging),
    ...clientRows(evidence, judging),
    ...storeRows(evidence),
  ];
  return { cluster: cluster.name, at: now, rows, state: worst(rows.map(stateOf)) };
}

/** The worst of a row's findings. */
export function stateOf(row: CertificateRow): RowState {
  if (row.findings.some((each) => each.level === 'critical')) return 'critical';
  return row.findings.length > 0 ? 'warning' : 'ok';
}

/** 0 ok, 2 warning, 3 critical. */
export function reportStatus({ state }: Pick<CertificateReport, 'state'>): number {
  return { ok: 0, warning: 2, critical: 3 }[state];
}

/** Full days until the end, negative after it; share of the life that is used, 0 to 1. */
export function ageOf(life: { readonly notBefore: number; readonly notAfter: number }, now: number) {
  const used = (now - life.notBefore) / Math.max(1, life.notAfter - life.notBefore);
  return { daysLeft: Math.floor((life.notAfter - now) / dayMs), lifeUsed: Math.min(1, Math.max(0, used)) };
}

const dayMs = 86_400_000;

function worst(states: readonly RowState[]): RowState {
  if (states.includes('critical')) return 'critical';
  return states.includes('warning') ? 'warning' : 'ok';
}

function authorityRow(
  evidence: CertificateEvidence,
  authority: StoredAuthority,
  judging: Judging,
): readonly CertificateRow[] {
  const parsed = judging.read(authority.certificate);
  if (parsed === undefined) return [];
  const { facts } = parsed;
  const noKey = `its key is not in ${evidence.store.location}: it can sign nothing`;
  return [
    {
      kind: 'authority',
      where: `authority ${authority.id}`,
      host: undefined,
      certificate: shownOf(facts),
      findings: [
        ...authorityEnd(facts, evidence.cluster.pki.leafLifetimeDays * dayMs, judging),
        ...findingsOf(leafDrift(parsed, { profile: undefined, authorities: [parsed] }, judging.now)),
        ...judgeStrength(facts),
        ...judgeIssued(facts, judging.issued),
        ...(authority.key === undefined ? [warning('authority-key', noKey)] : []),
      ],
    },
  ];
}

/** Critical while there is still time to rotate: as soon as a leaf of full lifetime would have to be cut to the authority's end. */
function authorityEnd(
  life: { readonly notBefore: number; readonly notAfter: number },
  leafMs: number,
  judging: Judging,
): readonly Finding[] {
  const leftMs = life.notAfter - judging.now;
  const ended = judgeDates(life, { now: judging.now, limits: { warnMs: 0, critMs: 0 } });
  if (ended.length > 0) return ended;
  const text = `ends in ${printDuration(leftMs)}, and leaves are to live ${printDuration(leafMs)}: replace it`;
  if (leftMs <= leafMs) return [critical('authority-ends', text)];
  return leftMs <= leafMs + limitsOf(life, judging.limits).warnMs ? [warning('authority-ends', text)] : [];
}

function adminRows(evidence: CertificateEvidence, judging: Judging): readonly CertificateRow[] {
  const { store, cluster } = evidence;
  if (store.uuid === undefined) return [];
  const place = { kind: 'admin', where: 'operator admin', host: undefined } as const;
  if (store.admin === undefined) {
    const text = `there is none in ${store.location}: quorate bootstrap makes it anew`;
    return [{ ...place, certificate: undefined, findings: [critical('absent', text)] }];
  }
  const trust = trustOf(evidence, { use: 'client', host: undefined }, judging);
  const profile = adminProfile(cluster.pki);
  const facts = judging.read(store.admin)?.facts;
  return [
    {
      ...place,
      certificate: facts && shownOf(facts),
      findings: certificateFindings(store.admin, judging, { profile, trust, vital: [] }),
    },
  ];
}

function clientRows(evidence: CertificateEvidence, judging: Judging): readonly CertificateRow[] {
  const trust = trustOf(evidence, { use: 'client', host: undefined }, judging);
  const stored = evidence.store.clients.map(({ name, certificate }): CertificateRow => {
    const facts = judging.read(certificate)?.facts;
    return {
      kind: 'client',
      where: `client ${name}`,
      host: undefined,
      certificate: facts && shownOf(facts),
      findings: certificateFindings(certificate, judging, { profile: undefined, trust, vital: [] }),
    };
  });
  return [...stored, ...issuedOnly(evidence, judging).map((record) => issuedRow(record, judging))];
}

/** Client certificates that are still valid and stand in the journal alone: the newest of each common name. */
function issuedOnly({ store, cluster, now }: CertificateEvidence, { read }: Judging): readonly IssuedRecord[] {
  const known = new Set([
    'root',
    ...cluster.controllers.map(({ name }) => `quorate-${name}`),
    ...store.clients.map(({ certificate }) => read(certificate)?.facts.commonName ?? ''),
  ]);
  const clients = (store.issued ?? []).filter(
    (each) => each.purpose === 'client' && !known.has(each.commonName) && Date.parse(each.notAfter) > now,
  );
  return [...new Map(clients.map((each) => [each.commonName, each])).values()];
}

function issuedRow(record: IssuedRecord, judging: Judging): CertificateRow {
  const life = { notBefore: Date.parse(record.notBefore), notAfter: Date.parse(record.notAfter) };
  const { commonName, serial, sha256, authority } = record;
  return {
    kind: 'client',
    where: `issued ${commonName}`,
    host: undefined,
    certificate: { commonName, issuer: authority, algorithm: '', serial, sha256, ...life },
    findings: judgeDates(life, judging),
  };
}

function storeRows({ store }: CertificateEvidence): readonly CertificateRow[] {
  const none = `${store.location}: holds no cluster, so issuers are judged by the bundles on the hosts`;
  const findings = [
    ...store.problems.map((text) => critical('store', text)),
    ...(store.uuid === undefined && store.problems.length === 0 ? [warning('store', none)] : []),
  ];
  if (findings.length === 0) return [];
  return [{ kind: 'store', where: 'state directory', host: undefined, certificate: undefined, findings }];
}
