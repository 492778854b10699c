import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TEXT_LIMIT_BYTES } from '../../../src/observe/probe-body.ts';
import {
  isListOf,
  LIST_LIMIT_SERIALS,
  type RevokedSerial,
  readRevocationList,
  signRevocationList,
} from '../../../src/pki/crl.ts';
import { parseCertificate } from '../../../src/pki/inspect.ts';
import { hasCerttool, hasOpenssl, inFolder } from './judges.ts';
import { authority, dayMs, leaf, now, serverProfile } from './material.ts';

const clientProfile = { ...serverProfile, purpose: 'client', sans: { dns: [], ip: [] } } as const;
const dates = { thisUpdate: second(now - 300_000), nextUpdate: second(now + 30 * dayMs) };

function second(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000;
}

function revoked(serial: string, reason: RevokedSerial['reason'] = 'key-compromise'): RevokedSerial {
  return { serial, at: second(now - 60_000), reason };
}

/** What `openssl verify -crl_check` says of a leaf below an authority with a list. */
function opensslCrlCheck(leafPem: string, caPem: string, crl: Buffer) {
  return inFolder({ 'leaf.crt': leafPem, 'ca.crt': caPem }, (folder) => {
    writeFileSync(join(folder, 'list.crl'), crl);
    const file = (name: string) => join(folder, name);
    execFileSync('openssl', ['crl', '-inform', 'DER', '-in', file('list.crl'), '-out', file('list.pem')]);
    const files = ['-CAfile', file('ca.crt'), '-CRLfile', file('list.pem'), file('leaf.crt')];
    const { status, stderr } = spawnSync('openssl', ['verify', '-x509_strict', '-crl_check', ...files], {
      encoding: 'utf8',
    });
    return { status, stderr };
  });
}

describe.runIf(hasOpenssl)('a revocation list, as openssl judges it', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)(
    'of an authority with %s ends the one that it names and no other',
    (algorithm) => {
      const ca = authority({ algorithm });
      const [bad, good] = [leaf(ca, clientProfile), leaf(ca, clientProfile)];
      const der = signRevocationList(ca.signer, { number: 7, ...dates, revoked: [revoked(bad.serial)] });
      expect(opensslCrlCheck(good.pem, ca.pem, der)).toEqual({ status: 0, stderr: '' });
      expect(opensslCrlCheck(bad.pem, ca.pem, der)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('revoked'),
      });
      const text = inFolder({}, (folder) => {
        writeFileSync(join(folder, 'l'), der);
        writeFileSync(join(folder, 'ca'), ca.pem);
        const args = ['-inform', 'DER', '-in', join(folder, 'l'), '-noout', '-text', '-CAfile', join(folder, 'ca')];
        const run = spawnSync('openssl', ['crl', ...args], { encoding: 'utf8' });
        return run.stdout + run.stderr;
      });
      expect(text).toContain('verify OK');
      expect(text).toContain('Version 2');
      expect(text).toMatch(/X509v3 CRL Number: \n +7\n/);
      expect(text).toContain('X509v3 Authority Key Identifier');
      expect(text).toContain('Key Compromise');
      expect(text).toContain(bad.serial.toUpperCase());
    },
  );

  test('that has ended, or is of another authority, does not pass', () => {
    const [ca, other] = [authority(), authority()];
    const good = leaf(ca, clientProfile);
    const old = { thisUpdate: now - 2 * dayMs, nextUpdate: now - dayMs };
    const ended = signRevocationList(ca.signer, { number: 1, ...old, revoked: [] });
    expect(opensslCrlCheck(good.pem, ca.pem, ended).stderr).toContain('CRL has expired');
    const foreign = signRevocationList(other.signer, { number: 1, ...dates, revoked: [] });
    expect(opensslCrlCheck(good.pem, ca.pem, foreign).stderr).toContain('unable to get certificate CRL');
  });
});

test.skipIf(!hasCerttool)('is read and verified by certtool', () => {
  const ca = authority();
  const serial = randomBytes(20).toString('hex').replace(/^../, '5a');
  const der = signRevocationList(ca.signer, { number: 300, ...dates, revoked: [revoked(serial, 'superseded')] });
  inFolder({ 'ca.crt': ca.pem }, (folder) => {
    writeFileSync(join(folder, 'l'), der);
    const info = execFileSync('certtool', ['--crl-info', '--inder', '--infile', join(folder, 'l')], {
      encoding: 'utf8',
    });
    expect(info).toContain('Version: 2');
    expect(info).toContain('CRL Number (not critical): 012c');
    expect(info).toContain(serial);
    execFileSync('openssl', ['crl', '-inform', 'DER', '-in', join(folder, 'l'), '-out', join(folder, 'pem')]);
    const files = ['--load-ca-certificate', join(folder, 'ca.crt'), '--infile', join(folder, 'pem')];
    expect(spawnSync('certtool', ['--verify-crl', ...files], { encoding: 'utf8' })).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, 'pem'), 'utf8')).toContain('X509 CRL');
  });
});

test('is read back as it was written, whatever stands on it', () => {
  const ca = authority();
  const serials = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 20 }).filter((each) => each[0] !== 0));
  const reasons = fc.constantFrom('unspecified', 'key-compromise', 'superseded', 'cessation', 'privilege-withdrawn');
  fc.assert(
    fc.property(serials, reasons, fc.nat({ max: 2 ** 40 }), (octets, reason, number) => {
      const list = {
        number,
        ...dates,
        revoked: octets.map((each) => revoked(Buffer.from(each).toString('hex'), reason)),
      };
      const der = signRevocationList(ca.signer, list);
      expect(readRevocationList(der)).toMatchObject(list);
      expect(isListOf(der, parseCertificate(ca.pem))).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('is never longer than what is read of a host, with as much on it as may be', () => {
  const late = Date.UTC(2050, 0, 1);
  const serial = (index: number) => `ff${index.toString(16).padStart(38, '0')}`;
  const entries = Array.from({ length: LIST_LIMIT_SERIALS }, (_, index) => ({ ...revoked(serial(index)), at: late }));
  const der = signRevocationList(authority({ algorithm: 'rsa-4096' }).signer, {
    number: 2 ** 40,
    ...dates,
    revoked: entries,
  });
  expect(der.length).toBeLessThan(TEXT_LIMIT_BYTES);
});

test('is not that of another authority, nor of one whose signature was changed', () => {
  const [ca, other] = [authority(), authority()];
  const der = signRevocationList(ca.signer, { number: 1, ...dates, revoked: [] });
  expect(isListOf(der, parseCertificate(other.pem))).toBe(false);
  const forged = Buffer.from(der);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  expect(isListOf(forged, parseCertificate(ca.pem))).toBe(false);
});

test('is refused, or not of its authority, when an octet of it is changed', () => {
  const ca = authority();
  const der = signRevocationList(ca.signer, { number: 1, ...dates, revoked: [revoked('5a')] });
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(der);
      damaged[at] = (damaged[at] ?? 0) ^ change;
      let good = false;
      try {
        good = isListOf(damaged, parseCertificate(ca.pem));
      } catch (error) {
        expect(String(error)).toContain('is no revocation list in DER');
      }
      expect(good).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('is refused where it is empty, PEM, cut short, two of them, or a certificate', () => {
  const ca = authority();
  const der = signRevocationList(ca.signer, { number: 1, ...dates, revoked: [revoked('5a')] });
  const pem = `-----BEGIN X509 CRL-----\n${der.toString('base64')}\n-----END X509 CRL-----\n`;
  const certificate = parseCertificate(ca.pem).x509.raw;
  for (const octets of [
    Buffer.alloc(0),
    Buffer.from(pem),
    der.subarray(0, -1),
    Buffer.concat([der, der]),
    certificate,
  ]) {
    expect(() => readRevocationList(octets, 'client.crl')).toThrow('client.crl: is no revocation list in DER');
  }
});

test('is not made by an authority that may not sign lists', () => {
  const ca = authority();
  const facts = { ...ca.signer.facts, keyUsages: ['keyCertSign'] };
  const sign = () => signRevocationList({ ...ca.signer, facts }, { number: 1, ...dates, revoked: [] });
  expect(sign).toThrow('may not sign revocation lists');
});
