/** X.509 v3 certificates (RFC 5280, 4.1): to-be-signed part, signature, PEM. Knows no policy. Pure. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import { bitString, encode, explicit, integer, type Node, nullValue, oid, rawSequence, sequence, time } from './der.ts';

export type SignatureAlgorithm = 'ecdsa-sha256' | 'ecdsa-sha384' | 'rsa-sha256';

/** The signature over some octets: DER of ECDSA's r and s, or RSASSA-PKCS1-v1_5. */
export type Sign = (data: Uint8Array, hash: 'sha256' | 'sha384') => Uint8Array;

export interface CertificateFields {
  /** Exactly 20 octets; the first two bits are forced to 01. */
  readonly serial: Uint8Array;
  readonly issuer: Node;
  readonly subject: Node;
  /** Epoch milliseconds; whole seconds are kept. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly extensions: readonly Node[];
}

/** A certificate that was just made. */
export interface IssuedCertificate {
  readonly pem: string;
  readonly der: Buffer;
  /** Lower-case hex of the DER. */
  readonly sha256: string;
  /** 40 lower-case hex digits. */
  readonly serial: string;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The last moment that a certificate can name (RFC 5280, 4.1.2.5). */
const endOfTime = Date.UTC(9999, 11, 31, 23, 59, 59);

/** RFC 5758, 3.2 and RFC 4055, 5: no parameters with ECDSA, NULL with RSA. */
const algorithmIdentifiers = {
  'ecdsa-sha256': { oid: '1.2.840.10045.4.3.2', withNull: false, hash: 'sha256' },
  'ecdsa-sha384': { oid: '1.2.840.10045.4.3.3', withNull: false, hash: 'sha384' },
  'rsa-sha256': { oid: '1.2.840.113549.1.1.11', withNull: true, hash: 'sha256' },
} as const;

/** Builds and signs. Throws `refused` where the dates can't be written. */
export function signCertificate(
  fields: CertificateFields,
  algorithm: SignatureAlgorithm,
  sign: Sign,
): IssuedCertificate {
  const serial = fixedSerial(fields.serial);
  const notBefore = wholeSeconds(fields.notBefore);
  const notAfter = wholeSeconds(fields.notAfter);
  checkDates(notBefore, notAfter);
  const der = signDer(algorithm, sign, (identifier) =>
    sequence(
      explicit(0, integer(Buffer.of(2))),
      integer(serial),
      identifier,
      fields.issuer,
      sequence(time(notBefore), time(notAfter)),
      fields.subject,
      rawSequence(fields.spki),
      explicit(3, sequence(...fields.extensions)),
    ),
  );
  return {
    pem: toPem(der),
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    serial: serial.toString('hex'),
    notBefore,
    notAfter,
  };
}

/** DER of `SEQUENCE { what is signed, algorithm, signature }`: the shape of certificates, revocation lists and signing requests. */
export function signDer(algorithm: SignatureAlgorithm, sign: Sign, make: (identifier: Node) => Node): Buffer {
  const identifier = algorithmIdentifier(algorithm);
  const tbs = encode(make(identifier));
  return encode(sequence(rawSequence(tbs), identifier, bitString(sign(tbs, algorithmIdentifiers[algorithm].hash))));
}

/** `CERTIFICATE` in PEM, lines of 64, with a final newline (RFC 7468, 5). */
function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Every signature algorithm by its object identifier. */
export function signatureAlgorithmOf(dotted: string): string {
  const found = Object.entries(algorithmIdentifiers).find(([, identifier]) => identifier.oid === dotted);
  return found?.[0] ?? dotted;
}

/** The hash that a signature algorithm begins with. */
export function hashOf(algorithm: SignatureAlgorithm): 'sha256' | 'sha384' {
  return algorithmIdentifiers[algorithm].hash;
}

/** AlgorithmIdentifier (RFC 5280, 4.1.1.2). */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): Node {
  const identifier = algorithmIdentifiers[algorithm];
  return identifier.withNull ? sequence(oid(identifier.oid), nullValue()) : sequence(oid(identifier.oid));
}

/** Positive and always 20 octets long (RFC 5280, 4.1.2.2: at most 20): the top bits are 01, 158 random bits are left. */
function fixedSerial(random: Uint8Array): Buffer {
  if (random.length !== 20) throw new Error(`a serial needs 20 octets, not ${random.length}`);
  const serial = Buffer.from(random);
  serial[0] = ((random[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000;
}

function checkDates(notBefore: number, notAfter: number): void {
  if (!(notBefore < notAfter)) throw new QuorateError('refused', 'a certificate would end before it begins');
  if (notAfter > endOfTime) throw new QuorateError('refused', 'a certificate would end after the year 9999');
}
