import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalSans, formatIp, isDnsName, parseIp } from '../../../src/pki/addresses.ts';
import { encode } from '../../../src/pki/der.ts';
import { readCertificate } from '../../../src/pki/inspect.ts';
import { encodeName, readName } from '../../../src/pki/names.ts';
import { hasOpenssl, opensslVerify } from './judges.ts';
import { authority, leaf, serverProfile } from './material.ts';

describe('IP addresses', () => {
  test.each([
    ['10.0.0.1', '0a000001'],
    ['::1', `${'00'.repeat(15)}01`],
    ['::', '00'.repeat(16)],
    ['2001:DB8::a:0:0:1', '20010db800000000000a000000000001'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ])('reads %s', (text, hex) => {
    expect(parseIp(text)?.toString('hex')).toBe(hex);
  });

  test.each([
    '999.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '[::1]',
    'fe80::1%eth0',
    '::1::',
    ':::',
    ':1',
    '1:',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1.2.3.4.5',
    '1.2.3.4::',
    '12345::',
    '::g',
    '10.0.0.0/8',
    '',
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeUndefined();
    expect(() => canonicalSans({ dns: [], ip: [text] })).toThrow("can't stand in a certificate as IP address");
  });

  test('agrees with Node on what an address is, but for zones', () => {
    const nearly = fc.stringMatching(/^[0-9a-f:.]{1,24}$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly), (text) => {
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  test('survives writing and reading again', () => {
    const octets = fc.constantFrom(4, 16).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    const sparse = fc
      .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map((list) => Uint8Array.from(list));
    fc.assert(
      fc.property(fc.oneof(octets, sparse), (address) => {
        const text = formatIp(address);
        expect(isIP(text)).toBe(address.length === 4 ? 4 : 6);
        expect(parseIp(text)).toEqual(Buffer.from(address));
      }),
    );
  });
});

describe('DNS names', () => {
  test.each([
    'etcd-1',
    'etcd_1',
    'a.b.example.com',
    'localhost',
    'x'.repeat(63),
    '1',
    '3com.example',
    'xn--bcher-kva.example',
  ])('takes %s', (name) => expect(isDnsName(name)).toBe(true));

  test.each([
    'a.*.example.com',
    '*',
    '*.*.example.com',
    'https://m1:2379',
    'a b',
    '-a',
    'a-',
    'a..b',
    'a.',
    '.a',
    '',
    'bücher.example',
    '10.0.0.1',
    '999.1.1.1',
    `${'x'.repeat(64)}.example`,
    Array.from({ length: 128 }, () => 'a').join('.'),
    'a\u0000b',
    'a\nb',
  ])('refuses %j', (name) => {
    expect(isDnsName(name)).toBe(false);
    expect(() => canonicalSans({ dns: [name], ip: [] })).toThrow("can't stand in a certificate as DNS name");
  });

  test('lets a name that stands for all below another into certificates, as inventories do', () => {
    expect(canonicalSans({ dns: ['*.Example.com'], ip: [] }).dns).toEqual(['*.example.com']);
    expect(isDnsName('*.example.com')).toBe(false);
  });
});

const dnsNames = fc
  .array(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/), { minLength: 1, maxLength: 3 })
  .map((labels) => [...labels, 'example'].join('.'));
const nameText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/\p{Cc}|\p{Cs}/u.test(text));

test('names survive writing and reading, whatever the script', () => {
  fc.assert(
    fc.property(nameText, fc.oneof(fc.constant(''), nameText), (commonName, organization) => {
      const node = encodeName({ commonName, organization });
      expect(readName(node)).toMatchObject({ commonName, organization });
      expect(encode(node).includes(0x0c)).toBe(true);
    }),
  );
});

test('any names and addresses that are taken are read back the same', () => {
  const ca = authority();
  fc.assert(
    fc.property(
      fc.array(dnsNames, { minLength: 1, maxLength: 5 }),
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 5 }),
      nameText,
      (dns, ip, commonName) => {
        const { pem } = leaf(ca, { ...serverProfile, commonName, sans: { dns, ip } });
        const facts = readCertificate(pem);
        expect(facts.sans).toEqual(canonicalSans({ dns, ip }));
        expect(facts.commonName).toBe(commonName);
      },
    ),
    { numRuns: 60 },
  );
});

test.skipIf(!hasOpenssl)('openssl agrees on any names and addresses that are taken', () => {
  const ca = authority();
  fc.assert(
    fc.property(dnsNames, fc.oneof(fc.ipV4(), fc.ipV6()), (name, address) => {
      const sans = { dns: [name], ip: [address] };
      expect(opensslVerify(leaf(ca, { ...serverProfile, sans }).pem, ca.pem, 'sslserver', sans)).toBe('');
    }),
    { numRuns: 12 },
  );
});
