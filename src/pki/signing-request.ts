/** Signing requests (PKCS #10, RFC 2986) in two halves: what is to be signed is made here, and signed where the private key is. Pure. */
import { canonicalSans } from './addresses.ts';
import { algorithmIdentifier, hashOf, type SignatureAlgorithm } from './certificate.ts';
import { bitString, encode, integer, type Node, oid, rawSequence, sequence, set } from './der.ts';
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } from './extensions.ts';
import { signatureAlgorithm } from './issue.ts';
import { encodeName } from './names.ts';
import { extendedKeyUsages, type LeafProfile } from './profile.ts';
import type { PublicKey } from './public-key.ts';

/** A request that is not signed yet. */
export interface UnsignedRequest {
  /** CertificationRequestInfo, DER: what the key has to sign. */
  readonly info: Buffer;
  readonly algorithm: SignatureAlgorithm;
  /** The hash that goes with the key. */
  readonly hash: 'sha256' | 'sha384';
}

/** What a key that is elsewhere is to sign. */
export interface KeySigning {
  /** Path on its host. */
  readonly keyFile: string;
  readonly data: Uint8Array;
  readonly hash: 'sha256' | 'sha384';
}

/** extensionRequest (RFC 2985, 5.4.2). */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** Subject, names and usages of a profile for a key: an outside authority may leave some out, and is told so when its certificate comes back. */
export function unsignedRequest(profile: LeafProfile, publicKey: PublicKey): UnsignedRequest {
  const algorithm = signatureAlgorithm(publicKey.algorithm);
  const requested = sequence(oid(EXTENSION_REQUEST), set(sequence(...wantedExtensions(profile, publicKey))));
  const attributes: Node = { ...set(requested), tagClass: 0x80, type: 0 };
  const info = encode(sequence(integer(Buffer.of(0)), encodeName(profile), rawSequence(publicKey.der), attributes));
  return { info, algorithm, hash: hashOf(algorithm) };
}

/** `CERTIFICATE REQUEST` in PEM. */
export function requestPem({ info, algorithm }: UnsignedRequest, signature: Uint8Array): string {
  const der = encode(sequence(rawSequence(info), algorithmIdentifier(algorithm), bitString(signature)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function wantedExtensions({ purpose, sans }: LeafProfile, { algorithm }: PublicKey): readonly Node[] {
  const names = canonicalSans(sans);
  const rsa = algorithm.startsWith('rsa-');
  return [
    basicConstraints('leaf'),
    keyUsage(rsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature']),
    extendedKeyUsage(extendedKeyUsages(purpose)),
    ...(names.dns.length + names.ip.length > 0 ? [subjectAltName(names)] : []),
  ];
}
