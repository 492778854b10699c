/** Every certificate of a cluster, judged: on the hosts, as served, and with the operator. Pure. */
import type { CertificateEvidence, IssuedRecord } from '../domain/certificate-evidence.ts';
import { parseChainOnce } from '../pki/chain.ts';
import { parseOnce } from '../pki/inspect.ts';
import { adminProfile } from '../pki/profile.ts';
import { authorityRows } from './certificate-authorities.ts';
import { hostRows } from './certificate-hosts.ts';
import { certificateFindings } from './certificate-leaf.ts';
import { storedListRows } from './certificate-lists.ts';
import {
  type CertificateRow,
  critical,
  type Finding,
  type Judging,
  judgeDates,
  type Limits,
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
  const judging: Judging = { now, limits, issued: store.issued, read: parseOnce(), readChain: parseChainOnce() };
  const rows = [
    ...cluster.controllers.flatMap((controller) => hostRows({ evidence, judging, controller })),
    ...authorityRows(evidence, judging),
    ...storedListRows(evidence),
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
  const facts = judging.readChain(store.admin)?.leaf.facts;
  return [
    {
      ...place,
      certificate: facts && shownOf(facts),
      findings: certificateFindings(store.admin, judging, { profile, trust, vital: [] }),
    },
  ];
}

function clientRows(evidence: CertificateEvidence, judging: Judging): readonly CertificateRow[] {
  // Whether a client shows the cross certificate is its own affair.
  const trust = { ...trustOf(evidence, { use: 'client', host: undefined }, judging), cross: 'any' } as const;
  const stored = evidence.store.clients.map(({ name, certificate }): CertificateRow => {
    const facts = judging.readChain(certificate)?.leaf.facts;
    return {
      kind: 'client',
      where: `client ${name}`,
      host: undefined,
      certificate: facts && shownOf(facts),
      findings: certificateFindings(certificate, judging, { profile: undefined, trust, vital: [] }),
    };
  });
  return [...stored, ...issuedOnly(evidence, judging).map((record) => issuedRow(record, evidence, judging))];
}

/** Client certificates that are still valid and stand in the journal alone: the newest of each common name. */
function issuedOnly({ store, cluster, now }: CertificateEvidence, { readChain }: Judging): readonly IssuedRecord[] {
  const known = new Set([
    'root',
    ...cluster.controllers.map(({ name }) => `quorate-${name}`),
    ...store.clients.map(({ certificate }) => readChain(certificate)?.leaf.facts.commonName ?? ''),
  ]);
  const clients = (store.issued ?? []).filter(
    (each) => each.purpose === 'client' && !known.has(each.commonName) && Date.parse(each.notAfter) > now,
  );
  return [...new Map(clients.map((each) => [each.commonName, each])).values()];
}

function issuedRow(record: IssuedRecord, { store }: CertificateEvidence, judging: Judging): CertificateRow {
  const life = { notBefore: Date.parse(record.notBefore), notAfter: Date.parse(record.notAfter) };
  const { commonName, serial, sha256, authority } = record;
  return {
    kind: 'client',
    where: `issued ${commonName}`,
    host: undefined,
    certificate: { commonName, issuer: authority, algorithm: '', serial, sha256, ...life },
    findings: [...judgeDates(life, judging), ...issuerFindings(authority, store)],
  };
}

function issuerFindings(authority: string, { authorities }: CertificateEvidence['store']): readonly Finding[] {
  const status = authorities.find((each) => each.id === authority)?.status;
  if (status === 'outgoing') return [warning('outgoing', `issued by ${authority}, which signs no more`)];
  return status === 'retired' ? [warning('issuer', `issued by ${authority}, which is trusted no more`)] : [];
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
