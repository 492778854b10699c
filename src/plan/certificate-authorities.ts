/** The report's rows of the authorities in the operator's store, and of the certificates with which they vouch for each other. Pure. */
import type { CertificateEvidence, StoredAuthority } from '../domain/certificate-evidence.ts';
import { printDuration } from '../domain/duration.ts';
import { leafDrift } from '../pki/drift.ts';
import type { ParsedCertificate } from '../pki/inspect.ts';
import { constraintDrift } from '../pki/name-constraints.ts';
import { holdersOf } from './certificate-clients.ts';
import {
  type CertificateRow,
  critical,
  type Finding,
  findingsOf,
  type Judging,
  judgeDates,
  judgeIssued,
  judgeStrength,
  limitsOf,
  shownOf,
  warning,
} from './certificate-row.ts';

const dayMs = 86_400_000;

/** One row an authority, in the order in which they were made, and one more for its cross certificate while that is or will be served. */
export function authorityRows(evidence: CertificateEvidence, judging: Judging): readonly CertificateRow[] {
  return evidence.store.authorities.flatMap((authority) => {
    const parsed = judging.read(authority.certificate);
    if (parsed === undefined) return [];
    const place = { kind: 'authority', where: `authority ${authority.id}`, host: undefined } as const;
    const findings = authorityFindings(evidence, { authority, parsed, judging });
    return [{ ...place, certificate: shownOf(parsed.facts), findings }, ...crossRow(evidence, authority, judging)];
  });
}

interface Judged {
  readonly authority: StoredAuthority;
  readonly parsed: ParsedCertificate;
  readonly judging: Judging;
}

/** Of a retired authority nothing is expected any more. */
function authorityFindings(evidence: CertificateEvidence, judged: Judged): readonly Finding[] {
  const { authority, parsed, judging } = judged;
  if (authority.status === 'retired') return [];
  const selfSigned = parsed.facts.subjectDer === parsed.facts.issuerDer;
  const drift = selfSigned ? leafDrift(parsed, { profile: undefined, authorities: [parsed] }, judging.now) : [];
  const signs = authority.status === 'outgoing' ? outgoingFindings(evidence, judged) : signerFindings(evidence, judged);
  return [
    ...signs,
    ...findingsOf(drift),
    ...judgeStrength(parsed.facts),
    ...(selfSigned ? judgeIssued(parsed.facts, judging.issued) : []),
  ];
}

/** What is said of one that signs, or will. */
function signerFindings({ cluster, store }: CertificateEvidence, { authority, parsed, judging }: Judged) {
  const external = cluster.pki.external.includes(authority.purpose) && authority.key === undefined;
  const limited = constraintDrift(parsed.facts.nameConstraints, cluster.pki.nameConstraints);
  const noKey = `its key is not in ${store.location}: it can sign nothing`;
  return [
    ...authorityEnd(parsed.facts, cluster.pki.leafLifetimeDays * dayMs, judging),
    ...(external ? [] : limited).map((text) =>
      warning('constraints', `${text}: renew it: quorate certs rotate-ca --renew`),
    ),
    ...(authority.key === undefined && !external ? [warning('authority-key', noKey)] : []),
  ];
}

/** It signs no more, and clients that hold its certificates still get in: until it is retired. */
function outgoingFindings({ store, now }: CertificateEvidence, { authority, parsed, judging }: Judged) {
  const holders = holdersOf(store, authority.id, now).map(
    ({ commonName, notAfter }) => `${commonName} (until ${notAfter.slice(0, 10)})`,
  );
  const open = 'signs no more and is still trusted: end its rotation with quorate certs rotate-ca --until trust-new';
  const blocked = `clients would be refused after that, renew them first: ${holders.join(', ')}`;
  return [
    ...judgeDates(parsed.facts, judging),
    warning('rotation-open', open),
    ...(holders.length === 0 ? [] : [warning('rotation-blocked', blocked)]),
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

function crossRow(
  { store }: CertificateEvidence,
  authority: StoredAuthority,
  judging: Judging,
): readonly CertificateRow[] {
  const { cross, crossServed, status, id } = authority;
  const parsed = cross === undefined ? undefined : judging.read(cross);
  if (parsed === undefined || status === 'retired' || !(crossServed || status === 'incoming')) return [];
  const before = predecessorOf(store.authorities, parsed, judging);
  const stays = `is served though ${before?.id ?? 'its predecessor'} is trusted no more: once no client trusts that one alone, quorate certs rotate-ca --until drop-cross`;
  // Whoever still needs it trusts its signer alone, and ends with that.
  const dates = judgeDates(parsed.facts, judging).map(({ code, text }) => warning(code, text));
  const ended = crossServed && before?.status === 'retired';
  const findings = [
    ...(ended ? [warning('cross-served', stays)] : dates),
    ...judgeIssued(parsed.facts, judging.issued),
  ];
  return [{ kind: 'cross', where: `cross ${id}`, host: undefined, certificate: shownOf(parsed.facts), findings }];
}

function predecessorOf(authorities: readonly StoredAuthority[], cross: ParsedCertificate, { read }: Judging) {
  return authorities.find((each) => read(each.certificate)?.facts.subjectDer === cross.facts.issuerDer);
}
