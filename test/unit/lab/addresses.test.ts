import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseSubnet, gatewayOf, hostAddresses } from '../../../src/lab/addresses.ts';

describe('chooseSubnet', () => {
  it('takes the subnet that the seed names when nothing is in the way', () => {
    expect(chooseSubnet([], 7)).toEqual({ ipv4Prefix: '198.18.7', ipv6Prefix: 'fd71:756f:7261:8' });
    expect(chooseSubnet([], 256)).toMatchObject({ ipv4Prefix: '198.19.0' });
    expect(chooseSubnet([], 512)).toMatchObject({ ipv4Prefix: '198.18.0' });
  });

  it('steps over networks that overlap, larger or smaller, and over single addresses', () => {
    expect(chooseSubnet(['198.18.7.0/24'], 7).ipv4Prefix).toBe('198.18.8');
    expect(chooseSubnet(['198.18.4.0/22'], 7).ipv4Prefix).toBe('198.18.8');
    expect(chooseSubnet(['198.18.7.128/25', '198.18.8.9'], 7).ipv4Prefix).toBe('198.18.9');
  });

  it('ignores default routes, words and IPv6', () => {
    expect(chooseSubnet(['default', '0.0.0.0/1', '128.0.0.0/1', 'fd00::/8', '/32', ''], 7).ipv4Prefix).toBe('198.18.7');
  });

  it('refuses when the whole range is taken', () => {
    expect(() => chooseSubnet(['198.18.0.0/15'], 7)).toThrow('no free /24');
  });

  it('never gives one that is taken, whatever the seed', () => {
    const subnet = fc.integer({ min: 0, max: 511 });
    fc.assert(
      fc.property(fc.array(subnet, { maxLength: 500 }), subnet, (taken, seed) => {
        const networks = taken.map((number) => `198.${18 + Math.floor(number / 256)}.${number % 256}.0/24`);
        expect(networks).not.toContain(`${chooseSubnet(networks, seed).ipv4Prefix}.0/24`);
      }),
    );
  });
});

describe('the addresses of a lab', () => {
  it('are .1 for this machine and count from .11 for hosts, in both families', () => {
    const subnet = chooseSubnet([], 7);
    expect(gatewayOf(subnet)).toEqual({ ipv4: '198.18.7.1', ipv6: 'fd71:756f:7261:8::1' });
    expect(hostAddresses(subnet, 0)).toEqual({ ipv4: '198.18.7.11', ipv6: 'fd71:756f:7261:8::11' });
    expect(hostAddresses(subnet, 2)).toEqual({ ipv4: '198.18.7.13', ipv6: 'fd71:756f:7261:8::13' });
  });
});
