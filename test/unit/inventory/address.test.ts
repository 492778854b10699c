import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, isDnsName, isLoopback, parseIp } from '../../../src/inventory/address.ts';

describe('parseIp', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', 'ordinary'],
    ['127.8.0.1', '127.8.0.1', 'loopback'],
    ['0.0.0.0', '0.0.0.0', 'unspecified'],
    ['169.254.1.1', '169.254.1.1', 'link-local'],
    ['224.0.0.1', '224.0.0.1', 'multicast'],
    ['255.255.255.255', '255.255.255.255', 'multicast'],
    ['::', '::', 'unspecified'],
    ['0:0::1', '::1', 'loopback'],
    ['FE80::1', 'fe80::1', 'link-local'],
    ['ff02::1', 'ff02::1', 'multicast'],
    ['::ffff:10.0.0.1', '::ffff:a00:1', 'mapped'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 'ordinary'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7', 'ordinary'],
    ['fd00:0:0:0:0:0:0:0', 'fd00::', 'ordinary'],
  ])('reads %s', (text, canonical, kind) => {
    expect(parseIp(text)).toMatchObject({ text: canonical, kind });
  });

  it.each([
    '',
    '10.1',
    '010.0.0.1',
    '10.0.0.256',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '12345::',
    'fe80::1%eth0',
    '[::1]',
    '::1 ',
    '::10.0.0.1:1',
  ])('refuses %j', (text) => expect(parseIp(text)).toBeUndefined());

  it('agrees with Node on what an address is', () => {
    const odd = fc.stringMatching(/^[0-9a-fA-F:.]{0,24}$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), odd), (text) => (parseIp(text)?.family ?? 0) === isIP(text)),
      { numRuns: 1000 },
    );
  });

  it('agrees with the URL parser on how IPv6 is written', () => {
    fc.assert(fc.property(fc.ipV6(), (text) => `[${canonicalAddress(text)}]` === new URL(`http://[${text}]`).hostname));
  });
});

describe('isDnsName', () => {
  it.each(['a', 'a.b', 'A-1.example.org', '1a', '10.example.org', 'x'.repeat(63)])('takes %s', (text) =>
    expect(isDnsName(text)).toBe(true),
  );
  it.each(['', '.', 'a.', '-a', 'a-', 'a_b', 'a..b', '1.2.3', 'a b', 'x'.repeat(64), `${'a.'.repeat(127)}a`])(
    'refuses %j',
    (text) => expect(isDnsName(text)).toBe(false),
  );
});

describe('isLoopback', () => {
  it('knows names as well', () => {
    expect(['localhost', 'x.LOCALHOST', '::1', '127.0.0.9', '10.0.0.1', 'local'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
