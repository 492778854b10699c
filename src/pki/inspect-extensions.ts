/** Reading a certificate's extensions into plain data. Pure. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { formatIp } from './addresses.ts';
import { children, content, decode, isContext, type Node, readOid, tag } from './der.ts';
import { extensionOid, keyUsageNames, usageOid } from './extensions.ts';
import { type NameConstraints, readNameConstraints } from './name-constraints.ts';

/** What the extensions say; empty lists and strings where one is absent. */
export interface ReadExtensions {
  /** Canonical spelling, sorted. Other kinds of names are left out. */
  readonly sans: SubjectAltNames;
  /** `serverAuth`, `clientAuth`, or the dotted identifier. */
  readonly extendedKeyUsages: readonly string[];
  /** `digitalSignature`, `keyCertSign`, … */
  readonly keyUsages: readonly string[];
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  /** What an authority is limited to; undefined: it may certify any name. */
  readonly nameConstraints: NameConstraints | undefined;
  /** Hex. */
  readonly subjectKeyId: string;
  readonly authorityKeyId: string;
  /** Object identifiers of critical extensions that etcd (Go) does not know: it refuses the certificate (RFC 5280, 4.2). */
  readonly unknownCritical: readonly string[];
}

/** What Go's crypto/x509 takes note of beside {@link extensionOid}, from 1.16 (etcd 3.4) on: lists' addresses, policies, authorities' addresses. */
const alsoKnown = ['2.5.29.31', '2.5.29.32', '1.3.6.1.5.5.7.1.1'];

/** Whether a key may be used so: a certificate without the extension limits nothing (RFC 5280, 4.2.1.3), as those of `openssl req -x509` are. */
export function permitsUse(
  { keyUsages }: Pick<ReadExtensions, 'keyUsages'>,
  use: 'keyCertSign' | 'cRLSign' | 'digitalSignature',
): boolean {
  return keyUsages.length === 0 || keyUsages.includes(use);
}

/** Reads a list of Extension values; throws an Error where one that is known has another shape. */
export function readExtensions(extensions: readonly Node[]): ReadExtensions {
  const values = new Map(extensions.map(readExtension));
  const constraints = values.get(extensionOid.nameConstraints);
  const keyId = values.get(extensionOid.subjectKeyId);
  const authorityKey = childrenOf(values.get(extensionOid.authorityKeyId)).find((node) => isContext(node, 0));
  return {
    sans: readSans(values.get(extensionOid.subjectAltName)),
    extendedKeyUsages: childrenOf(values.get(extensionOid.extendedKeyUsage)).map(readUsage),
    keyUsages: readKeyUsages(values.get(extensionOid.keyUsage)),
    ...readBasicConstraints(values.get(extensionOid.basicConstraints)),
    nameConstraints: constraints === undefined ? undefined : readNameConstraints(constraints),
    subjectKeyId: keyId === undefined ? '' : content(keyId).toString('hex'),
    authorityKeyId: authorityKey === undefined ? '' : content(authorityKey).toString('hex'),
    unknownCritical: extensions.flatMap(unknownCritical),
  };
}

function readExtension(node: Node): readonly [string, Node] {
  const parts = children(node);
  const [id] = parts;
  const value = parts.at(-1);
  if (id === undefined || value === undefined) throw new Error('an extension without a value');
  return [readOid(id), decodeKnown(readOid(id), value)];
}

function unknownCritical(node: Node): readonly string[] {
  const [id, critical] = children(node);
  if (id === undefined || critical?.type !== tag.boolean || content(critical)[0] === 0) return [];
  const dotted = readOid(id);
  return [...Object.values<string>(extensionOid), ...alsoKnown].includes(dotted) ? [] : [dotted];
}

/** Values of extensions that are not read may hold anything. */
function decodeKnown(id: string, value: Node): Node {
  return Object.values<string>(extensionOid).includes(id) ? decode(content(value)) : value;
}

function childrenOf(node: Node | undefined): readonly Node[] {
  return node === undefined ? [] : children(node);
}

function readUsage(node: Node): string {
  const dotted = readOid(node);
  return Object.entries(usageOid).find(([, known]) => known === dotted)?.[0] ?? dotted;
}

function readKeyUsages(node: Node | undefined): readonly string[] {
  const octets = node === undefined ? Buffer.alloc(0) : content(node).subarray(1);
  return keyUsageNames.filter((_, bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function readBasicConstraints(node: Node | undefined) {
  const parts = childrenOf(node);
  const pathLength = parts.find((part) => part.type === tag.integer);
  return {
    isCa: parts.some((part) => part.type === tag.boolean && content(part)[0] !== 0),
    pathLength: pathLength === undefined ? undefined : content(pathLength).readUIntBE(0, content(pathLength).length),
  };
}

function readSans(node: Node | undefined): SubjectAltNames {
  const names = childrenOf(node);
  const dns = names.filter((name) => isContext(name, 2)).map((name) => content(name).toString('latin1').toLowerCase());
  const ip = names.filter((name) => isContext(name, 7)).map((name) => formatIp(content(name)));
  return { dns: dns.sort(), ip: ip.sort() };
}
