/** Which addresses a lab gets: a /24 out of 198.18.0.0/15 that nothing on this machine uses yet. */
import { isIPv4 } from 'node:net';
import { QuorateError } from '../domain/errors.ts';

/** A lab's network: the bridge has `.1`, hosts count from `.11`. */
export interface Subnet {
  /** The first three octets: `198.18.7`. */
  readonly ipv4Prefix: string;
  /** A unique local /64 without the trailing colons: `fd71:756f:7261:7`. */
  readonly ipv6Prefix: string;
}

/** The addresses of one host, or of the bridge. */
export interface AddressPair {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** RFC 2544's range for tests between networks: no default of docker, podman, libvirt or LXD, and never routed publicly. */
const firstAddress = 198 * 2 ** 24 + 18 * 2 ** 16;
const subnetCount = 512;
const firstHost = 11;

/** At most this many hosts in a lab: `.11` to `.250`. */
export const maximumHosts = 240;

/**
 * The first free /24 from a start that `seed` decides, so that a lab gets the same one again where it can.
 * `taken` holds IPv4 networks (`a.b.c.d/n`) and addresses. Throws `refused` when all 512 overlap with `taken`.
 */
export function chooseSubnet(taken: readonly string[], seed: number): Subnet {
  const networks = taken.map(parseNetwork).filter((network) => network !== undefined);
  for (let step = 0; step < subnetCount; step += 1) {
    const number = (seed + step) % subnetCount;
    const first = firstAddress + number * 256;
    const free = networks.every((network) => network.last < first || network.first > first + 255);
    if (free) return subnetOf(number);
  }
  throw new QuorateError(
    'refused',
    'no free /24 in 198.18.0.0/15 for a lab: every one overlaps with an address or route',
    {
      hint: 'quorate lab list shows labs; ip route shows what else uses the range',
    },
  );
}

/** The bridge's own addresses: the hosts' gateway. */
export function gatewayOf(subnet: Subnet): AddressPair {
  return { ipv4: `${subnet.ipv4Prefix}.1`, ipv6: `${subnet.ipv6Prefix}::1` };
}

/** The addresses of host number `index`, counted from 0. */
export function hostAddresses(subnet: Subnet, index: number): AddressPair {
  const number = firstHost + index;
  return { ipv4: `${subnet.ipv4Prefix}.${number}`, ipv6: `${subnet.ipv6Prefix}::${number}` };
}

function subnetOf(number: number): Subnet {
  const second = 18 + Math.floor(number / 256);
  return {
    ipv4Prefix: `198.${second}.${number % 256}`,
    ipv6Prefix: `fd71:756f:7261:${(number + 1).toString(16)}`,
  };
}

function parseNetwork(text: string): { readonly first: number; readonly last: number } | undefined {
  const [address = '', length = '32'] = text.split('/');
  const bits = Number(length);
  // A default route (0.0.0.0/0) or half of one, as VPNs set it, overlaps with everything and takes nothing.
  if (!isIPv4(address) || !Number.isInteger(bits) || bits < 8 || bits > 32) return undefined;
  const value = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - bits);
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}
