/** Certificate extensions (RFC 5280, 4.2), as nodes ready to be put into a certificate. Pure. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { requireIp } from './addresses.ts';
import { bitString, booleanTrue, encode, implicit, integer, type Node, octetString, oid, sequence } from './der.ts';

/** Object identifiers of the extensions that quorate writes and reads. */
export const extensionOid = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Object identifiers of the extended key usages (RFC 5280, 4.2.1.12). */
export const usageOid = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

/** keyUsage bits by number (RFC 5280, 4.2.1.3), the first nine in order. */
export const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

export type KeyUsage = (typeof keyUsageNames)[number];

/** Critical. `'leaf'`: not an authority; a number: an authority with this path length. */
export function basicConstraints(pathLength: number | 'unlimited' | 'leaf'): Node {
  const limit = typeof pathLength === 'number' ? [integer(Buffer.of(pathLength))] : [];
  const value = pathLength === 'leaf' ? sequence() : sequence(booleanTrue(), ...limit);
  return extension(extensionOid.basicConstraints, true, value);
}

/** Critical; trailing zero bits are dropped (X.690, 11.2.2). Only the first eight bits are written. */
export function keyUsage(usages: readonly KeyUsage[]): Node {
  const bits = usages.reduce((octet, usage) => octet | (0x80 >> keyUsageNames.indexOf(usage)), 0);
  const unused = 31 - Math.clz32(bits & -bits);
  return extension(extensionOid.keyUsage, true, bitString(Buffer.of(bits), unused));
}

export function extendedKeyUsage(usages: readonly (keyof typeof usageOid)[]): Node {
  return extension(extensionOid.extendedKeyUsage, false, sequence(...usages.map((usage) => oid(usageOid[usage]))));
}

/** Names must be canonical already. */
export function subjectAltName(sans: SubjectAltNames): Node {
  const dns = sans.dns.map((name) => implicit(2, Buffer.from(name, 'ascii')));
  const ip = sans.ip.map((address) => implicit(7, requireIp(address)));
  return extension(extensionOid.subjectAltName, false, sequence(...dns, ...ip));
}

export function subjectKeyId(keyId: Uint8Array): Node {
  return extension(extensionOid.subjectKeyId, false, octetString(keyId));
}

/** keyid only: issuer and serial would break a cross-signed authority. */
export function authorityKeyId(keyId: Uint8Array): Node {
  return extension(extensionOid.authorityKeyId, false, sequence(implicit(0, keyId)));
}

/** `id` with its value, which is put into an OCTET STRING. */
export function extension(id: string, critical: boolean, value: Node): Node {
  const parts = [oid(id), ...(critical ? [booleanTrue()] : []), octetString(encode(value))];
  return sequence(...parts);
}
