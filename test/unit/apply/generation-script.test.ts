/** The scripts of a generation, run as hosts run them, in a folder of this machine. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { notInUse, pairScript, prepareScript, pruneScript } from '../../../src/apply/generation-script.ts';
import { keyScript } from '../../../src/apply/key-script.ts';
import { quote } from '../../../src/domain/shell-quote.ts';
import { type KeyWish, type LeafPurpose, leafPurposes } from '../../../src/domain/step.ts';
import { isRoot, modeOf, pathWith, run, shells, temporaryFolder } from './shell.ts';

function hostIn(shell: string) {
  const root = join(temporaryFolder(), `it's "etcd"`);
  const path = (...names: readonly string[]): string => join(root, ...names);
  mkdirSync(path('pki.d'), { recursive: true });
  const sh = (script: string) => run(shell, `set -eu\n${script}`);
  const prepare = (number: number, keys: Readonly<Partial<Record<LeafPurpose, KeyWish>>>) => {
    const leaves = leafPurposes.map((purpose) => ({
      purpose,
      authority: 'a',
      cross: false,
      key: keys[purpose] ?? 'make',
    }));
    const from = number === 1 ? '' : path('pki.d', String(number - 1));
    return sh(prepareScript({ directory: path('pki.d', String(number)), from, user: 'daemon' }, leaves));
  };
  const make = (number: number, purposes: readonly LeafPurpose[] = leafPurposes) =>
    sh(keyScript(path('pki.d', String(number)), 'ecdsa-p256', 'daemon', purposes));
  const tools = ['openssl', 'ssh-keygen'] as const;
  /** By what either program alone says; they must agree. */
  const pairs = async (number: number) => {
    const script = `stage=${quote(path('stage'))}\nmkdir -p "$stage"\n${pairScript(path('pki.d', String(number)))}`;
    const [first, second] = await Promise.all(
      tools.map((tool) => {
        const PATH = pathWith(temporaryFolder(), ['cat', 'mkdir', 'rm', tool]);
        return run(`/bin/${shell}`, `set -eu\n${script.replaceAll('/pair', `/pair-${tool}`)}`, { env: { PATH } });
      }),
    );
    const last = (ended: typeof first) => ({ ...ended, stderr: ended?.stderr.trim().split('\n').at(-1) });
    expect(last(second)).toEqual(last(first));
    expect(readdirSync(path('stage'))).toEqual([]);
    return first ?? { status: null, stdout: '', stderr: '' };
  };
  const read = (number: number, name: string): string => readFileSync(path('pki.d', String(number), name), 'utf8');
  return { path, sh, prepare, make, pairs, read, link: path('pki') };
}

const fine = { status: 0, stdout: '', stderr: '' };

describe.runIf(isRoot).each(shells)('a generation in %s', (shell) => {
  it('is made beside the one in use, with keys that are kept and keys that are new', async () => {
    const host = hostIn(shell);
    expect(await host.prepare(1, {})).toEqual(fine);
    expect(await host.make(1)).toEqual(fine);
    const before = readdirSync(host.path('pki.d/1')).map((name) => host.read(1, name));
    expect(await host.prepare(2, { server: 'keep', client: 'carry' })).toEqual(fine);
    expect(readdirSync(host.path('pki.d/2')).sort()).toEqual(['client.key', 'client.pub', 'server.key', 'server.pub']);
    expect(await host.make(2, ['peer'])).toEqual(fine);
    for (const name of ['server.key', 'server.pub', 'client.key', 'client.pub'])
      expect(host.read(2, name)).toBe(host.read(1, name));
    expect(host.read(2, 'peer.key')).not.toBe(host.read(1, 'peer.key'));
    expect(modeOf(host.path('pki.d/2'))).toBe('755 root:root');
    expect(modeOf(host.path('pki.d/2/server.key'))).toBe('600 daemon:daemon');
    expect(modeOf(host.path('pki.d/2/client.key'))).toBe('640 root:daemon');
    expect(readdirSync(host.path('pki.d/1')).map((name) => host.read(1, name))).toEqual(before);
    expect(await host.pairs(2)).toEqual(fine);
  });

  it('takes the keys that certificates were requested for, which lie beside it', async () => {
    const host = hostIn(shell);
    await host.prepare(1, {});
    await host.make(1);
    const requested = host.path('pki.d', 'requested');
    mkdirSync(requested);
    expect(await host.sh(keyScript(requested, 'ecdsa-p256', 'daemon', ['server']))).toEqual(fine);
    expect(await host.prepare(2, { server: 'requested', client: 'carry', peer: 'carry' })).toEqual(fine);
    expect(host.read(2, 'server.key')).toBe(readFileSync(join(requested, 'server.key'), 'utf8'));
    expect(host.read(2, 'peer.key')).toBe(host.read(1, 'peer.key'));
    expect(modeOf(host.path('pki.d/2/server.key'))).toBe('600 daemon:daemon');
    expect(await host.pairs(2)).toEqual(fine);
  });

  it('takes over what is kept in place of what an interrupted run left', async () => {
    const host = hostIn(shell);
    await host.prepare(1, {});
    await host.make(1);
    mkdirSync(host.path('pki.d/2/.new'), { recursive: true });
    for (const name of ['server.key', 'server.pub', 'server.crt', '.new/key'])
      writeFileSync(host.path('pki.d/2', name), 'left');
    expect(await host.prepare(2, { server: 'keep' })).toEqual(fine);
    expect(readdirSync(host.path('pki.d/2')).sort()).toEqual(['server.key', 'server.pub']);
    expect(host.read(2, 'server.key')).toBe(host.read(1, 'server.key'));
  });

  it('is no link to another folder, and no file', async () => {
    const host = hostIn(shell);
    mkdirSync(host.path('elsewhere'));
    symlinkSync(host.path('elsewhere'), host.path('pki.d/1'));
    expect(await host.prepare(1, {})).toEqual(fine);
    expect(await host.make(1)).toEqual(fine);
    expect(readdirSync(host.path('elsewhere'))).toEqual([]);
  });

  it('is not touched while the link points to it', async () => {
    const host = hostIn(shell);
    await host.prepare(1, {});
    symlinkSync('pki.d/1', host.link);
    const { status, stderr } = await host.sh(notInUse(host.link, host.path('pki.d/1')));
    expect([status, stderr]).toEqual([1, `${host.path('pki.d/1')} is in use: it is never changed\n`]);
    expect(await host.sh(notInUse(host.link, host.path('pki.d/2')))).toEqual(fine);
  });

  it('may be made while nothing is in use', async () => {
    const host = hostIn(shell);
    expect(await host.sh(notInUse(host.link, host.path('pki.d/1')))).toEqual(fine);
  });

  it('is refused with a private key that is not that of its public half', async () => {
    const host = hostIn(shell);
    await host.prepare(1, {});
    await host.make(1);
    renameSync(host.path('pki.d/1/peer.key'), host.path('pki.d/1/client.key'));
    await host.make(1, ['peer']);
    const { status, stderr } = await host.pairs(1);
    expect(status).toBe(1);
    expect(stderr).toContain('client.key is not the key of client.pub');
  });

  it('is refused where a key and its public half are empty, as a power cut may leave them', async () => {
    const host = hostIn(shell);
    await host.prepare(1, {});
    await host.make(1);
    for (const end of ['key', 'pub']) writeFileSync(host.path(`pki.d/1/peer.${end}`), '');
    const { status, stderr } = await host.pairs(1);
    expect(status).toBe(1);
    expect(stderr).toContain('peer.key is not the key of peer.pub');
  });

  it('gets a new public half with a new key: one that was left would pass for its own', async () => {
    const host = hostIn(shell);
    await host.prepare(1, {});
    await host.make(1);
    const stale = host.read(1, 'server.pub');
    rmSync(host.path('pki.d/1/server.key'));
    await host.sh(
      `mv() { command mv "$@"; case $* in *server.key*) exit 9 ;; esac; }\n${keyScript(host.path('pki.d/1'), 'ecdsa-p256', 'daemon')}`,
    );
    expect(existsSync(host.path('pki.d/1/server.key'))).toBe(true);
    expect(existsSync(host.path('pki.d/1/server.pub'))).toBe(false);
    expect(await host.make(1)).toEqual(fine);
    expect(host.read(1, 'server.pub')).not.toBe(stale);
    expect(await host.pairs(1)).toEqual(fine);
  });

  it('is left alone when others are removed, and nothing that is no generation is', async () => {
    const host = hostIn(shell);
    for (const name of ['1', '2', '3', '12', 'mine', '2.bak']) mkdirSync(host.path('pki.d', name));
    symlinkSync('pki.d/2', host.link);
    expect(await host.sh(pruneScript({ folder: host.path('pki.d'), link: host.link, target: 'pki.d/2' }))).toEqual(
      fine,
    );
    expect(readdirSync(host.path('pki.d')).sort()).toEqual(['2', '2.bak', 'mine']);
  });

  it('is removed with the keys of requests where those are named', async () => {
    const host = hostIn(shell);
    for (const name of ['1', 'requested']) mkdirSync(host.path('pki.d', name));
    symlinkSync('pki.d/1', host.link);
    const order = { folder: host.path('pki.d'), link: host.link, target: 'pki.d/1' };
    expect(await host.sh(pruneScript({ ...order, requests: host.path('pki.d', 'requested') }))).toEqual(fine);
    expect(readdirSync(host.path('pki.d'))).toEqual(['1']);
  });

  it('is not removed by a plan that thought of another one in use', async () => {
    const host = hostIn(shell);
    for (const name of ['1', '2']) mkdirSync(host.path('pki.d', name));
    symlinkSync('pki.d/1', host.link);
    const { status, stderr } = await host.sh(
      pruneScript({ folder: host.path('pki.d'), link: host.link, target: 'pki.d/2' }),
    );
    expect([status, stderr]).toEqual([1, `${host.link} does not point to pki.d/2\n`]);
    expect(readdirSync(host.path('pki.d')).sort()).toEqual(['1', '2']);
  });
});
