/** Distinguished names: CN and O, written as UTF8String, read from any certificate. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { children, content, type Node, oid, readOid, sequence, set, utf8String } from './der.ts';

/** What stands in a subject. */
export interface DistinguishedName {
  readonly commonName: string;
  /** Empty for none. */
  readonly organization: string;
}

const attribute = { commonName: '2.5.4.3', organization: '2.5.4.10' } as const;

const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
};

/** Upper bound of both attributes, in characters (RFC 5280, appendix A: ub-common-name, ub-organization-name). */
export const maxNameLength = 64;

/** A Name of O and CN in this order, both UTF8String (Go refuses PrintableString with `_`; RFC 5280, 4.1.2.4). Throws `refused` for text that can't stand in one. */
export function encodeName(name: DistinguishedName): Node {
  const parts = [rdn(attribute.commonName, checkText('common name', name.commonName))];
  if (name.organization !== '')
    parts.unshift(rdn(attribute.organization, checkText('organization', name.organization)));
  return sequence(...parts);
}

/** CN and O of a Name (the last of each, '' where absent), and all of it as text: `O=example, CN=root`. */
export function readName(name: Node): DistinguishedName & { readonly text: string } {
  const pairs = children(name).flatMap((part) => children(part).map(readAttribute));
  const last = (type: string): string => pairs.findLast((pair) => pair.type === type)?.value ?? '';
  return {
    commonName: last(attribute.commonName),
    organization: last(attribute.organization),
    text: pairs.map((pair) => `${shortNames[pair.type] ?? pair.type}=${pair.value}`).join(', '),
  };
}

function rdn(type: string, value: string): Node {
  return set(sequence(oid(type), utf8String(value)));
}

function readAttribute(node: Node): { readonly type: string; readonly value: string } {
  const [type, value] = children(node);
  if (type === undefined || value === undefined) throw new Error('ASN.1: an attribute without a value');
  const bmpString = 30;
  const octets = content(value);
  return {
    type: readOid(type),
    value: value.type === bmpString ? octets.swap16().toString('utf16le') : octets.toString(),
  };
}

function checkText(what: string, text: string): string {
  const length = [...text].length;
  if (length === 0) throw new QuorateError('refused', `a certificate needs a ${what}`);
  if (length > maxNameLength) {
    throw new QuorateError(
      'refused',
      `${what} ${JSON.stringify(text)} has ${length} characters (limit ${maxNameLength})`,
    );
  }
  if (/\p{Cc}|\p{Cs}/u.test(text)) {
    throw new QuorateError('refused', `${what} ${JSON.stringify(text)} holds control characters`);
  }
  return text;
}
