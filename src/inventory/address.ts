/** IP addresses and DNS names as text: what they are, and their one canonical spelling. */

/** What an IP address is good for; only `ordinary` ones can be dialled by others. */
type AddressKind = 'ordinary' | 'loopback' | 'unspecified' | 'link-local' | 'multicast' | 'mapped';

export interface IpAddress {
  readonly family: 4 | 6;
  /** IPv6 in lower case and compressed (RFC 5952); IPv4 as it is. No brackets, no zone. */
  readonly text: string;
  readonly kind: AddressKind;
}

/** Reads an IPv4 (four decimal numbers without leading zeros) or IPv6 address; undefined for anything else, zones and brackets included. */
export function parseIp(text: string): IpAddress | undefined {
  return parseIpv4(text) ?? parseIpv6(text);
}

/** Whether the text is a DNS host name (RFC 1123: letters, digits and hyphens in labels of at most 63, 253 in all) and cannot be taken for an IPv4 address. */
export function isDnsName(text: string): boolean {
  const labels = text.split('.');
  if (text.length > 253 || !labels.every((label) => dnsLabel.test(label))) return false;
  return labels.length === 1 || !/^\d+$/.test(labels.at(-1) ?? '');
}

/** An address in its canonical spelling: IPs as {@link parseIp} has them, DNS names in lower case. */
export function canonicalAddress(text: string): string {
  return parseIp(text)?.text ?? text.toLowerCase();
}

/** Whether an IP or DNS name always means the machine itself. */
export function isLoopback(text: string): boolean {
  const name = text.toLowerCase();
  return parseIp(text)?.kind === 'loopback' || name === 'localhost' || name.endsWith('.localhost');
}

const dnsLabel = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
const octet = /^(?:0|[1-9]\d{0,2})$/;

function parseIpv4(text: string): IpAddress | undefined {
  const octets = readOctets(text);
  return octets === undefined ? undefined : { family: 4, text, kind: kindOfIpv4(octets) };
}

function readOctets(text: string): readonly [number, number, number, number] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) < 256)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a, b, c, d];
}

function kindOfIpv4([a, b]: readonly [number, number, number, number]): AddressKind {
  if (a === 0) return 'unspecified';
  if (a === 127) return 'loopback';
  if (a === 169 && b === 254) return 'link-local';
  return a >= 224 ? 'multicast' : 'ordinary';
}

function parseIpv6(text: string): IpAddress | undefined {
  const words = readWords(text);
  return words === undefined ? undefined : { family: 6, text: compress(words), kind: kindOfIpv6(words) };
}

/** The eight 16-bit words of an IPv6 address. */
function readWords(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 45) return undefined;
  const [head, tail] = halves.map(readGroups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 8 ? head : undefined;
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function readGroups(half: string): readonly number[] | undefined {
  if (half === '') return [];
  const groups = half.split(':');
  const octets = readOctets(groups.at(-1) ?? '');
  const hex = octets === undefined ? groups : groups.slice(0, -1);
  if (!hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const words = hex.map((group) => Number.parseInt(group, 16));
  if (octets === undefined) return words;
  const [a, b, c, d] = octets;
  return [...words, a * 256 + b, c * 256 + d];
}

function kindOfIpv6(words: readonly number[]): AddressKind {
  const first = words[0] ?? 0;
  const leading = words.findIndex((word) => word !== 0);
  if (leading === -1) return 'unspecified';
  if (leading === 7 && words[7] === 1) return 'loopback';
  if (leading === 5 && words[5] === 0xffff) return 'mapped';
  if ((first & 0xffc0) === 0xfe80) return 'link-local';
  return first >= 0xff00 ? 'multicast' : 'ordinary';
}

/** RFC 5952, section 4: the longest run of two or more zero words becomes `::`, the first one of equals. */
function compress(words: readonly number[]): string {
  const hex = words.map((word) => word.toString(16));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}
