/** DER (X.690): the few ASN.1 types that certificates are made of, written and read through node-forge. Pure. */
import asn1, { type Asn1 } from 'node-forge/lib/asn1.js';

/** One ASN.1 value. */
export type Node = Asn1;

const universal = 0x00;
const contextSpecific = 0x80;

/** Universal tags (X.680, 8.4). */
export const tag = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  utf8String: 12,
  sequence: 16,
  set: 17,
  utcTime: 23,
  generalizedTime: 24,
} as const;

/** The DER octets of a value. */
export function encode(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

/** The value that exactly these octets encode; throws an Error for anything that is not DER (indefinite lengths, bytes that remain). */
export function decode(der: Uint8Array): Node {
  const bytes = binary(der);
  const node = asn1.fromDer(bytes, { strict: true, parseAllBytes: true, decodeBitStrings: false });
  if (asn1.toDer(node).getBytes() !== bytes) throw new Error('not encoded as DER');
  return node;
}

export function sequence(...children: Node[]): Node {
  return asn1.create(universal, tag.sequence, true, children);
}

export function set(...children: Node[]): Node {
  return asn1.create(universal, tag.set, true, children);
}

/** `[number] EXPLICIT` */
export function explicit(number: number, child: Node): Node {
  return asn1.create(contextSpecific, number, true, [child]);
}

/** `[number] IMPLICIT` of a SEQUENCE of these. */
export function implicitSequence(number: number, ...nodes: Node[]): Node {
  return asn1.create(contextSpecific, number, true, nodes);
}

/** `[number] IMPLICIT` of a primitive type. */
export function implicit(number: number, content: Uint8Array): Node {
  return asn1.create(contextSpecific, number, false, binary(content));
}

export function oid(dotted: string): Node {
  return asn1.create(universal, tag.oid, false, asn1.oidToDer(dotted).getBytes());
}

/** A non-negative INTEGER of big-endian octets; a zero octet is put in front where the first bit is set. */
export function integer(octets: Uint8Array): Node {
  const content = (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
  return asn1.create(universal, tag.integer, false, binary(content));
}

/** BOOLEAN TRUE; FALSE is always a default and so never written (X.690, 11.5). */
export function booleanTrue(): Node {
  return asn1.create(universal, tag.boolean, false, '\xff');
}

export function nullValue(): Node {
  return asn1.create(universal, tag.null, false, '');
}

export function utf8String(text: string): Node {
  return asn1.create(universal, tag.utf8String, false, binary(Buffer.from(text, 'utf8')));
}

export function octetString(content: Uint8Array): Node {
  return asn1.create(universal, tag.octetString, false, binary(content));
}

export function bitString(content: Uint8Array, unusedBits = 0): Node {
  return asn1.create(universal, tag.bitString, false, String.fromCharCode(unusedBits) + binary(content));
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5); whole seconds. */
export function time(epochMs: number): Node {
  const date = new Date(epochMs);
  return date.getUTCFullYear() < 2050
    ? asn1.create(universal, tag.utcTime, false, asn1.dateToUtcTime(date))
    : asn1.create(universal, tag.generalizedTime, false, asn1.dateToGeneralizedTime(date));
}

/** Octets that are DER of a SEQUENCE already, to be copied as they are. */
export function rawSequence(der: Uint8Array): Node {
  const lengthOctet = der[1] ?? 0;
  const header = lengthOctet < 0x80 ? 2 : 2 + (lengthOctet & 0x7f);
  return asn1.create(universal, 0x30, false, binary(der.subarray(header)));
}

/** The children of a constructed value; throws where it has none. */
export function children(node: Node): readonly Node[] {
  if (typeof node.value === 'string') throw new Error('ASN.1: a constructed value was expected');
  return node.value;
}

/** The content octets of a primitive value. */
export function content(node: Node): Buffer {
  if (typeof node.value !== 'string') throw new Error('ASN.1: a primitive value was expected');
  return Buffer.from(node.value, 'latin1');
}

/** Dotted text of an OBJECT IDENTIFIER; throws an Error for anything else. */
export function readOid(node: Node): string {
  if (node.tagClass !== universal || node.type !== tag.oid) throw new Error('ASN.1: an object identifier was expected');
  return asn1.derToOid(content(node).toString('latin1'));
}

/** Epoch milliseconds of a UTCTime or GeneralizedTime. */
export function readTime(node: Node): number {
  const text = content(node).toString('latin1');
  const date = node.type === tag.utcTime ? asn1.utcTimeToDate(text) : asn1.generalizedTimeToDate(text);
  return date.getTime();
}

/** Whether a value is `[number]`. */
export function isContext(node: Node, number: number): boolean {
  return node.tagClass === contextSpecific && node.type === number;
}

function binary(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}
