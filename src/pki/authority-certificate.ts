/** Certificates of authorities: self-signed, renewed with the same key, and signed by a predecessor. Pure: keys sign through a function, serials and time are given. */
import type { PkiPolicy } from '../domain/cluster.ts';
import type { SubjectAltNames } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import { type IssuedCertificate, type Sign, signCertificate } from './certificate.ts';
import { type Node, rawSequence } from './der.ts';
import { authorityKeyId, basicConstraints, keyUsage, subjectKeyId } from './extensions.ts';
import type { CertificateFacts } from './inspect.ts';
import { type Signer, signatureAlgorithm } from './issue.ts';
import { nameConstraints } from './name-constraints.ts';
import { encodeName, maxNameLength } from './names.ts';
import type { PublicKey } from './public-key.ts';

/** What an authority signs: etcd's clients and servers, its peers, or both. */
export type AuthorityPurpose = 'client' | 'peer' | 'both';

type AuthorityPolicy = Pick<PkiPolicy, 'caLifetimeDays' | 'backdateMinutes' | 'nameConstraints'>;

interface SigningInput {
  /** 20 random octets. */
  readonly serial: Uint8Array;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly publicKey: PublicKey;
}

export interface AuthorityRequest extends SigningInput {
  readonly clusterName: string;
  readonly purpose: AuthorityPurpose;
  /** Counts the authorities of one purpose, from 1. */
  readonly number: number;
  readonly policy: AuthorityPolicy & Pick<PkiPolicy, 'organization'>;
  readonly sign: Sign;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;

/**
 * A self-signed authority: path length 1 (leaves room for a cross-signed successor), keyCertSign and cRLSign, a subject that no other key has.
 */
export function issueAuthority(request: AuthorityRequest): IssuedCertificate {
  const { policy, publicKey } = request;
  const name = encodeName({ commonName: authorityName(request), organization: policy.organization });
  return signAuthority(request, {
    subject: name,
    keyId: publicKey.keyId,
    pathLength: 1,
    constraints: policy.nameConstraints,
    ...validity(request),
    issuer: { name, keyId: publicKey.keyId, algorithm: publicKey.algorithm, sign: request.sign },
  });
}

export interface RenewalRequest extends SigningInput {
  /** The certificate that is to be replaced: its subject, key identifier and path length stay. */
  readonly current: CertificateFacts;
  readonly policy: AuthorityPolicy;
  readonly sign: Sign;
}

/**
 * The same authority with new dates, another serial and the policy's name constraints: what its key has signed verifies under either certificate, also where the old one has expired.
 * Throws `refused` for an authority that another one has signed.
 */
export function renewAuthorityCertificate(request: RenewalRequest): IssuedCertificate {
  const { current, policy, publicKey, sign } = request;
  if (current.issuerDer !== current.subjectDer) {
    throw new QuorateError('refused', `${current.commonName}: was signed by ${current.issuer}, which has to renew it`, {
      hint: 'import what it gives you, or replace the authority: quorate certs rotate-ca',
    });
  }
  const name = nameOf(current);
  const keyId = Buffer.from(current.subjectKeyId, 'hex');
  return signAuthority(request, {
    subject: name,
    keyId,
    pathLength: current.pathLength,
    constraints: policy.nameConstraints,
    ...validity(request),
    issuer: { name, keyId, algorithm: publicKey.algorithm, sign },
  });
}

export interface CrossRequest extends SigningInput {
  /** Whose subject and key are signed; `publicKey` is its. */
  readonly successor: CertificateFacts;
  readonly predecessor: Signer;
  readonly policy: Pick<PkiPolicy, 'backdateMinutes' | 'nameConstraints'>;
}

/**
 * A successor's subject and key, signed by its predecessor: what stands behind a leaf lets those that trust the predecessor alone verify it. Path length
 * 0; ends with whichever of the two ends first. Throws `refused` where the predecessor is expired, not valid yet, or may have no authority below it.
 */
export function issueCross(request: CrossRequest): IssuedCertificate {
  const { successor, predecessor, policy, now } = request;
  checkCross(request);
  return signAuthority(request, {
    subject: nameOf(successor),
    keyId: Buffer.from(successor.subjectKeyId, 'hex'),
    pathLength: 0,
    constraints: policy.nameConstraints,
    notBefore: Math.max(now - policy.backdateMinutes * minuteMs, predecessor.facts.notBefore),
    notAfter: Math.min(successor.notAfter, predecessor.facts.notAfter),
    issuer: {
      name: nameOf(predecessor.facts),
      keyId: Buffer.from(predecessor.facts.subjectKeyId, 'hex'),
      algorithm: predecessor.facts.algorithm,
      sign: predecessor.sign,
    },
  });
}

interface AuthorityFields {
  readonly subject: Node;
  readonly keyId: Uint8Array;
  readonly pathLength: number | undefined;
  /** Names and addresses that it is limited to. */
  readonly constraints: SubjectAltNames | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuer: {
    readonly name: Node;
    readonly keyId: Uint8Array;
    readonly algorithm: string;
    readonly sign: Sign;
  };
}

function signAuthority({ serial, publicKey }: SigningInput, fields: AuthorityFields): IssuedCertificate {
  const { issuer, subject, notBefore, notAfter } = fields;
  return signCertificate(
    {
      serial,
      issuer: issuer.name,
      subject,
      notBefore,
      notAfter,
      spki: publicKey.der,
      extensions: [
        basicConstraints(fields.pathLength ?? 'unlimited'),
        keyUsage(['keyCertSign', 'cRLSign']),
        ...(fields.constraints === undefined ? [] : [nameConstraints(fields.constraints)]),
        subjectKeyId(fields.keyId),
        authorityKeyId(issuer.keyId),
      ],
    },
    signatureAlgorithm(issuer.algorithm),
    issuer.sign,
  );
}

function validity({ policy, now }: { readonly policy: AuthorityPolicy; readonly now: number }) {
  return { notBefore: now - policy.backdateMinutes * minuteMs, notAfter: now + policy.caLifetimeDays * dayMs };
}

/** `prod client CA 1 a1b2c3d4`: the key's own identifier keeps subjects apart even when a state directory is made anew. */
function authorityName({ clusterName, purpose, number, publicKey }: AuthorityRequest): string {
  const kind = purpose === 'both' ? 'CA' : `${purpose} CA`;
  const suffix = ` ${kind} ${number} ${publicKey.keyId.toString('hex', 0, 4)}`;
  return [...clusterName].slice(0, maxNameLength - suffix.length).join('') + suffix;
}

/** The subject's octets, as they are: names are the same only when those are. */
function nameOf({ subjectDer }: CertificateFacts): Node {
  return rawSequence(Buffer.from(subjectDer, 'hex'));
}

function checkCross({ predecessor: { facts }, now }: CrossRequest): void {
  const why = crossObstacle(facts, now);
  if (why === undefined) return;
  throw new QuorateError('refused', `authority ${facts.commonName} can't sign its successor: ${why}`, {
    hint: 'replace it without a cross certificate: clients need the new bundle before leaves change',
  });
}

function crossObstacle(facts: CertificateFacts, now: number): string | undefined {
  if (now >= facts.notAfter) return `it expired ${new Date(facts.notAfter).toISOString()}`;
  if (now < facts.notBefore) return `it is not valid before ${new Date(facts.notBefore).toISOString()}`;
  return facts.pathLength === 0 ? 'its path length is 0' : undefined;
}
