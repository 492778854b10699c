/** Names and addresses as they may stand in a certificate: read strictly, written canonically. Pure (node:net is not needed). */
import type { SubjectAltNames } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';

/** 4 or 16 octets of an IP address as text; undefined for anything else: leading zeros, brackets, ports and zone ids included. */
export function parseIp(text: string): Buffer | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Canonical text of 4 or 16 octets (RFC 5952, 4). */
export function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  const gap = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

/**
 * Whether a text can be a dNSName: letters, digits, `-` and `_` in labels of 1–63, 253 in all (RFC 1123, 2.1; Go's verifier takes `_` too). Not a
 * wildcard (etcd matches those only by reverse lookup), not a URL, nothing that reads as an IPv4 address.
 */
export function isDnsName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  if (labels.length > 1 && /^\d+$/.test(last)) return false;
  return labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
}

/**
 * The same names in canonical spelling: lower case, RFC 5952, sorted, without duplicates; a DNS name may begin with `*.`. Throws `refused`
 * for one that a certificate can't carry.
 */
export function canonicalSans(sans: SubjectAltNames): SubjectAltNames {
  return {
    dns: sortedUnique(sans.dns.map(canonicalDns)),
    ip: sortedUnique(sans.ip.map((text) => formatIp(requireIp(text)))),
  };
}

/** Octets of an address; throws `refused` where it is none. */
export function requireIp(text: string): Buffer {
  const octets = parseIp(text);
  if (octets === undefined) throw badName(text, 'IP address', 'an IPv4 or IPv6 address without brackets, port or zone');
  return octets;
}

function canonicalDns(text: string): string {
  if (!isDnsName(text.replace(/^\*\./, '')))
    throw badName(text, 'DNS name', 'letters, digits and hyphens in labels of at most 63 characters, *. before them');
  return text.toLowerCase();
}

function badName(text: string, what: string, allowed: string): QuorateError {
  return new QuorateError('refused', `${JSON.stringify(text)} can't stand in a certificate as ${what}`, {
    hint: `allowed: ${allowed}`,
  });
}

function sortedUnique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

function parseIpv4(text: string): Buffer | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet <= 255) ? Buffer.from(octets) : undefined;
}

function parseIpv6(text: string): Buffer | undefined {
  const halves = text.split('::');
  const [head = '', tail] = halves;
  if (halves.length > 2) return undefined;
  const before = parseGroups(head, tail === undefined);
  const after = parseGroups(tail ?? '', true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return Buffer.from([...before, ...new Array<number>(missing).fill(0), ...after]);
}

/** Octets of `a:b:c`; the last group may be IPv4 text where it ends the address (RFC 4291, 2.2). */
function parseGroups(text: string, ends: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const octets: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    const v4 = ends && index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (v4 !== undefined) octets.push(...v4);
    else if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return undefined;
    else octets.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
  }
  return octets;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
