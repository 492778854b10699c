import { execFileSync } from 'node:child_process';
import { createECDH, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { hasOpenssl, hasSshKeygen, inFolder } from './judges.ts';
import { authority, keyPair } from './material.ts';

const p256 = keyPair('ecdsa-p256').spki;
const der = createPublicKey(p256).export({ type: 'spki', format: 'der' });

describe('a public key from a host', () => {
  test.each<KeyAlgorithm>(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072'])(
    'of type %s is taken as PEM and as DER',
    (algorithm) => {
      const { spki } = keyPair(algorithm);
      const read = readPublicKey(spki, algorithm);
      expect(read.algorithm).toBe(algorithm);
      expect(readPublicKey(read.der, algorithm)).toEqual(read);
      expect(read.keyId).toHaveLength(20);
    },
  );

  test.skipIf(!hasSshKeygen)('is taken as ssh-keygen writes it', () => {
    inFolder({}, (folder) => {
      const key = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-b', '256', '-m', 'PKCS8', '-N', '', '-f', key]);
      const spki = execFileSync('ssh-keygen', ['-e', '-m', 'PKCS8', '-f', `${key}.pub`], { encoding: 'utf8' });
      expect(readPublicKey(spki, 'ecdsa-p256').der).toHaveLength(91);
    });
  });

  test('has the key identifier that OpenSSL computes', () => {
    const ca = authority();
    const { keyId } = readPublicKey(ca.keys.spki, 'ecdsa-p256');
    expect(ca.signer.facts.subjectKeyId).toBe(keyId.toString('hex'));
    expect(new X509Certificate(ca.pem).checkPrivateKey(ca.keys.privateKey)).toBe(true);
  });

  test('is refused in another algorithm or size than the policy’s', () => {
    const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({ type: 'spki', format: 'der' });
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export({
      type: 'spki',
      format: 'der',
    });
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'der' });
    expect(() => readPublicKey(keyPair('ecdsa-p384').spki, 'ecdsa-p256')).toThrow(
      'it is ecdsa-p384, and ecdsa-p256 is wanted',
    );
    expect(() => readPublicKey(ed25519, 'ecdsa-p256')).toThrow('it is ed25519');
    expect(() => readPublicKey(p521, 'ecdsa-p256')).toThrow('it is ecdsa-p521');
    expect(() => readPublicKey(pss, 'rsa-2048')).toThrow('it is rsa-pss');
    expect(() => readPublicKey(short, 'rsa-2048')).toThrow('it is rsa-1024');
  });

  test('is refused when its point is not on the curve', () => {
    const off = Buffer.from(der);
    off[off.length - 1] = (off[off.length - 1] ?? 0) ^ 1;
    expect(() => readPublicKey(off, 'ecdsa-p256')).toThrow('not on the curve');
    const infinity = Buffer.concat([der.subarray(0, 26), Buffer.alloc(65)]);
    expect(() => readPublicKey(infinity, 'ecdsa-p256')).toThrow();
  });

  test('is refused with a compressed point', () => {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    const point = ecdh.getPublicKey(null, 'compressed');
    const compressed = Buffer.concat([
      Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
      point,
    ]);
    expect(() => readPublicKey(compressed, 'ecdsa-p256')).toThrow(/compressed|canonical/);
  });

  test.skipIf(!hasOpenssl)('is refused with explicit curve parameters', () => {
    const pem = execFileSync('openssl', [
      'ecparam',
      '-name',
      'prime256v1',
      '-genkey',
      '-noout',
      '-param_enc',
      'explicit',
    ]);
    const spki = execFileSync('openssl', ['ec', '-pubout', '-param_enc', 'explicit'], { input: pem, stdio: 'pipe' });
    expect(() => readPublicKey(spki.toString(), 'ecdsa-p256')).toThrow("can't be certified");
  });

  test.skipIf(!hasOpenssl)('is refused with an exponent other than 65537', () => {
    const args = [
      'genpkey',
      '-algorithm',
      'RSA',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-pkeyopt',
      'rsa_keygen_pubexp:3',
    ];
    const pem = execFileSync('openssl', args, { stdio: 'pipe' });
    const spki = createPublicKey(pem.toString()).export({ type: 'spki', format: 'der' });
    expect(() => readPublicKey(spki, 'rsa-2048')).toThrow('its exponent is 3');
  });

  test('is refused with anything around it', () => {
    expect(readPublicKey(`\n${p256.replaceAll('\n', '\r\n')}\n`, 'ecdsa-p256').der).toEqual(der);
    expect(() => readPublicKey(`motd\n${p256}`, 'ecdsa-p256')).toThrow('not one PEM block');
    expect(() => readPublicKey(p256 + p256, 'ecdsa-p256')).toThrow('not one PEM block');
    expect(() => readPublicKey('', 'ecdsa-p256')).toThrow('not one PEM block');
    expect(() => readPublicKey(Buffer.concat([der, Buffer.of(0)]), 'ecdsa-p256')).toThrow("can't be certified");
    expect(() => readPublicKey(authority().pem, 'ecdsa-p256')).toThrow('not one PEM block');
  });
});
