/** Certificate revocation lists, version 2 (RFC 5280, 5): made by an authority's key, in DER, and read back. Pure. */
import { verify } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import { signatureAlgorithmOf, signDer } from './certificate.ts';
import {
  children,
  content,
  decode,
  encode,
  explicit,
  integer,
  isContext,
  type Node,
  octetString,
  oid,
  rawSequence,
  readOid,
  readTime,
  sequence,
  tag,
  time,
} from './der.ts';
import { authorityKeyId } from './extensions.ts';
import type { ParsedCertificate } from './inspect.ts';
import { permitsUse } from './inspect-extensions.ts';
import { type Signer, signatureAlgorithm } from './issue.ts';
import { readName } from './names.ts';

/** CRLReason (RFC 5280, 5.3.1), those that an operator gives; `unspecified` is written as no reason at all. */
export const revocationReasons = {
  unspecified: 0,
  'key-compromise': 1,
  'affiliation-changed': 3,
  superseded: 4,
  cessation: 5,
  'privilege-withdrawn': 9,
} as const;
export type RevocationReason = keyof typeof revocationReasons;

/** Their names, as operators give them. */
export const reasonNames: readonly RevocationReason[] = [
  'unspecified',
  'key-compromise',
  'affiliation-changed',
  'superseded',
  'cessation',
  'privilege-withdrawn',
];

/**
 * Most that one list may hold: below 4 MiB, which is what is read of a host's list to compare it with the record, at 56 octets a serial. etcd parses the
 * list anew for each connection.
 */
export const LIST_LIMIT_SERIALS = 70_000;

export interface RevokedSerial {
  /** Lower-case hex, as the journal has it. */
  readonly serial: string;
  /** Epoch milliseconds; whole seconds are kept. */
  readonly at: number;
  readonly reason: RevocationReason;
}

export interface RevocationList {
  /** crlNumber: greater than that of any list before of the same authority. */
  readonly number: number;
  /** Epoch milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** In the order of the list. */
  readonly revoked: readonly RevokedSerial[];
}

/** What a list says, and who has signed it. */
export interface ReadRevocationList extends RevocationList {
  readonly issuer: string;
  readonly issuerDer: string;
  /** Hex; '' where absent. */
  readonly authorityKeyId: string;
  /** `ecdsa-sha256`, …, or the dotted identifier. */
  readonly signatureAlgorithm: string;
}

const enumeratedTag = 10;
const extensionOid = { crlNumber: '2.5.29.20', reasonCode: '2.5.29.21', authorityKeyId: '2.5.29.35' } as const;

/** The list's DER. Throws `refused` where the authority may not sign lists (keyUsage cRLSign). */
export function signRevocationList(signer: Signer, list: RevocationList): Buffer {
  const { facts } = signer;
  if (!permitsUse(facts, 'cRLSign')) {
    throw new QuorateError('refused', `authority ${facts.commonName}: may not sign revocation lists (no cRLSign)`, {
      hint: 'its certificates end by their dates alone: issue short ones, or rotate to an authority with cRLSign',
    });
  }
  return signDer(signatureAlgorithm(facts.algorithm), signer.sign, (identifier) =>
    sequence(
      integer(Buffer.of(1)),
      identifier,
      rawSequence(Buffer.from(facts.subjectDer, 'hex')),
      time(list.thisUpdate),
      time(list.nextUpdate),
      // RFC 5280, 5.1.2.6: absent where nothing is revoked.
      ...(list.revoked.length === 0 ? [] : [sequence(...list.revoked.map(entry))]),
      explicit(
        0,
        sequence(
          authorityKeyId(Buffer.from(facts.subjectKeyId, 'hex')),
          extension(extensionOid.crlNumber, integer(bigEndian(list.number))),
        ),
      ),
    ),
  );
}

/**
 * What exactly these octets say. Throws `refused`, `what` first, for anything that is not one CRL in DER: etcd 3.6 and later read nothing else, and a list
 * that etcd can't read ends every new connection.
 */
export function readRevocationList(der: Uint8Array, what = 'a revocation list'): ReadRevocationList {
  try {
    return readFields(partsOf(der));
  } catch (cause) {
    throw new QuorateError('refused', `${what}: is no revocation list in DER`, {
      cause,
      hint: 'openssl crl -inform DER -noout -text -in FILE tells what it is',
    });
  }
}

/** Whether {@link readRevocationList} reads it. */
export function isRevocationList(der: Uint8Array): boolean {
  try {
    readFields(partsOf(der));
    return true;
  } catch {
    return false;
  }
}

/** Whether the authority has signed the list: its name, its key identifier, its signature. */
export function isListOf(der: Uint8Array, authority: ParsedCertificate): boolean {
  const list = readRevocationList(der);
  const { tbs, signature } = partsOf(der);
  const { subjectDer, subjectKeyId } = authority.facts;
  const hash = hashes[list.signatureAlgorithm];
  if (hash === undefined || list.issuerDer !== subjectDer || list.authorityKeyId !== subjectKeyId) return false;
  return verify(hash, encode(tbs), authority.x509.publicKey, signature);
}

const hashes: Readonly<Record<string, string>> = {
  'ecdsa-sha256': 'sha256',
  'ecdsa-sha384': 'sha384',
  'rsa-sha256': 'sha256',
};

function entry({ serial, at, reason }: RevokedSerial): Node {
  const fields = [integer(Buffer.from(serial, 'hex')), time(at)];
  const code = revocationReasons[reason];
  if (code === 0) return sequence(...fields);
  const enumerated = { ...integer(Buffer.of(code)), type: enumeratedTag };
  return sequence(...fields, sequence(extension(extensionOid.reasonCode, enumerated)));
}

function extension(id: string, value: Node): Node {
  return sequence(oid(id), octetString(encode(value)));
}

function bigEndian(value: number): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(BigInt(value));
  const first = octets.findIndex((each) => each !== 0);
  return octets.subarray(first < 0 ? 7 : first);
}

interface Parts {
  readonly tbs: Node;
  readonly algorithm: string;
  /** AlgorithmIdentifier, DER. */
  readonly identifier: Buffer;
  readonly signature: Buffer;
}

/** What the signature does not cover is read as strictly as the rest: Go is as strict, and what Go can't read locks everybody out. */
function partsOf(der: Uint8Array): Parts {
  const list = decode(der);
  const [tbs, identifier, signature, ...more] = children(list);
  if (tbs === undefined || identifier === undefined || signature === undefined) throw new Error('a field is missing');
  const kinds = [list, tbs, identifier, signature].map((node) => `${node.tagClass} ${node.type}`);
  const wanted = [tag.sequence, tag.sequence, tag.sequence, tag.bitString].map((each) => `0 ${each}`);
  if (kinds.join() !== wanted.join() || more.length > 0) throw new Error('a field is of another type');
  const [algorithm] = children(identifier);
  const [unusedBits] = content(signature);
  if (algorithm === undefined || unusedBits !== 0) throw new Error('a field is missing');
  return {
    tbs,
    algorithm: readOid(algorithm),
    identifier: encode(identifier),
    signature: content(signature).subarray(1),
  };
}

/** TBSCertList (RFC 5280, 5.1.2): version 2 and nextUpdate are asked for, as every list of an authority has them. */
function readFields({ tbs, algorithm, identifier: outer }: Parts): ReadRevocationList {
  const [version, identifier, issuer, thisUpdate, nextUpdate, ...rest] = children(tbs);
  if (!version || !identifier || !issuer || !thisUpdate || !nextUpdate) throw new Error('a field is missing');
  if (version.type !== tag.integer || content(version).toString('hex') !== '01') throw new Error('not version 2');
  if (!encode(identifier).equals(outer)) throw new Error('two signature algorithms');
  const entries = rest.find((each) => each.tagClass === 0 && each.type === tag.sequence);
  const extensions = readExtensions(rest.find((each) => isContext(each, 0)));
  const number = extensions.get(extensionOid.crlNumber);
  const keyId = extensions.get(extensionOid.authorityKeyId);
  const authorityKey = keyId === undefined ? undefined : children(keyId).find((each) => isContext(each, 0));
  return {
    issuer: readName(issuer).text,
    issuerDer: encode(issuer).toString('hex'),
    authorityKeyId: authorityKey === undefined ? '' : content(authorityKey).toString('hex'),
    signatureAlgorithm: signatureAlgorithmOf(algorithm),
    number: number === undefined ? 0 : Number(BigInt(`0x${content(number).toString('hex')}`)),
    thisUpdate: readTime(thisUpdate),
    nextUpdate: readTime(nextUpdate),
    revoked: entries === undefined ? [] : children(entries).map(readEntry),
  };
}

function readEntry(node: Node): RevokedSerial {
  const [serial, at, extensions] = children(node);
  if (serial === undefined || at === undefined) throw new Error('a field is missing');
  const code = extensions === undefined ? undefined : extensionMap(extensions).get(extensionOid.reasonCode);
  const number = code === undefined ? 0 : content(code)[0];
  const reason = reasonNames.find((each) => revocationReasons[each] === number) ?? 'unspecified';
  return { serial: serialOf(serial), at: readTime(at), reason };
}

/** Without the zero octet that keeps an INTEGER positive. */
function serialOf(node: Node): string {
  return content(node)
    .toString('hex')
    .replace(/^00(?=.)/, '');
}

function readExtensions(field: Node | undefined): ReadonlyMap<string, Node> {
  const [list] = field === undefined ? [] : children(field);
  return list === undefined ? new Map() : extensionMap(list);
}

function extensionMap(list: Node): ReadonlyMap<string, Node> {
  return new Map(
    children(list).map((each) => {
      const [id] = children(each);
      const value = children(each).at(-1);
      if (id === undefined || value === undefined) throw new Error('an extension without a value');
      return [readOid(id), decode(content(value))] as const;
    }),
  );
}
