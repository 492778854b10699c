import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIdentities } from '../../../src/transport/identities.ts';

let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-keys-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', file('locked')]);
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-m', 'PEM', '-N', '', '-f', file('pem')]);
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-m', 'PEM', '-N', 'open sesame', '-f', file('locked-pem')]);
  writeFileSync(file('text'), 'not a key');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('decrypts a key once, however many hosts use it', async () => {
  let parsed = 0;
  const parseKey: typeof ssh2.utils.parseKey = (data, passphrase) => {
    parsed += 1;
    return ssh2.utils.parseKey(data, passphrase);
  };
  const load = createIdentities(parseKey, async () => 'open sesame');
  const keys = await Promise.all([1, 2, 3].map(() => load(file('locked'), undefined)));
  expect(parsed).toBe(2);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toHaveProperty('key');
});

it.each([
  ['pem', 'unasked', undefined],
  ['locked-pem', 'open sesame', undefined],
  ['locked-pem', 'wrong', 'its passphrase is wrong'],
  ['locked', undefined, 'needs a passphrase, but KEY is not set and there is no terminal to ask on'],
  ['pem.pub', 'unasked', 'a public key; name the private one'],
  ['text', 'unasked', 'not a private key that can be read'],
  ['absent', 'unasked', 'not found'],
])('says of %s with the passphrase %s: %s', async (name, passphrase, unusable) => {
  const load = createIdentities(ssh2.utils.parseKey, async () => passphrase);
  const identity = await load(file(name), 'KEY');
  if (unusable === undefined) expect(identity).toHaveProperty('key');
  else expect(identity).toEqual({ unusable });
});
