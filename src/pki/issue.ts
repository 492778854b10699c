/** Issuing leaves below an authority, by policy. Pure: keys sign through a function, serials and time are given. */
import type { PkiPolicy } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { canonicalSans } from './addresses.ts';
import { type IssuedCertificate, type Sign, type SignatureAlgorithm, signCertificate } from './certificate.ts';
import { rawSequence } from './der.ts';
import {
  authorityKeyId,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyId,
} from './extensions.ts';
import { type CertificateFacts, readCertificate } from './inspect.ts';
import { permitsUse } from './inspect-extensions.ts';
import { violations } from './name-constraints.ts';
import { encodeName } from './names.ts';
import { extendedKeyUsages, type LeafProfile } from './profile.ts';
import type { PublicKey } from './public-key.ts';

/** An authority that can sign: what {@link issueLeaf} needs of it, read once. */
export interface Signer {
  readonly facts: CertificateFacts;
  readonly sign: Sign;
}

export interface LeafRequest {
  readonly profile: LeafProfile;
  readonly publicKey: PublicKey;
  readonly policy: Pick<PkiPolicy, 'leafLifetimeDays' | 'backdateMinutes'>;
  /** 20 random octets. */
  readonly serial: Uint8Array;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface IssuedLeaf extends IssuedCertificate {
  /** Whether not after was cut to the authority's own end: no validator notices a leaf that outlives it. */
  readonly cut: boolean;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** The authority in `pem` as a signer; throws `refused` where it may not sign certificates. `sign` must use its key: callers check that. */
export function signerOf(pem: string, sign: Sign): Signer {
  const facts = readCertificate(pem);
  if (!facts.isCa || !permitsUse(facts, 'keyCertSign') || facts.subjectKeyId === '') {
    throw new QuorateError('refused', `${facts.subject}: not a certificate authority that may sign certificates`);
  }
  return { facts, sign };
}

/**
 * A leaf below `signer`. Throws `refused` for names that a certificate can't carry, a server or peer without names, a key of another algorithm than the
 * profile's, names beyond the authority's constraints, and an authority that is expired or not valid yet.
 */
export function issueLeaf(signer: Signer, request: LeafRequest): IssuedLeaf {
  const { profile, publicKey } = request;
  checkLeaf(request);
  checkPermitted(signer.facts, profile);
  const validity = leafValidity(signer.facts, request);
  const issued = signCertificate(
    {
      serial: request.serial,
      issuer: rawSequence(Buffer.from(signer.facts.subjectDer, 'hex')),
      subject: encodeName(profile),
      notBefore: validity.notBefore,
      notAfter: validity.notAfter,
      spki: publicKey.der,
      extensions: leafExtensions(signer.facts, profile, publicKey),
    },
    signatureAlgorithm(signer.facts.algorithm),
    signer.sign,
  );
  return { ...issued, cut: validity.cut };
}

/** What a key of this type signs with; throws `refused` for types that quorate has no authorities of. */
export function signatureAlgorithm(keyAlgorithm: string): SignatureAlgorithm {
  if (keyAlgorithm === 'ecdsa-p384') return 'ecdsa-sha384';
  if (keyAlgorithm === 'ecdsa-p256') return 'ecdsa-sha256';
  if (keyAlgorithm.startsWith('rsa-')) return 'rsa-sha256';
  throw new QuorateError('refused', `an authority with a key of type ${keyAlgorithm} can't sign here`);
}

function checkLeaf({ profile, publicKey }: LeafRequest): void {
  if (publicKey.algorithm !== profile.algorithm) {
    throw new QuorateError(
      'refused',
      `${profile.commonName}: key is ${publicKey.algorithm}, policy ${profile.algorithm}`,
    );
  }
  if (profile.purpose !== 'client' && profile.sans.dns.length + profile.sans.ip.length === 0) {
    throw new QuorateError(
      'refused',
      `${profile.commonName}: a ${profile.purpose} certificate needs a name or an address`,
    );
  }
}

function checkPermitted({ commonName, nameConstraints }: CertificateFacts, profile: LeafProfile): void {
  const beyond = nameConstraints === undefined ? [] : violations(nameConstraints, profile.sans);
  if (beyond.length === 0) return;
  const message = `${profile.commonName}: authority ${commonName} is limited to names that ${beyond.join(', ')} is not among`;
  throw new QuorateError('refused', message, {
    hint: 'renew the authority with the names of the inventory: quorate certs rotate-ca --renew',
  });
}

function leafExtensions(ca: CertificateFacts, profile: LeafProfile, publicKey: PublicKey) {
  const sans = canonicalSans(profile.sans);
  const rsa = publicKey.algorithm.startsWith('rsa-');
  return [
    basicConstraints('leaf'),
    keyUsage(rsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature']),
    extendedKeyUsage(extendedKeyUsages(profile.purpose)),
    ...(sans.dns.length + sans.ip.length > 0 ? [subjectAltName(sans)] : []),
    subjectKeyId(publicKey.keyId),
    authorityKeyId(Buffer.from(ca.subjectKeyId, 'hex')),
  ];
}

function leafValidity(ca: CertificateFacts, { policy, now }: LeafRequest) {
  if (now >= ca.notAfter) throw outsideValidity(ca, 'has expired', ca.notAfter);
  if (now < ca.notBefore) throw outsideValidity(ca, 'is not valid yet', ca.notBefore);
  const wanted = now + policy.leafLifetimeDays * dayMs;
  return {
    notBefore: Math.max(now - policy.backdateMinutes * minuteMs, ca.notBefore),
    notAfter: Math.min(wanted, ca.notAfter),
    cut: wanted > ca.notAfter,
  };
}

function outsideValidity(ca: CertificateFacts, what: string, date: number): QuorateError {
  return new QuorateError('refused', `authority ${ca.commonName} ${what} (${new Date(date).toISOString()})`, {
    hint: "look at this machine's clock first",
  });
}
