/** Public keys as SubjectPublicKeyInfo (RFC 5280, 4.1.2.7): read strictly, because they come from hosts. Pure. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyAlgorithm } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { children, content, decode, type Node, readOid } from './der.ts';

/** A public key that was found sound. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly der: Buffer;
  /** SHA-1 of the key's bits: the subject key identifier (RFC 5280, 4.2.1.2, method 1). */
  readonly keyId: Buffer;
}

/** Types of keys that certificates are issued for. */
export const keyAlgorithms: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'];

/** An SPKI before it is judged. */
interface Spki {
  /** `ecdsa-p256`, `rsa-2048`, …; for what quorate does not issue for, another word. */
  readonly algorithm: string;
  /** The key's bits. */
  readonly bits: Buffer;
}

/** DER of each curve's SPKI up to the point, uncompressed: a named curve and nothing else (RFC 5480, 2). */
const curvePrefixes = {
  'ecdsa-p256': Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
  'ecdsa-p384': Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex'),
} as const;

/** RFC 5480, 2.1.1; RFC 3279, 2.3.1; RFC 8410, 3. */
const keyOid = { ec: '1.2.840.10045.2.1', rsa: '1.2.840.113549.1.1.1' } as const;
const otherNames: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'p256',
  '1.3.132.0.34': 'p384',
  '1.3.132.0.35': 'p521',
  '1.2.840.113549.1.1.10': 'rsa-pss',
  '1.3.101.112': 'ed25519',
};

/**
 * The key in a PEM text (one `PUBLIC KEY` block and nothing else) or DER. Throws `refused` for another algorithm or size than wanted, a point that is
 * not on its curve, explicit or compressed curve forms, an RSA exponent other than 65537, and anything that is not canonical.
 */
export function readPublicKey(spki: string | Uint8Array, algorithm: KeyAlgorithm): PublicKey {
  const der = typeof spki === 'string' ? derOfPem(spki) : Buffer.from(spki);
  const { algorithm: found, bits } = parse(der);
  if (found !== algorithm) throw unfit(`it is ${found}, and ${algorithm} is wanted`);
  if (algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384') checkCurveForm(der, algorithm);
  const key = importKey(der);
  if (algorithm.startsWith('rsa-')) checkRsaForm(der, key);
  return { algorithm, der, keyId: createHash('sha1').update(bits).digest() };
}

/** `ecdsa-p256`, `rsa-2048`, … of an SPKI; for what quorate does not issue for, another word (`ed25519`). Throws an Error where it is no SPKI. */
export function spkiAlgorithm(der: Uint8Array): string {
  return readSpki(der).algorithm;
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

function parse(der: Buffer): Spki {
  try {
    return readSpki(der);
  } catch (cause) {
    throw unfit('it does not parse', cause);
  }
}

function readSpki(der: Uint8Array): Spki {
  const [identifier, key] = children(decode(der));
  const [type, parameters] = identifier === undefined ? [] : children(identifier);
  if (type === undefined || key === undefined) throw new Error('a field is missing');
  const bits = content(key).subarray(1);
  return { algorithm: algorithmName(readOid(type), parameters, bits), bits };
}

function algorithmName(type: string, parameters: Node | undefined, bits: Buffer): string {
  if (type === keyOid.rsa) return `rsa-${modulusLength(bits)}`;
  if (type !== keyOid.ec) return otherNames[type] ?? type;
  if (parameters === undefined || typeof parameters.value !== 'string') return 'ecdsa on an unnamed curve';
  const curve = readOid(parameters);
  return `ecdsa-${otherNames[curve] ?? curve}`;
}

function modulusLength(bits: Buffer): number {
  const [modulus] = children(decode(bits));
  if (modulus === undefined) throw new Error('a field is missing');
  return BigInt(`0x${content(modulus).toString('hex')}`).toString(2).length;
}

function checkCurveForm(der: Buffer, algorithm: keyof typeof curvePrefixes): void {
  const prefix = curvePrefixes[algorithm];
  if (!der.subarray(0, prefix.length).equals(prefix)) throw unfit('its curve is not named, or its point is compressed');
}

function importKey(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (cause) {
    throw unfit('its point is not on the curve, or its numbers are out of range', cause);
  }
}

function checkRsaForm(der: Buffer, key: KeyObject): void {
  if (!der.equals(key.export({ type: 'spki', format: 'der' }))) throw unfit('its encoding is not canonical');
  const exponent = key.asymmetricKeyDetails?.publicExponent;
  if (exponent !== 65537n) throw unfit(`its exponent is ${exponent}, not 65537`);
}

function unfit(reason: string, cause?: unknown): QuorateError {
  return new QuorateError('refused', `public key can't be certified: ${reason}`, { cause });
}
