/** Judging an authority that was made elsewhere before anything of it is taken: what etcd, Go and quorate need of it. Pure. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { children, content, decode } from './der.ts';
import { type ParsedCertificate, parseCertificate, splitPem } from './inspect.ts';
import { permitsUse } from './inspect-extensions.ts';
import { keyAlgorithms, spkiHash } from './public-key.ts';

/** PEM texts, as they stand in the files. */
export interface AuthorityOffer {
  /** The authority's certificate; what stands behind it is read as `chain`. */
  readonly certificate: string;
  /** The certificates above an intermediate, in any order. */
  readonly chain: string;
  /** Its private key, secret; undefined where somebody else signs. */
  readonly key: string | undefined;
}

/** An authority that was found sound. */
export interface AcceptedAuthority {
  readonly authority: ParsedCertificate;
  /** PEM of the authority alone. */
  readonly certificate: string;
  /** PEM of what leaves carry behind them so that whoever trusts the root alone can verify them: the authority itself; '' for a root. */
  readonly behind: string;
  /** PKCS#8 PEM, secret. */
  readonly key: string | undefined;
  /** What is allowed and worth knowing, a sentence each. */
  readonly warnings: readonly string[];
}

const dayMs = 86_400_000;

/** RFC 3279, 2.2: signatures with MD5 and SHA-1, which Go refuses below a trust anchor. */
const brokenSignatures = ['1.2.840.113549.1.1.4', '1.2.840.113549.1.1.5', '1.2.840.10045.4.1'];

/** What Go refuses in any certificate below a trust anchor, as phrases; openssl takes all of it. */
export function etcdRefuses({ facts }: ParsedCertificate): readonly string[] {
  const badText = hasBadText(facts.subjectDer) || hasBadText(facts.issuerDer);
  const negative = Number.parseInt(facts.serial.slice(0, 2), 16) >= 0x80;
  return [
    ...(brokenSignatures.includes(facts.signatureAlgorithm) ? ['is signed with MD5 or SHA-1, which etcd refuses'] : []),
    ...(badText
      ? ['has a name with letters that its type (PrintableString) does not allow: etcd ends at its start']
      : []),
    ...(negative ? ['has a negative serial, which etcd refuses'] : []),
    ...facts.unknownCritical.map((each) => criticalText(each)),
  ];
}

/** Throws `refused` with everything that is wrong; `leafLifetimeDays` is the policy's. */
export function checkAuthority(
  offer: AuthorityOffer,
  { now, leafLifetimeDays }: { readonly now: number; readonly leafLifetimeDays: number },
): AcceptedAuthority {
  const [first = offer.certificate, ...rest] = splitPem(offer.certificate);
  const authority = parseCertificate(first, 'the certificate');
  const above = [...rest, ...splitPem(offer.chain)].map((pem) => parseCertificate(pem, 'the chain'));
  const path = pathUp(authority, above);
  const complaints = [
    ...authorityComplaints(authority, now),
    ...keyComplaints(authority, offer.key),
    ...path.flatMap((each, index) => chainComplaints(each, { below: index, now })),
    ...strayComplaints(authority, above, path),
    ...depthComplaints(path),
  ];
  if (complaints.length > 0) throw refusal(authority, complaints);
  return {
    authority,
    certificate: pemOf(authority),
    behind: isRoot(authority) ? '' : pemOf(authority),
    key: offer.key === undefined ? undefined : privateKeyOf(offer.key),
    warnings: warningsOf(authority, path, now + leafLifetimeDays * dayMs),
  };
}

function criticalText(id: string): string {
  return `has a critical extension that etcd does not know (${id}), and refuses`;
}

type Complaint = readonly [what: string, hint: string];

function authorityComplaints({ facts }: ParsedCertificate, now: number): readonly Complaint[] {
  const remake = 'have it made anew: openssl x509 -noout -text -in FILE shows what it says';
  return [
    ...when(
      !facts.isCa,
      'is no authority (basicConstraints CA:TRUE is missing)',
      'name the certificate of the authority itself',
    ),
    ...when(
      facts.isCa && !permitsUse(facts, 'keyCertSign'),
      'may not sign certificates (keyUsage keyCertSign)',
      remake,
    ),
    ...when(facts.subjectKeyId === '', 'has no subject key identifier, by which its leaves name it', remake),
    ...when(facts.subject === '', 'has no subject', remake),
    ...when(
      !keyAlgorithms.some((each) => each === facts.algorithm),
      `has a key of type ${facts.algorithm}`,
      `one of ${keyAlgorithms.join(', ')}`,
    ),
    ...when(
      hasBadText(facts.subjectDer) || hasBadText(facts.issuerDer),
      'has a name with letters that its type (PrintableString) does not allow: etcd ends at its start',
      remake,
    ),
    ...when(Number.parseInt(facts.serial.slice(0, 2), 16) >= 0x80, 'has a negative serial, which Go refuses', remake),
    ...facts.unknownCritical.map((each): Complaint => [criticalText(each), remake]),
    ...dateComplaints(facts, now),
  ];
}

function dateComplaints(facts: ParsedCertificate['facts'], now: number): readonly Complaint[] {
  const iso = (epochMs: number): string => new Date(epochMs).toISOString();
  return [
    ...when(
      now >= facts.notAfter,
      `has expired (${iso(facts.notAfter)})`,
      'import its successor, or let quorate make one',
    ),
    ...when(now < facts.notBefore, `is not valid yet (${iso(facts.notBefore)})`, "look at this machine's clock first"),
  ];
}

function keyComplaints({ facts }: ParsedCertificate, key: string | undefined): readonly Complaint[] {
  if (key === undefined) return [];
  const plain = 'give it without one, never as a file that stays: --key <(openssl pkey -in ca.key)';
  if (key.includes('ENCRYPTED')) return [['its key is protected by a passphrase', plain]];
  try {
    const spki = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
    return when(
      spkiHash(spki) !== facts.spkiSha256,
      'is not of that key',
      'name the key that belongs to it with --key',
    );
  } catch {
    return [['its key cannot be read', 'a private key in PEM is wanted: PKCS#8, SEC1 or PKCS#1']];
  }
}

/** A certificate above the authority; `below` counts those between the two. */
function chainComplaints(
  { facts }: ParsedCertificate,
  { below, now }: { readonly below: number; readonly now: number },
): readonly Complaint[] {
  const named = (complaints: readonly Complaint[]): readonly Complaint[] =>
    complaints.map(([what, hint]) => [`its chain: ${facts.subject} ${what}`, hint]);
  const short = facts.pathLength !== undefined && facts.pathLength < below + 1;
  return named([
    ...when(!facts.isCa || !permitsUse(facts, 'keyCertSign'), 'may not sign certificates', 'name the right --chain'),
    ...when(
      short,
      `allows ${facts.pathLength} authorities below it, and there are ${below + 1}`,
      'etcd refuses such a chain',
    ),
    ...dateComplaints(facts, now),
  ]);
}

function strayComplaints(
  authority: ParsedCertificate,
  above: readonly ParsedCertificate[],
  path: readonly ParsedCertificate[],
): readonly Complaint[] {
  const signed = [authority, ...path].filter(
    (each) => !isRoot(each) && brokenSignatures.includes(each.facts.signatureAlgorithm),
  );
  const strays = above.filter(
    (each) => each !== authority && !path.includes(each) && each.facts.sha256 !== authority.facts.sha256,
  );
  return [
    ...signed.map(
      (each): Complaint => [
        `${each.facts.subject} is signed with MD5 or SHA-1, which etcd refuses`,
        'have it signed anew with SHA-256',
      ],
    ),
    ...strays.map(
      (each): Complaint => [
        `its chain holds ${each.facts.subject}, which has not signed it`,
        'name its own chain with --chain',
      ],
    ),
  ];
}

function depthComplaints(path: readonly ParsedCertificate[]): readonly Complaint[] {
  const between = path.filter((each) => !isRoot(each)).length;
  const what = `has ${between} more authorities between it and its root, and leaves carry one`;
  return when(
    between > 0,
    what,
    'import it without --chain: members trust it alone, and other clients must trust it too',
  );
}

function warningsOf(
  { facts }: ParsedCertificate,
  path: readonly ParsedCertificate[],
  leafEnd: number,
): readonly string[] {
  const top = path.at(-1) ?? { facts };
  const end = Math.min(facts.notAfter, ...path.map((each) => each.facts.notAfter));
  const root = top.facts.subjectDer === top.facts.issuerDer;
  return [
    ...(end < leafEnd ? [`it ends ${new Date(end).toISOString().slice(0, 10)}: leaves are cut to that`] : []),
    ...(permitsUse(facts, 'cRLSign')
      ? []
      : ['it may not sign revocation lists: nothing that it issues can be revoked']),
    ...(facts.pathLength === 0
      ? ['its path length is 0: it can sign no successor, so rotate-ca has to go without a cross certificate']
      : []),
    ...(root ? [] : [`its root is not in the chain: clients that trust ${top.facts.issuer} alone are not checked for`]),
  ];
}

/** From the issuer up, as far as the chain leads. */
function pathUp(from: ParsedCertificate, above: readonly ParsedCertificate[]): readonly ParsedCertificate[] {
  if (isRoot(from)) return [];
  const issuer = above.find(
    (each) => each.facts.subjectDer === from.facts.issuerDer && from.x509.verify(each.x509.publicKey),
  );
  return issuer === undefined
    ? []
    : [
        issuer,
        ...pathUp(
          issuer,
          above.filter((each) => each !== issuer),
        ),
      ];
}

function isRoot({ facts }: ParsedCertificate): boolean {
  return facts.subjectDer === facts.issuerDer;
}

/** X.680, 41.4, and what Go takes besides: `*` and `&` (crypto/x509/parser.go, isPrintable). */
function hasBadText(nameDer: string): boolean {
  const printableString = 19;
  const values = children(decode(Buffer.from(nameDer, 'hex')))
    .flatMap(children)
    .map((each) => children(each)[1]);
  return values.some(
    (value) =>
      value?.type === printableString && !/^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(content(value).toString('latin1')),
  );
}

function privateKeyOf(pem: string): string {
  return createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pemOf({ x509 }: ParsedCertificate): string {
  return `${x509.toString().trimEnd()}\n`;
}

function when(broken: boolean, what: string, hint: string): readonly Complaint[] {
  return broken ? [[what, hint]] : [];
}

function refusal({ facts }: ParsedCertificate, complaints: readonly Complaint[]): QuorateError {
  const name = facts.subject === '' ? 'the certificate' : facts.subject;
  const errors = complaints.map(([what, hint]) => new QuorateError('refused', `${name}: ${what}`, { hint }));
  return combineErrors(`${name}: ${errors.length} things are wrong`, errors);
}
