import { spawnSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { splitPem } from '../../../src/pki/inspect.ts';
import { writeKeyStore } from '../../../src/pki/pkcs12.ts';
import { adminProfile } from '../../../src/pki/profile.ts';
import { hasCerttool, hasOpenssl, inFolder } from './judges.ts';
import { authority, crossOf, leaf } from './material.ts';

const ca = authority();
const other = authority({ clusterName: 'next' });

function keyStore(algorithm: KeyAlgorithm, passphrase: string) {
  const made = leaf(ca, adminProfile({ organization: '', algorithm }));
  const key = made.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const input = { key, certificate: made.pem, authorities: ca.pem + other.pem, friendlyName: 'prod bäckup' };
  return { ...input, bytes: writeKeyStore(input, passphrase, randomBytes) };
}

function openssl(bytes: Buffer, args: readonly string[], passphrase: string) {
  return inFolder({}, (folder) => {
    const file = join(folder, 'x.p12');
    writeFileSync(file, bytes);
    const options = { encoding: 'utf8', env: { ...process.env, PASS: passphrase } } as const;
    return spawnSync('openssl', ['pkcs12', '-in', file, '-passin', 'env:PASS', ...args], options);
  });
}

describe.runIf(hasOpenssl)('a PKCS #12 file', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('of %s is read by openssl', (algorithm) => {
    const made = keyStore(algorithm, 'correct hörse');
    const { stdout, stderr, status } = openssl(made.bytes, ['-nodes'], 'correct hörse');
    expect(`${status} ${stderr}`).toBe('0 ');
    expect(stdout).toContain('friendlyName: prod b');
    expect(stdout).toContain(made.key.trim());
    const found = splitPem(stdout).map((pem) => new X509Certificate(pem).fingerprint256);
    const wanted = [made.certificate, ca.pem, other.pem].map((pem) => new X509Certificate(pem).fingerprint256);
    expect(found).toEqual(wanted);
  });

  test('holds what stands behind a certificate, before the authorities', () => {
    const made = leaf(other, adminProfile({ organization: '', algorithm: 'ecdsa-p256' }));
    const key = made.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const certificates = [made.pem, crossOf(other, ca), ca.pem];
    const [certificate, cross, authorities] = certificates;
    const input = { key, certificate: `${certificate}${cross}`, authorities: authorities ?? '', friendlyName: 'x' };
    const { stdout } = openssl(writeKeyStore(input, 'x', randomBytes), ['-nodes'], 'x');
    expect(splitPem(stdout)).toEqual(certificates);
  });

  test('is sealed with AES-256 and HMAC-SHA-256, key and certificates', () => {
    const { stderr, stdout } = openssl(keyStore('ecdsa-p256', 'x').bytes, ['-info', '-noout'], 'x');
    const info = stderr + stdout;
    expect(info).toMatch(/MAC: sha256/);
    expect(info.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256/g)).toHaveLength(2);
  });

  test('does not open with another passphrase, nor when an octet was changed', () => {
    const { bytes } = keyStore('ecdsa-p256', 'right');
    expect(openssl(bytes, ['-nodes'], 'wrong').status).not.toBe(0);
    const damaged = Buffer.from(bytes);
    damaged[200] = (damaged[200] ?? 0) ^ 1;
    expect(openssl(damaged, ['-nodes'], 'right').status).not.toBe(0);
  });

  test.runIf(hasCerttool)('is read by certtool', () => {
    const { bytes } = keyStore('rsa-2048', 'x');
    const output = inFolder({}, (folder) => {
      const file = join(folder, 'x.p12');
      writeFileSync(file, bytes);
      return spawnSync('certtool', ['--p12-info', '--inder', '--infile', file, '--password', 'x'], {
        encoding: 'utf8',
      });
    });
    expect(output.status, output.stderr).toBe(0);
    expect(output.stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    expect(output.stdout).toContain('PKCS #8 Encrypted key');
  });
});
