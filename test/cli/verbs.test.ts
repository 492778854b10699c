/** Verbs that need no host, and those whose hosts cannot be reached. */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quorate, temporaryFolder } from './quorate.ts';

const inventories = new URL('../../inventories/', import.meta.url).pathname;
const three = join(inventories, 'three-node.yml');
const bad = 'apiVersion: quorate/v1\ncluster: {name: demo, version: 3.6.16}\ncontrollers:\n  a: {adress: 10.0.0.1}\n';

/** Values for inventories that take some from the environment. */
const env = {
  SSH_KEY_FILE: '/keys/id',
  HOST_1: '10.0.0.1',
  HOST_2: '10.0.0.2',
  HOST_3: '10.0.0.3',
  AGE_IDENTITY_FILE: '/keys/age',
};

describe('quorate validate', () => {
  it('says that an inventory is valid, and of which cluster', async () => {
    const { status, stdout } = await quorate(['validate', '-i', three]);
    expect(status).toBe(0);
    expect(stdout).toContain('valid: cluster three-node, 3 members');
  });

  it('reads several files, that of -i included', async () => {
    const { status, stdout } = await quorate(['validate', '-i', three, join(inventories, 'five-node.yml')]);
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/^.*: valid/, 'valid')),
    ).toEqual(['valid: cluster three-node, 3 members', 'valid: cluster five-node, 5 members']);
  });

  it('tells every complaint about every file with its place: exit 11', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'bad.yml'), bad);
    const { status, stdout, stderr } = await quorate(['validate', three, 'bad.yml'], { directory: folder });
    expect([status, stdout]).toEqual([11, '']);
    expect(stderr).toMatch(/bad\.yml:4:7: controllers\.a.*adress.*address/);
  });

  it('reads stdin', async () => {
    expect((await quorate(['validate', '-i', '-'], { input: readFileSync(three, 'utf8') })).status).toBe(0);
    const { status, stderr } = await quorate(['validate', '-i', '-'], { input: bad });
    expect(status).toBe(11);
    expect(stderr).toContain('<stdin>:4:7');
  });

  it('finds the inventory by the environment, and by its usual name', async () => {
    expect((await quorate(['validate'], { env: { QUORATE_INVENTORY: three } })).status).toBe(0);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'quorate.yml'), readFileSync(three));
    expect((await quorate(['validate'], { directory: folder })).status).toBe(0);
    expect((await quorate(['validate'])).status).toBe(11);
  });

  it('gives JSON and nothing else on stdout, whatever comes of it', async () => {
    const good = await quorate(['validate', '--json', '-i', three]);
    expect(JSON.parse(good.stdout)).toMatchObject({
      valid: true,
      inventories: [{ cluster: 'three-node', members: 3 }],
    });
    const wrong = await quorate(['validate', '--json', '-i', '-'], { input: bad });
    expect(wrong.status).toBe(11);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: 'inventory', exitStatus: 11 } });
  });
});

describe('quorate render', () => {
  const samples = readdirSync(inventories).filter((each) => each.endsWith('.yml'));

  it('knows samples', () => expect(samples.length).toBeGreaterThan(4));

  it.each(samples)('%s: writes every file of every host, with its mode, and no secret', async (name) => {
    const folder = temporaryFolder();
    const { status, stdout, stderr } = await quorate(['render', '-i', join(inventories, name), '--out', 'out'], {
      directory: folder,
      env,
    });
    expect(status, stderr).toBe(0);
    const written = stdout.trim().split('\n');
    expect(written.length).toBeGreaterThan(5);
    for (const path of written) {
      const file = join(folder, path);
      expect(readFileSync(file, 'utf8')).not.toMatch(/PRIVATE KEY|\{\{|<%/);
      expect(statSync(file).mode & 0o777).toBe(path.endsWith('etcd-config.yml') ? 0o640 : 0o644);
    }
    expect(stderr).toContain('not rendered: ');
    expect(stderr).toMatch(/\*\.key: made on each host/);
  });

  it('writes the same again, over what is there', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'out'));
    const first = await quorate(['render', '-i', three, '--out', 'out'], { directory: folder });
    expect(await quorate(['render', '-i', three, '--out', 'out'], { directory: folder })).toEqual(first);
  });

  it('asks for a folder: exit 10', async () => {
    expect(await quorate(['render', '-i', three])).toMatchObject({ status: 10, stdout: '' });
  });
});

describe('hosts that cannot be reached', () => {
  /** An inventory of three hosts at a port of this machine on which nobody listens. */
  async function nobodyHome(folder: string): Promise<string> {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    const file = join(folder, 'quorate.yml');
    const hosts = [1, 2, 3].map(
      (number) => `  etcd-${number}:\n    address: 127.0.0.${number}\n    privateAddress: 10.9.9.${number}\n`,
    );
    writeFileSync(
      file,
      `apiVersion: quorate/v1\ncluster: {name: demo, version: 3.6.16}\nssh: {user: root, port: ${port}}\ncontrollers:\n${hosts.join('')}`,
    );
    return file;
  }

  it.each([['plan'], ['bootstrap'], ['reset'], ['unlock']])('quorate %s tells each of them: exit 12', async (verb) => {
    const folder = temporaryFolder();
    const file = await nobodyHome(folder);
    const words = verb === 'reset' ? ['--yes-destroy', 'demo'] : [];
    const { status, stdout, stderr } = await quorate([verb, '-i', file, ...words]);
    expect([status, stdout], stderr).toEqual([12, '']);
    expect(stderr).toContain('etcd-1');
    if (verb !== 'unlock') for (const host of ['etcd-2', 'etcd-3']) expect(stderr).toContain(host);
  });

  it('are told in JSON where JSON was asked for, with nothing else on stdout', async () => {
    const file = await nobodyHome(temporaryFolder());
    const { status, stdout } = await quorate(['plan', '--json', '-i', file]);
    expect(status).toBe(12);
    expect(JSON.parse(stdout).error.errors).toHaveLength(3);
  });

  it('are facts for status: no quorum, exit 3', async () => {
    const file = await nobodyHome(temporaryFolder());
    const plain = await quorate(['status', '-i', file]);
    expect(plain.status).toBe(3);
    expect(plain.stdout).toContain('NO QUORUM');
    const json = await quorate(['status', '--json', '-i', file]);
    expect(JSON.parse(json.stdout)).toMatchObject({ state: 'no-quorum' });
  });

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['a narrow terminal', { COLUMNS: '30' }],
    ['no terminal', {}],
  ])('are told without colours with %s', async (_name, more) => {
    const file = await nobodyHome(temporaryFolder());
    const { stdout, stderr } = await quorate(['status', '-i', file], { env: more });
    expect(stdout).toContain('NO QUORUM');
    expect(`${stdout}${stderr}`).not.toContain('\u001b[');
  });
});

describe('verbs that would ask', () => {
  it.each([
    [['reset', '-i', three, '--yes-destroy', 'other'], 13],
    [['env', '-i', three], 13],
    [['plan', 'nothing', '-i', three], 10],
    [['init', '--no-input'], 10],
  ])('%j: exit %i with a hint', async (words, expected) => {
    const { status, stdout, stderr } = await quorate(words);
    expect([status, stdout], stderr).toEqual([expected, '']);
    expect(stderr).toContain('hint: ');
  });

  it('init never overwrites: exit 10', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'quorate.yml'), 'mine');
    expect((await quorate(['init', 'root@127.0.0.1'], { directory: folder })).status).toBe(10);
    expect(readFileSync(join(folder, 'quorate.yml'), 'utf8')).toBe('mine');
  });
});

/** What Node has loaded of itself when the verb ends. */
async function loaded(words: readonly string[]): Promise<readonly string[]> {
  const tell = "process.on('exit', () => console.error('LOADED', JSON.stringify(process.moduleLoadList)))";
  const { status, stderr } = await quorate(words, {
    env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tell)}` },
  });
  expect(status).toBe(0);
  const list: readonly string[] = JSON.parse(/^LOADED (.*)$/m.exec(stderr)?.[1] ?? '[]');
  expect(list.length).toBeGreaterThan(50);
  return list.map((each) => each.replace('NativeModule ', ''));
}

it('validate starts at once: nothing of networks, processes or cryptography is loaded for it', async () => {
  const heavy = ['crypto', 'tls', 'http', 'http2', 'child_process', 'internal/deps/undici/undici'];
  const list = await loaded(['validate', '-i', three]);
  expect(heavy.filter((each) => list.includes(each))).toEqual([]);
});
