/** Name constraints (RFC 5280, 4.2.1.10): an authority that is limited to some names and addresses. Written, read, and judged as verifiers do. Pure. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { canonicalSans, formatIp, requireIp } from './addresses.ts';
import { children, content, implicit, implicitSequence, isContext, type Node, sequence } from './der.ts';
import { extension, extensionOid } from './extensions.ts';

/** Names of one kind of limit. */
interface Subtrees {
  /** `etcd-1` stands for itself and all names below it. */
  readonly dns: readonly string[];
  /** `10.0.0.1/32`; a mask that is no prefix is written out: `10.0.0.0/255.0.255.0`. */
  readonly ip: readonly string[];
}

export interface NameConstraints {
  /** A kind of name without a subtree is not limited. */
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
}

/** Critical: only these names (and those below them) and exactly these addresses may stand below the authority. */
export function nameConstraints(wanted: SubjectAltNames): Node {
  const sans = canonicalSans(wanted);
  const names = [...new Set(sans.dns.map(subtreeOf))];
  const dns = names.map((name) => sequence(implicit(2, Buffer.from(name, 'ascii'))));
  const ip = sans.ip.map((address) => sequence(implicit(7, exactly(requireIp(address)))));
  return extension(extensionOid.nameConstraints, true, sequence(implicitSequence(0, ...dns, ...ip)));
}

/** Reads the value of the extension; other kinds of names are left out. Throws an Error for an address of another length. */
export function readNameConstraints(value: Node): NameConstraints {
  const [permitted, excluded] = [0, 1].map((number) => children(value).find((node) => isContext(node, number)));
  return { permitted: readSubtrees(permitted), excluded: readSubtrees(excluded) };
}

/** Names and addresses of `sans` that an authority with these constraints can't certify: no verifier would take them. */
export function violations({ permitted, excluded }: NameConstraints, names: SubjectAltNames): readonly string[] {
  const sans = canonicalSans(names);
  const dns = sans.dns.filter(
    (name) =>
      (permitted.dns.length > 0 && !permitted.dns.some((each) => isBelow(name, each))) ||
      excluded.dns.some((each) => isBelow(name, each)),
  );
  const ip = sans.ip.filter(
    (address) =>
      (permitted.ip.length > 0 && !permitted.ip.some((each) => isWithin(address, each))) ||
      excluded.ip.some((each) => isWithin(address, each)),
  );
  return [...dns, ...ip];
}

/** How an authority's constraints differ from what the policy wants (undefined: none), as phrases. More names than wanted are no drift: hosts leave. */
export function constraintDrift(
  found: NameConstraints | undefined,
  wanted: SubjectAltNames | undefined,
): readonly string[] {
  if (wanted === undefined)
    return found === undefined ? [] : ['it is limited to some names, and pki.nameConstraints is false'];
  if (found === undefined) return ['it may certify any name, and pki.nameConstraints is true'];
  return violations(found, wanted).map((name) => `it does not permit ${name}`);
}

/** `*.example.org` is certified by whoever may certify names below example.org. */
function subtreeOf(name: string): string {
  return name.replace(/^\*\./, '');
}

function exactly(address: Buffer): Buffer {
  return Buffer.concat([address, Buffer.alloc(address.length, 0xff)]);
}

function readSubtrees(node: Node | undefined): Subtrees {
  const names = (node === undefined ? [] : children(node)).flatMap((each) => children(each).slice(0, 1));
  return {
    dns: names.filter((each) => isContext(each, 2)).map((each) => content(each).toString('latin1').toLowerCase()),
    ip: names.filter((each) => isContext(each, 7)).map((each) => printRange(content(each))),
  };
}

function printRange(octets: Buffer): string {
  if (octets.length !== 8 && octets.length !== 32) throw new Error('an address range of another length');
  const half = octets.length / 2;
  const bits = [...octets.subarray(half)].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  const prefix = /^1*0*$/.test(bits) ? bits.replace(/0+$/, '').length : formatIp(octets.subarray(half));
  return `${formatIp(octets.subarray(0, half))}/${prefix}`;
}

/** Whether a name is `subtree` or lies below it; one that begins with a dot stands for what is below it alone (as Go and OpenSSL read it). */
function isBelow(name: string, subtree: string): boolean {
  const plain = subtreeOf(name);
  if (subtree === '') return true;
  if (subtree.startsWith('.')) return plain.endsWith(subtree);
  return plain === subtree || plain.endsWith(`.${subtree}`);
}

function isWithin(address: string, range: string): boolean {
  const [base = '', mask = ''] = range.split('/');
  const [octets, wanted] = [requireIp(address), requireIp(base)];
  const masked = /^\d+$/.test(mask) ? prefixMask(Number(mask), wanted.length) : requireIp(mask);
  if (octets.length !== wanted.length) return false;
  return octets.every((octet, index) => ((octet ^ (wanted[index] ?? 0)) & (masked[index] ?? 0)) === 0);
}

function prefixMask(length: number, octets: number): Buffer {
  return Buffer.from(
    Array.from({ length: octets }, (_, i) => 256 - 2 ** (8 - Math.min(8, Math.max(0, length - 8 * i)))),
  );
}
