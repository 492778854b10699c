/** What came back from an authority elsewhere: whose certificates these are, who signed them, and everything that is wrong with any of them. Pure. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { AuthorityView } from '../domain/pki-view.ts';
import { type AcceptedCertificate, type LeafPurpose, leafPurposes, OPERATOR } from '../domain/step.ts';
import { canonicalSans } from '../pki/addresses.ts';
import { externalProblems } from '../pki/external.ts';
import { checkAuthority } from '../pki/import-check.ts';
import { type ParsedCertificate, tryParse } from '../pki/inspect.ts';
import { adminProfile } from '../pki/profile.ts';
import { judgeDue } from './due.ts';
import {
  type Complain,
  type Matched,
  matchLeaves,
  type OfferedFile,
  type Pool,
  pathAbove,
  readFiles,
} from './external-match.ts';
import { waitingAdmin, waitingLeaf } from './outside.ts';
import type { View } from './view.ts';

/** An offer in which nothing is wrong. */
export interface JudgedOffer {
  readonly certificates: readonly AcceptedCertificate[];
  /** Authorities that the store does not know yet. */
  readonly authorities: readonly OfferedAuthority[];
  readonly warnings: readonly string[];
}

export interface OfferedAuthority {
  readonly view: AuthorityView;
  /** PEM of what is above it; '' for a root. */
  readonly chain: string;
}

/**
 * Finds each certificate's key and authority and checks all of it: key, subject, names, usages, dates, chain. Before a cluster is `formed`, and of
 * an authority that is new, every member and the operator must have one.
 * @throws QuorateError refused, with everything that is wrong, file by file
 */
export function judgeOffer(
  view: View,
  files: readonly OfferedFile[],
  { formed }: { readonly formed: boolean },
): JudgedOffer {
  const errors: QuorateError[] = [];
  const complain: Complain = (message, hint = 'have it signed again; nothing was changed') =>
    errors.push(new QuorateError('refused', message, { hint }));
  const { leaves, authorities } = readFiles(files, complain);
  const known = view.pki.authorities.flatMap((each) => tryParse(each.certificate) ?? []);
  const pool = [...authorities, ...known];
  const matched = matchLeaves(view, leaves, { pool, complain });
  const groups = purposesOf(view).map((purpose) => groupOf(view, { purpose, matched, pool, complain }));
  requireApart(groups, complain);
  for (const group of groups) judgeGroup(view, group, complain);
  const fresh = groups.flatMap(({ offered }) => (offered === undefined ? [] : [offered]));
  if (!formed || fresh.length > 0) requireAll(view, { matched, groups, formed }, complain);
  if (leaves.length + authorities.length === 0)
    complain('there is no certificate in it', 'name the folder with --from');
  if (errors.length === 1 && errors[0] !== undefined) throw errors[0];
  if (errors.length > 0) {
    throw combineErrors(`${errors.length} things are wrong with what was signed; nothing was changed`, errors);
  }
  return {
    certificates: groups.flatMap(acceptedOf),
    authorities: fresh,
    warnings: groups.flatMap((each) => [...each.warnings, ...leafWarnings(view, each)]),
  };
}

/** What is offered for one authority's purpose. */
interface Group {
  readonly purpose: AuthorityView['purpose'];
  readonly leaves: readonly Matched[];
  readonly authority: AuthorityView | undefined;
  /** Where the store does not know the authority yet. */
  readonly offered: OfferedAuthority | undefined;
  readonly warnings: readonly string[];
}

function purposesOf({ cluster }: View): readonly AuthorityView['purpose'][] {
  return cluster.pki.external;
}

function isFor(purpose: AuthorityView['purpose'], leaf: LeafPurpose): boolean {
  return purpose === 'both' || (purpose === 'peer') === (leaf === 'peer');
}

function groupOf(
  view: View,
  {
    purpose,
    matched,
    pool,
    complain,
  }: Pool & { readonly purpose: Group['purpose']; readonly matched: readonly Matched[] },
): Group {
  const leaves = matched.filter((each) => isFor(purpose, each.wanted.purpose));
  const issuers = [...new Map(leaves.map((each) => [each.issuer.facts.sha256, each.issuer])).values()];
  const [issuer] = issuers;
  const none = { purpose, leaves, authority: undefined, offered: undefined, warnings: [] };
  if (issuer === undefined) return none;
  if (issuers.length > 1) {
    const each = leaves.map(({ file, issuer: { facts } }) => `${file} of ${facts.subject}`);
    complain(
      `${purpose}: certificates are of ${issuers.length} authorities: ${each.join(', ')}`,
      'have one sign them all',
    );
    return none;
  }
  const known = view.pki.authorities.find(
    (each) => each.purpose === purpose && tryParse(each.certificate)?.facts.sha256 === issuer.facts.sha256,
  );
  if (known?.status === 'retired' || known?.status === 'outgoing') {
    complain(
      `${known.id} (${issuer.facts.subject}) signs no more here: it is ${known.status}`,
      'have the authority in force sign',
    );
    return none;
  }
  if (known !== undefined) return { ...none, authority: { ...known, cross: known.cross ?? known.crossMade } };
  return { ...none, ...freshAuthority(view, { purpose, issuer, pool, complain }) };
}

function freshAuthority(
  view: View,
  {
    purpose,
    issuer,
    pool,
    complain,
  }: Pool & { readonly purpose: Group['purpose']; readonly issuer: ParsedCertificate },
): Pick<Group, 'authority' | 'offered' | 'warnings'> {
  const above = pathAbove(issuer, pool);
  // Leaves carry one intermediate: where there are more, members trust the one that signs, and clients are given it too.
  const chain = above.filter((each) => each.facts.subjectDer !== each.facts.issuerDer).length > 0 ? [] : above;
  const texts = chain.map((each) => each.x509.toString()).join('');
  try {
    const offer = { certificate: issuer.x509.toString(), chain: texts, key: undefined };
    const accepted = checkAuthority(offer, { now: view.now, leafLifetimeDays: view.cluster.pki.leafLifetimeDays });
    const own = view.pki.authorities.filter((each) => each.purpose === purpose);
    const numbers = own.map((each) => Number(/\d+$/.exec(each.id)?.[0] ?? 0));
    const behind = accepted.behind === '' ? undefined : accepted.behind;
    const signs = own.some((each) => each.status === 'active');
    const authority: AuthorityView = {
      id: `${purpose}-${Math.max(0, ...numbers) + 1}`,
      purpose,
      status: signs ? 'incoming' : 'active',
      certificate: accepted.certificate,
      cross: signs ? undefined : behind,
      crossMade: behind,
      hasKey: false,
      signsElsewhere: true,
    };
    const warnings = accepted.warnings.map((each) => `${authority.id} (${issuer.facts.subject}): ${each}`);
    return { authority, offered: { view: authority, chain: texts }, warnings };
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    for (const each of error.errors.length > 0 ? error.errors : [error]) complain(each.message, each.hint);
    return { authority: undefined, offered: undefined, warnings: [] };
  }
}

/** What is taken in and better known. */
function leafWarnings({ cluster, now }: View, { leaves }: Group): readonly string[] {
  return leaves.flatMap(({ file, parsed: { facts }, wanted: { profile } }) => {
    const asked = canonicalSans(profile.sans);
    const more = [...facts.sans.dns, ...facts.sans.ip].filter(
      (each) => !asked.dns.includes(each) && !asked.ip.includes(each),
    );
    const { due, text } = judgeDue(facts, { authority: undefined, policy: cluster.pki, now });
    return [
      ...(more.length === 0 ? [] : [`${file}: has names that nobody asked for: ${more.join(', ')}`]),
      ...(due ? [`${file}: is due at once (pki.renewBefore): ${text}`] : []),
    ];
  });
}

/** With one authority for both, any client certificate opens the peer port (etcd has no other check there). */
function requireApart(groups: readonly Group[], complain: Complain): void {
  const [first, second] = groups.map((each) => each.authority?.certificate);
  if (first === undefined || first !== second) return;
  complain(
    'one authority signs for clients and for peers: every client certificate would open the peer port',
    'have peers signed by another (intermediate) authority; or leave them to quorate: pki.external: [client]; or say so: pki.authorities: single',
  );
}

function judgeGroup(view: View, { leaves, authority }: Group, complain: Complain): void {
  if (authority === undefined) return;
  for (const { file, parsed, wanted } of leaves) {
    const pem = parsed.x509.toString();
    for (const problem of externalProblems({ ...wanted, pem }, authority, view.now)) complain(`${file}: ${problem}`);
  }
}

function requireAll(
  view: View,
  {
    matched,
    groups,
    formed,
  }: { readonly matched: readonly Matched[]; readonly groups: readonly Group[]; readonly formed: boolean },
  complain: Complain,
): void {
  const hint = 'have every request signed: the folder of quorate certs ca external request tells which there are';
  const has = (holder: string, purpose: LeafPurpose): boolean =>
    matched.some((each) => each.wanted.holder === holder && each.wanted.purpose === purpose);
  const changed = groups.filter((each) => !formed || each.offered !== undefined).map((each) => each.purpose);
  const asked = leafPurposes.filter((leaf) => changed.some((each) => isFor(each, leaf)));
  for (const { name } of view.cluster.controllers) {
    const missing = asked.filter((each) => !has(name, each) && (formed || waitingLeaf(view, name, each) === undefined));
    if (missing.length > 0) complain(`${name}: no certificate came back for its ${missing.join(', ')} key`, hint);
  }
  const waits = !formed && waitingAdmin(view, adminProfile(view.cluster.pki)) !== undefined;
  if (asked.includes('client') && !has(OPERATOR, 'client') && !waits) {
    complain("operator: no certificate came back for the operator's key", hint);
  }
}

function acceptedOf({ leaves, authority }: Group): readonly AcceptedCertificate[] {
  if (authority === undefined) return [];
  return leaves.map(({ parsed, wanted: { holder, purpose, publicKey } }) => ({
    holder,
    purpose,
    authority: authority.id,
    publicKey: Buffer.from(publicKey.der).toString('base64'),
    certificate: `${parsed.x509.toString().trimEnd()}\n`,
  }));
}
