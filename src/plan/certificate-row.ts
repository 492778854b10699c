/** One row of the certificates' report, and what is said of a certificate wherever it stands: dates, strength, journal. Pure. */
import type { IssuedRecord } from '../domain/certificate-evidence.ts';
import { printDuration } from '../domain/duration.ts';
import type { ParsedChain } from '../pki/chain.ts';
import type { CertificateFacts, ParsedCertificate } from '../pki/inspect.ts';
import type { DriftKind, DriftReason } from '../pki/verify-chain.ts';

type Level = 'warning' | 'critical';

export type FindingCode =
  | Exclude<DriftKind, 'dates' | 'authority-expired'>
  | 'absent'
  | 'unreadable'
  | 'expired'
  | 'expires'
  | 'not-yet-valid'
  | 'host-clock'
  | 'weak'
  | 'unknown'
  | 'key-missing'
  | 'key-mismatch'
  | 'mode'
  | 'not-served'
  | 'plaintext'
  | 'handshake'
  | 'not-seen'
  | 'trust-missing'
  | 'trust-unknown'
  | 'trust-retired'
  | 'trust-malformed'
  | 'trust-not-running'
  | 'authority-ends'
  | 'authority-key'
  | 'constraints'
  | 'list-ends'
  | 'list-differs'
  | 'list-missing'
  | 'list-unrecorded'
  | 'rotation-open'
  | 'rotation-blocked'
  | 'cross-served'
  | 'unreachable'
  | 'store';

/** Something that is not as it should be. */
export interface Finding {
  readonly level: Level;
  readonly code: FindingCode;
  /** A phrase without the place. */
  readonly text: string;
}

/** What a row shows of a certificate; of a trust bundle, of the one in it that ends first. */
export interface RowCertificate {
  readonly commonName: string;
  readonly issuer: string;
  /** `ecdsa-p256`, … */
  readonly algorithm: string;
  readonly serial: string;
  readonly sha256: string;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `host`: one that could not be looked at. `store`: the operator's state directory. */
type RowKind = 'file' | 'bundle' | 'list' | 'port' | 'authority' | 'cross' | 'admin' | 'client' | 'host' | 'store';

export interface CertificateRow {
  readonly kind: RowKind;
  /** `etcd-1 server.crt`, `etcd-1 :2379`, `authority client-1`: unique in a report. */
  readonly where: string;
  /** The controller's name; undefined for what the operator has. */
  readonly host: string | undefined;
  readonly certificate: RowCertificate | undefined;
  readonly findings: readonly Finding[];
}

/** How long before its end a certificate is told; undefined: the usual, but never more than a third (a tenth) of its life. */
export interface Limits {
  readonly warnMs: number | undefined;
  readonly critMs: number | undefined;
}

/** What judging any certificate needs. */
export interface Judging {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly limits: Limits;
  /** undefined where it can't be read. */
  readonly issued: readonly IssuedRecord[] | undefined;
  /** undefined where it is no certificate, or several. */
  readonly read: (pem: string) => ParsedCertificate | undefined;
  /** A leaf and what stands behind it; undefined where that can't be read. */
  readonly readChain: (pem: string) => ParsedChain | undefined;
}

const dayMs = 86_400_000;
const usualWarnMs = 30 * dayMs;
const usualCritMs = 7 * dayMs;

/** The two limits of a certificate. */
export function limitsOf(life: Pick<RowCertificate, 'notBefore' | 'notAfter'>, limits: Limits) {
  const lengthMs = life.notAfter - life.notBefore;
  return {
    warnMs: limits.warnMs ?? Math.min(usualWarnMs, lengthMs / 3),
    critMs: limits.critMs ?? Math.min(usualCritMs, lengthMs / 10),
  };
}

/** What its dates say. */
export function judgeDates(
  life: Pick<RowCertificate, 'notBefore' | 'notAfter'>,
  { now, limits }: Pick<Judging, 'now' | 'limits'>,
): readonly Finding[] {
  const leftMs = life.notAfter - now;
  const { warnMs, critMs } = limitsOf(life, limits);
  if (leftMs <= 0) return [critical('expired', `expired ${printDuration(-leftMs)} ago`)];
  if (now < life.notBefore) {
    return [critical('not-yet-valid', `not valid before ${new Date(life.notBefore).toISOString()}`)];
  }
  const text = `ends in ${printDuration(leftMs)}`;
  if (leftMs <= critMs) return [critical('expires', text)];
  return leftMs <= warnMs ? [warning('expires', text)] : [];
}

/** Object identifiers of signatures that etcd's TLS library refuses (Go 1.18 and later; SHA-1, MD5). */
const brokenSignatures: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
};

/** Curves of less than 128 bits of strength (SP 800-57, part 1, table 2), by object identifier. */
const weakCurves: readonly string[] = ['1.2.840.10045.3.1.1', '1.3.132.0.33'];

/** Weak keys and signatures: RSA below 2048 bits, curves below 256, SHA-1. */
export function judgeStrength(facts: Pick<CertificateFacts, 'algorithm' | 'signatureAlgorithm'>): readonly Finding[] {
  const broken = brokenSignatures[facts.signatureAlgorithm];
  const rsaBits = Number(/^rsa-(\d+)$/.exec(facts.algorithm)?.[1] ?? 2048);
  const curve = weakCurves.some((each) => facts.algorithm === `ecdsa-${each}`);
  return [
    ...(broken === undefined ? [] : [critical('weak', `signed with ${broken}`)]),
    ...(rsaBits < 2048 ? [warning('weak', `RSA key of ${rsaBits} bits (at least 2048)`)] : []),
    ...(curve ? [warning('weak', 'key on a curve of less than 256 bits')] : []),
  ];
}

/** Whether the journal knows a certificate that an authority of ours has signed. */
export function judgeIssued(
  facts: Pick<CertificateFacts, 'serial' | 'sha256'>,
  issued: readonly IssuedRecord[] | undefined,
): readonly Finding[] {
  if (issued === undefined || issued.some((each) => each.sha256 === facts.sha256)) return [];
  const text = `serial ${facts.serial} is not in issued.jsonl: issued by somebody else with the key of this authority`;
  return [critical('unknown', text)];
}

/** Findings for what drift says, less dates: those are judged by {@link judgeDates}. `vital` are names without which others can't connect. */
export function findingsOf(reasons: readonly DriftReason[], vital: readonly string[] = []): readonly Finding[] {
  return reasons.flatMap((reason) => {
    const { kind, text } = reason;
    if (kind === 'dates' || kind === 'authority-expired') return [];
    return [{ level: levelOf(kind, text, vital), code: kind, text }];
  });
}

function levelOf(kind: DriftKind, text: string, vital: readonly string[]): Level {
  if (kind === 'outgoing' || kind === 'chain-unwanted') return 'warning';
  // A client may do without what members must show.
  if (kind === 'chain') return vital.length > 0 ? 'critical' : 'warning';
  if (kind === 'san-missing') return vital.some((name) => text === `SAN ${name} is missing`) ? 'critical' : 'warning';
  return kind === 'subject' || kind === 'key' || kind === 'san-unwanted' ? 'warning' : 'critical';
}

export function warning(code: FindingCode, text: string): Finding {
  return { level: 'warning', code, text };
}

export function critical(code: FindingCode, text: string): Finding {
  return { level: 'critical', code, text };
}

/** The part of a certificate's facts that a row shows. */
export function shownOf(facts: CertificateFacts): RowCertificate {
  const { commonName, issuer, algorithm, serial, sha256, notBefore, notAfter } = facts;
  return { commonName, issuer, algorithm, serial, sha256, notBefore, notAfter };
}
