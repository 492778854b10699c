/** Revocations that hosts enforce and the operator's record lacks: the state directory is older than the cluster, and a list made of it would take them back. Pure. */
import type { IssuedRecord } from '../domain/certificate-evidence.ts';
import type { Cluster } from '../domain/cluster.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { pkiLink } from '../domain/layout.ts';
import type { Use } from '../domain/pki-view.ts';
import { counted } from '../domain/plural.ts';
import { isListOf, isRevocationList, type RevokedSerial, readRevocationList } from '../pki/crl.ts';
import { type ParsedCertificate, tryParse } from '../pki/inspect.ts';
import type { Revocation } from '../pki/revoked.ts';
import type { View } from './view.ts';

/** One that a host's list has. */
export interface UnrecordedRevocation extends RevokedSerial {
  readonly host: string;
  readonly use: Use;
  /** ID of the authority that signed the list, and its certificate. */
  readonly authority: string;
  readonly issuer: ParsedCertificate;
}

/** What lists of hosts are compared with. */
export interface KnownRevocations {
  readonly cluster: Cluster;
  readonly authorities: readonly { readonly id: string; readonly certificate: string }[];
  /** Serials of the record; undefined where it cannot be read. */
  readonly revoked: readonly string[] | undefined;
  /** sha256 of the store's own lists, which the record is known to cover. */
  readonly lists: readonly string[];
}

/**
 * What the lists of these hosts have and the record lacks. A list counts that an authority of the store has signed: whoever owns a host could write others.
 */
export function unrecordedRevocations(
  hosts: readonly HostFacts[],
  { cluster, authorities, revoked, lists }: KnownRevocations,
): readonly UnrecordedRevocation[] {
  const differing = hosts.flatMap((facts) =>
    (['client', 'peer'] as const).flatMap((use) => {
      const path = `${pkiLink(cluster)}/${use}.crl`;
      const file = facts.files[path];
      const der = facts.lists?.[path];
      const own = file?.kind === 'file' && lists.includes(file.sha256);
      return der === undefined || own ? [] : [{ host: facts.host, use, der: Buffer.from(der, 'base64') }];
    }),
  );
  if (revoked === undefined || differing.length === 0) return [];
  const recorded = new Set(revoked);
  const signers = authorities.flatMap(({ id, certificate }) => {
    const issuer = tryParse(certificate);
    return issuer === undefined ? [] : [{ authority: id, issuer }];
  });
  return differing.flatMap(({ host, use, der }) => {
    const all = isRevocationList(der) ? readRevocationList(der).revoked : [];
    const lacking = all.filter(({ serial }) => !recorded.has(serial));
    const signer = lacking.length === 0 ? undefined : signers.find(({ issuer }) => isListOf(der, issuer));
    return signer === undefined ? [] : lacking.map((each) => ({ ...each, ...signer, host, use }));
  });
}

/** @throws QuorateError refused where the next list, or a configuration without one, would make good what hosts refuse */
export function requireListsRecorded(view: View): void {
  const { cluster, facts, pki } = view;
  requireComparable(view);
  const lists = Object.values(pki.crls ?? {}).map(({ sha256 }) => sha256);
  const known = { cluster, authorities: pki.authorities, revoked: pki.revoked ?? [], lists };
  const lost = unrecordedRevocations(Object.values(facts.hosts), known);
  if (lost.length === 0) return;
  const hosts = [...new Set(lost.map(({ host }) => host))];
  const errors = hosts.map((host) => {
    const what = unrecordedText(lost.filter((each) => each.host === host));
    const hint = `restore the newer state directory from your backup or git; where there is none: ${TAKE_OVER}`;
    return new QuorateError('refused', `${host}: ${what}: the next list would make them good again`, { host, hint });
  });
  const [first] = errors;
  if (errors.length === 1 && first !== undefined) throw first;
  throw combineErrors(`${cluster.name}: the state directory is older than what ${hosts.length} hosts enforce`, errors);
}

/** Nothing of quorate's is that long (`LIST_LIMIT_SERIALS`): what else it may be, it must not be replaced unread. */
function requireComparable({ cluster, facts }: View): void {
  const paths = (['client', 'peer'] as const).map((use) => `${pkiLink(cluster)}/${use}.crl`);
  for (const { host, tooLong = [] } of Object.values(facts.hosts)) {
    const path = paths.find((each) => tooLong.includes(each));
    if (path === undefined) continue;
    const message = `${host}: ${path} is too long to be compared with what the state directory has revoked`;
    const hint = `quorate makes none of that length: see who has put it there (openssl crl -inform DER -noout -text -in ${path})`;
    throw new QuorateError('refused', message, { host, hint });
  }
}

const TAKE_OVER = 'quorate certs revoke -i FILE (without a name) notes what hosts have';

/** `has 2 revocations that the state directory does not know (01ab…, …)`, of one host. */
export function unrecordedText(lost: readonly UnrecordedRevocation[]): string {
  const serials = [...new Set(lost.map(({ serial }) => serial))];
  const shown = serials.slice(0, SERIALS_SHOWN).join(', ') + (serials.length > SERIALS_SHOWN ? ', …' : '');
  return `has ${counted(serials.length, 'revocation')} that the state directory does not know (${shown})`;
}

/** As the record notes them. What the journal does not know ends with its authority at the latest. */
export function takenOver(
  lost: readonly UnrecordedRevocation[],
  issued: readonly Pick<IssuedRecord, 'serial' | 'commonName' | 'notAfter' | 'authority'>[],
): readonly Revocation[] {
  const bySerial = new Map(lost.map((each) => [each.serial, each]));
  return [...bySerial.values()].map(({ serial, authority, issuer, reason, host }) => {
    const known = issued.find((each) => each.serial === serial);
    const unknown = { commonName: '', notAfter: new Date(issuer.facts.notAfter).toISOString(), authority };
    const { commonName, notAfter, authority: signer } = known ?? unknown;
    return { serial, authority: signer, commonName, notAfter, reason, why: `on the list that ${host} has` };
  });
}

const SERIALS_SHOWN = 3;
