import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyScript } from '../../../src/apply/key-script.ts';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { leafPurposes } from '../../../src/domain/step.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { isRoot, modeOf, pathWith, run, shells, temporaryFolder } from './shell.ts';

const programs = ['cat', 'chmod', 'chown', 'mkdir', 'mv', 'rm', 'sync'];
const tools = ['ssh-keygen', 'openssl'] as const;
type Tool = (typeof tools)[number];

const algorithms: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'];

interface Keys {
  readonly directory: string;
  make(algorithm?: KeyAlgorithm, umask?: string): ReturnType<typeof run>;
  read(name: string): string;
  path(name: string): string;
}

function keysWith(shell: string, tool: Tool): Keys {
  const bin = pathWith(temporaryFolder(), [...programs, tool]);
  const directory = join(temporaryFolder(), `it's "keys"`);
  mkdirSync(directory);
  const path = (name: string): string => join(directory, name);
  return {
    directory,
    path,
    make: (algorithm = 'ecdsa-p256', umask = '022') =>
      run(`/bin/${shell}`, `set -eu\numask ${umask}\n${keyScript(directory, algorithm, 'daemon')}`, {
        env: { PATH: bin },
      }),
    read: (name) => readFileSync(path(name), 'utf8'),
  };
}

function expectPair(keys: Keys, purpose: string, algorithm: KeyAlgorithm): void {
  const key = keys.read(`${purpose}.key`);
  const spki = keys.read(`${purpose}.pub`);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(spki).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  const own = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
  expect(createPublicKey(spki).export({ type: 'spki', format: 'der' }).equals(own)).toBe(true);
  expect(() => readPublicKey(spki, algorithm)).not.toThrow();
}

describe.runIf(isRoot).each(shells.flatMap((shell) => tools.map((tool) => ({ shell, tool }))))(
  'keys made in $shell with $tool alone',
  ({ shell, tool }) => {
    it.each(algorithms)('%s: PKCS#8 and SPKI of one pair for each purpose', async (algorithm) => {
      const keys = keysWith(shell, tool);
      expect(await keys.make(algorithm)).toEqual({ status: 0, stdout: '', stderr: '' });
      for (const purpose of leafPurposes) expectPair(keys, purpose, algorithm);
      expect(new Set(leafPurposes.map((purpose) => keys.read(`${purpose}.key`))).size).toBe(3);
      expect(readdirSync(keys.directory).sort()).toEqual(
        leafPurposes.flatMap((each) => [`${each}.key`, `${each}.pub`]).sort(),
      );
    });

    it.each(['000', '022', '077'])('belong to the right accounts with umask %s', async (umask) => {
      const keys = keysWith(shell, tool);
      await keys.make('ecdsa-p256', umask);
      expect(
        ['server.key', 'peer.key', 'client.key', 'server.pub', 'client.pub'].map((name) => modeOf(keys.path(name))),
      ).toEqual(['600 daemon:daemon', '600 daemon:daemon', '640 root:daemon', '644 root:root', '644 root:root']);
    });

    it('are left alone when they are there', async () => {
      const keys = keysWith(shell, tool);
      await keys.make();
      const before = leafPurposes.map((purpose) => [keys.read(`${purpose}.key`), keys.read(`${purpose}.pub`)]);
      expect((await keys.make()).status).toBe(0);
      expect(leafPurposes.map((purpose) => [keys.read(`${purpose}.key`), keys.read(`${purpose}.pub`)])).toEqual(before);
    });

    it('are not overwritten when only a public half is missing: that is made from the key', async () => {
      const keys = keysWith(shell, tool);
      await keys.make();
      const before = keys.read('server.key');
      const inode = statSync(keys.path('server.key')).ino;
      rmSync(keys.path('server.pub'));
      rmSync(keys.path('peer.key'));
      mkdirSync(keys.path('.new'));
      writeFileSync(keys.path('.new/server'), 'half a key');
      expect((await keys.make()).status).toBe(0);
      expect(keys.read('server.key')).toBe(before);
      expect(statSync(keys.path('server.key')).ino).toBe(inode);
      for (const purpose of leafPurposes) expectPair(keys, purpose, 'ecdsa-p256');
      expect(existsSync(keys.path('.new'))).toBe(false);
    });

    it('that cannot be read are neither used nor overwritten', async () => {
      const keys = keysWith(shell, tool);
      writeFileSync(keys.path('server.key'), 'no key');
      const result = await keys.make();
      expect(result.status).not.toBe(0);
      expect(keys.read('server.key')).toBe('no key');
      expect(existsSync(keys.path('server.pub'))).toBe(false);
    });
  },
);

it('are made as root, or this part is skipped', () => {
  expect(execFileSync('id', ['-u'], { encoding: 'utf8' }).trim() === '0').toBe(isRoot);
});
