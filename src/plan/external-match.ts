/** Files that came back from an authority elsewhere: which certificates are in them, for which keys, and who has signed them. Pure. */
import { currentGeneration } from '../domain/generation.ts';
import { pkiGeneration, requestFolder } from '../domain/layout.ts';
import { compareText } from '../domain/plan.ts';
import { type LeafPurpose, leafPurposes, OPERATOR } from '../domain/step.ts';
import { type ParsedCertificate, splitPem, tryParse } from '../pki/inspect.ts';
import { adminProfile, type LeafProfile, memberProfile, signedElsewhere } from '../pki/profile.ts';
import { keyAlgorithms, type PublicKey, readPublicKey, spkiAlgorithm, spkiHash } from '../pki/public-key.ts';
import type { View } from './view.ts';

/** A file of the folder that came back. */
export interface OfferedFile {
  readonly name: string;
  readonly text: string;
}

/** A key that certificates may come back for. */
interface Wanted {
  readonly holder: string;
  readonly purpose: LeafPurpose;
  readonly profile: LeafProfile;
  readonly publicKey: PublicKey;
}

interface OfferedLeaf {
  readonly file: string;
  readonly parsed: ParsedCertificate;
}

/** A certificate whose key and authority were found. */
export interface Matched extends OfferedLeaf {
  readonly wanted: Wanted;
  readonly issuer: ParsedCertificate;
}

/** Notes one thing that is wrong. */
export type Complain = (message: string, hint?: string) => void;

/** Files without a certificate (requests, notes) are passed over, unless their name says that they hold one. */
export function readFiles(files: readonly OfferedFile[], complain: Complain) {
  const leaves: OfferedLeaf[] = [];
  const authorities: ParsedCertificate[] = [];
  for (const { name, text } of files) {
    const blocks = splitPem(text);
    if (blocks.length === 0) {
      const named = /\.(crt|cer|cert)$/i.test(name);
      if (named)
        complain(`${name}: holds no certificate in PEM`, `where it is DER: openssl x509 -inform der -in ${name}`);
      continue;
    }
    if (text.includes('PRIVATE KEY')) complain(`${name}: holds a private key, which must stay where it was made`);
    for (const block of blocks) {
      const parsed = tryParse(block);
      if (parsed === undefined) complain(`${name}: holds a certificate that cannot be read`);
      else if (parsed.facts.isCa) authorities.push(parsed);
      else leaves.push({ file: name, parsed });
    }
  }
  return { leaves: newest(leaves), authorities };
}

/** Of several certificates for one key the one that was made last. */
function newest(leaves: readonly OfferedLeaf[]): readonly OfferedLeaf[] {
  const sorted = leaves.toSorted(
    (a, b) => a.parsed.facts.notBefore - b.parsed.facts.notBefore || a.parsed.facts.notAfter - b.parsed.facts.notAfter,
  );
  return [...new Map(sorted.map((each) => [each.parsed.facts.spkiSha256, each])).values()].toSorted((a, b) =>
    compareText(a.file, b.file),
  );
}

/** Authorities that may have signed. */
export interface Pool {
  readonly pool: readonly ParsedCertificate[];
  readonly complain: Complain;
}

/** The certificates whose key is one that was asked for and whose authority is at hand; the others are complained about. */
export function matchLeaves(view: View, leaves: readonly OfferedLeaf[], { pool, complain }: Pool): readonly Matched[] {
  // Of several that wait for one key (requested for, in use) the first counts.
  const wanted = new Map(
    wantedKeys(view)
      .toReversed()
      .map((each) => [spkiHash(each.publicKey.der), each]),
  );
  return leaves.flatMap((leaf): Matched[] => {
    const { facts } = leaf.parsed;
    const own = wanted.get(facts.spkiSha256);
    const issuer = issuerOf(leaf.parsed, pool);
    if (own === undefined) {
      complain(
        `${leaf.file}: is for a key that neither a member nor the operator has (${facts.subject})`,
        'sign the requests of the last quorate certs ca external request, and take other certificates out of the folder',
      );
    } else if (issuer === undefined) {
      complain(
        `${leaf.file}: its authority, ${facts.issuer}, is in none of the files`,
        'put its certificate beside them: the intermediate that signed them, and the root above it',
      );
    }
    return own === undefined || issuer === undefined ? [] : [{ ...leaf, wanted: own, issuer }];
  });
}

/** Every key for whose certificate an authority elsewhere is asked: those of requests first, then those in use. */
function wantedKeys(view: View): readonly Wanted[] {
  const { cluster, facts, pki } = view;
  const purposes = leafPurposes.filter((each) => signedElsewhere(each, cluster.pki));
  const members = cluster.controllers.flatMap((controller) => {
    const host = facts.hosts[controller.name];
    const folders = [requestFolder(cluster), pkiGeneration(cluster, currentGeneration(cluster, host))];
    return folders.flatMap((folder) =>
      purposes.flatMap((purpose): Wanted[] => {
        const publicKey = readKey(host?.texts[`${folder}/${purpose}.pub`]);
        const profile = memberProfile(purpose, controller, cluster.pki);
        return publicKey === undefined ? [] : [{ holder: controller.name, purpose, profile, publicKey }];
      }),
    );
  });
  const admin = purposes.includes('client') ? readKey(pki.adminPublicKey) : undefined;
  if (admin === undefined) return members;
  return [...members, { holder: OPERATOR, purpose: 'client', profile: adminProfile(cluster.pki), publicKey: admin }];
}

function readKey(text: string | undefined): PublicKey | undefined {
  if (text === undefined) return undefined;
  try {
    const der = Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    const algorithm = keyAlgorithms.find((each) => each === spkiAlgorithm(der));
    return algorithm === undefined ? undefined : readPublicKey(text, algorithm);
  } catch {
    return undefined;
  }
}

/** By name and signature: what the certificate says of its authority's key is judged later. */
function issuerOf(leaf: ParsedCertificate, pool: readonly ParsedCertificate[]): ParsedCertificate | undefined {
  const named = pool.filter((each) => each.facts.subjectDer === leaf.facts.issuerDer);
  return named.findLast((each) => leaf.x509.verify(each.x509.publicKey));
}

/** The authorities above one, from the next up to the root as far as they are at hand. */
export function pathAbove(from: ParsedCertificate, pool: readonly ParsedCertificate[]): readonly ParsedCertificate[] {
  if (from.facts.subjectDer === from.facts.issuerDer) return [];
  const rest = pool.filter((each) => each.facts.sha256 !== from.facts.sha256);
  const issuer = issuerOf(from, rest);
  return issuer === undefined ? [] : [issuer, ...pathAbove(issuer, rest)];
}
