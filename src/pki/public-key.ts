/** Public keys as SubjectPublicKeyInfo (RFC 5280, 4.1.2.7): read strictly, because they come from hosts. Pure. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyAlgorithm } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { children, content, decode } from './der.ts';

/** A public key that was found sound. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly der: Buffer;
  /** SHA-1 of the key's bits: the subject key identifier (RFC 5280, 4.2.1.2, method 1). */
  readonly keyId: Buffer;
}

/** DER of each curve's SPKI up to the point, uncompressed: a named curve and nothing else (RFC 5480, 2). */
const curvePrefixes = {
  'ecdsa-p256': Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
  'ecdsa-p384': Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex'),
} as const;

/**
 * The key in a PEM text (one `PUBLIC KEY` block and nothing else) or DER. Throws `refused` for another algorithm or size than wanted, a point that is
 * not on its curve, explicit or compressed curve forms, an RSA exponent other than 65537, and anything that is not canonical.
 */
export function readPublicKey(spki: string | Uint8Array, algorithm: KeyAlgorithm): PublicKey {
  const der = typeof spki === 'string' ? derOfPem(spki) : Buffer.from(spki);
  const key = parseKey(der);
  const found = algorithmOf(key);
  if (found !== algorithm) throw unfit(`it is ${found}, and ${algorithm} is wanted`);
  checkForm(der, key, algorithm);
  return { algorithm, der, keyId: keyIdOf(der) };
}

/** `ecdsa-p256`, `rsa-2048`, … of a public or private key; for what quorate does not issue for, another word (`ed25519`, `ecdsa-secp521r1`). */
export function algorithmOf(key: KeyObject): string {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return `rsa-${details.modulusLength}`;
  if (key.asymmetricKeyType !== 'ec') return key.asymmetricKeyType ?? 'unknown';
  const curve = details.namedCurve ?? 'unnamed-curve';
  return { prime256v1: 'ecdsa-p256', secp384r1: 'ecdsa-p384' }[curve] ?? `ecdsa-${curve}`;
}

/** SHA-1 of the subjectPublicKey bits of an SPKI. */
export function keyIdOf(der: Uint8Array): Buffer {
  const bits = children(decode(der))[1];
  if (bits === undefined) throw unfit('it has no key');
  return createHash('sha1').update(content(bits).subarray(1)).digest();
}

/** Lower-case hex sha256 of an SPKI's DER: how a key is named in the journal. */
export function spkiHash(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

function derOfPem(text: string): Buffer {
  const match = /^\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)-----END PUBLIC KEY-----\s*$/.exec(text);
  if (match?.[1] === undefined) throw unfit('it is not one PEM block of type PUBLIC KEY');
  return Buffer.from(match[1].replaceAll(/\s/g, ''), 'base64');
}

function parseKey(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (cause) {
    throw unfit('it does not parse, or its point is not on the curve', cause);
  }
}

function checkForm(der: Buffer, key: KeyObject, algorithm: KeyAlgorithm): void {
  if (!der.equals(key.export({ type: 'spki', format: 'der' }))) throw unfit('its encoding is not canonical');
  if (algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384') {
    const prefix = curvePrefixes[algorithm];
    if (!der.subarray(0, prefix.length).equals(prefix))
      throw unfit('its curve is not named, or its point is compressed');
    return;
  }
  const exponent = key.asymmetricKeyDetails?.publicExponent;
  if (exponent !== 65537n) throw unfit(`its exponent is ${exponent}, not 65537`);
}

function unfit(reason: string, cause?: unknown): QuorateError {
  return new QuorateError('refused', `public key can't be certified: ${reason}`, { cause });
}
