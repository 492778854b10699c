/** Rules for addresses: what can be dialled, bound, and named in certificates. */
import { isDnsName, parseIp } from './address.ts';
import { type Flaw, flaw, type ValueRule } from './value-rule.ts';

/** An IP address or a DNS name that can be dialled. */
export const addressRule: ValueRule = { pattern: '[0-9a-zA-Z.:-]+', check: checkAddress };

/** An IP address that a machine can have. */
export const ipRule: ValueRule = {
  pattern: '[0-9a-fA-F.:]+',
  check: (text) =>
    isDnsName(text) && parseIp(text) === undefined
      ? flaw('is a name, and etcd binds IP addresses only', 'write an IP address: 10.0.0.1 or fd00::1')
      : (checkAddress(text) ?? undefined),
};

/** An IP address to bind: those of {@link ipRule} and the two that mean all. */
export const listenRule: ValueRule = {
  pattern: '[0-9a-fA-F.:]+',
  check: (text) => {
    if (text === '0.0.0.0' || text === '::') return undefined;
    if (parseIp(text)?.kind !== 'loopback') return ipRule.check(text);
    return flaw('is loopback, where etcd listens anyway', 'delete it');
  },
};

/** A subject alternative name: IP, DNS name, or `*.` and a DNS name. */
export const sanRule: ValueRule = {
  pattern: '[0-9a-zA-Z.:*-]+',
  check: (text) => (text.startsWith('*.') && isDnsName(text.slice(2)) ? undefined : checkAddress(text)),
};

function checkAddress(text: string): Flaw | undefined {
  const ip = parseIp(text);
  if (ip !== undefined) return flawOfIp(ip.kind);
  if (/^\[.*\]$/.test(text)) return flaw('has brackets', 'write an IPv6 address without them: fd00::1');
  if (text.includes('%')) return flaw('has a zone, which certificates cannot name', 'write a global or ULA address');
  if (/^[^:]+:\d+$/.test(text)) return flaw('has a port', 'write the address alone, and the port as ssh.port or ports');
  if (text.includes('://')) return flaw('is a URL', 'write the host alone: 10.0.0.1 or host.example.org');
  if (text.endsWith('.') && isDnsName(text.slice(0, -1))) return flaw('ends in a dot', 'write it without');
  if (/^[\d.]+$/.test(text)) return flaw('is no IP address', 'write four numbers of 0 to 255: 10.0.0.1');
  return isDnsName(text)
    ? undefined
    : flaw('is no IP address or DNS name', 'write 10.0.0.1, fd00::1 or host.example.org');
}

function flawOfIp(kind: string): Flaw | undefined {
  switch (kind) {
    case 'unspecified':
      return flaw('is no address that can be dialled', 'write the address of the host');
    case 'link-local':
      return flaw('is link-local: it needs a zone, which certificates cannot name', 'write a global or ULA address');
    case 'multicast':
      return flaw('is a multicast, reserved or broadcast address', 'write the address of the host');
    case 'mapped':
      return flaw('is an IPv4 address in IPv6 dress', 'write the IPv4 address');
    default:
      return undefined;
  }
}
