import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestScript, sha256Function } from '../../../src/observe/digests.ts';
import { parseProbe } from '../../../src/observe/parse-probe.ts';
import { TEXT_LIMIT_BYTES } from '../../../src/observe/probe-body.ts';
import { probeScript } from '../../../src/observe/probe-script.ts';
import { sampleCluster, sampleController } from './sample-cluster.ts';
import { recordsOf } from './sample-probe.ts';

const shells = [['dash'], ['bash', '--posix'], ['bash'], ['busybox', 'sh']].filter(([name = '']) =>
  existsSync(join('/usr/bin', name)),
);
const hostile = `it's $(touch pwned) "x" ;&`;
let root = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-probe-'));
  const cluster = sampleCluster(root);
  const generation = `${cluster.paths.configDir}/pki.d/1`;
  await mkdir(generation, { recursive: true });
  await symlink('pki.d/1', `${cluster.paths.configDir}/pki`);
  await writeFile(`${cluster.paths.configDir}/etcd-config.yml`, 'name: etcd-1\n# ümlaut\n\n');
  await writeFile(`${generation}/server.crt`, 'not really a certificate\n');
  await writeFile(`${generation}/server.pub`, 'public\n');
  await writeFile(`${generation}/client.crl`, Buffer.of(0x30, 0x80, 0xff, 0x00, 0x0a));
  await writeFile(`${generation}/server.key`, 'secret\n', { mode: 0o600 });
  await mkdir(`${cluster.paths.dataDir}/member/wal`, { recursive: true });
  await writeFile(`${cluster.paths.dataDir}/member/wal/0-0.wal`, '');
  await mkdir(`${cluster.paths.libDir}/3.6.16`, { recursive: true });
  for (const name of ['etcd', 'etcdctl', 'etcdutl']) await writeFile(`${cluster.paths.libDir}/3.6.16/${name}`, name);
  await mkdir(cluster.paths.binDir, { recursive: true });
  await symlink(`${cluster.paths.libDir}/3.6.16/etcd`, `${cluster.paths.binDir}/etcd`);
  await symlink('gone', `${cluster.paths.binDir}/etcdctl`);
});

afterAll(() => rm(root, { recursive: true, force: true }));

function run(shell: readonly string[], script: string, env: NodeJS.ProcessEnv = {}) {
  const [command = '', ...rest] = shell;
  return spawnSync(join('/usr/bin', command), rest, {
    maxBuffer: 2 * TEXT_LIMIT_BYTES,
    input: script,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', ...env },
    cwd: root,
  });
}

function probe(shell: readonly string[], script: string) {
  const done = run(shell, script);
  expect(done.stderr).toBe('');
  return parseProbe(done.stdout, { host: 'etcd-1', receivedAt: Date.now(), sentAt: undefined });
}

describe.each(shells)('the probe in %s %s', (...shell) => {
  it('sees files, links, texts and the data dir of this machine', () => {
    const cluster = sampleCluster(root);
    const { configDir, binDir, libDir } = cluster.paths;
    const facts = probe(shell, probeScript(cluster, sampleController('etcd-1')));
    expect(facts.texts[`${configDir}/etcd-config.yml`]).toBe('name: etcd-1\n# ümlaut\n\n');
    expect(facts.certificates).toEqual({
      [`${configDir}/pki/server.crt`]: 'not really a certificate\n',
      [`${configDir}/pki.d/1/server.crt`]: 'not really a certificate\n',
    });
    expect(facts.texts[`${configDir}/pki.d/1/server.pub`]).toBe('public\n');
    expect(facts.files[`${configDir}/pki`]).toEqual({ kind: 'link', target: 'pki.d/1' });
    expect(facts.files[`${configDir}/pki.d`]).toMatchObject({ kind: 'directory' });
    expect(facts.files[`${binDir}/etcd`]).toEqual({ kind: 'link', target: `${libDir}/3.6.16/etcd` });
    expect(facts.files[`${binDir}/etcdctl`]).toEqual({ kind: 'link', target: 'gone' });
    expect(facts.files[`${binDir}/etcdutl`]).toBeUndefined();
    expect(facts.data).toMatchObject({ wal: true, entries: ['member'], dataDir: { kind: 'directory' } });
    expect(Math.abs(facts.clockOffsetMs)).toBeLessThan(1500);
    expect(facts.memoryBytes).toBeGreaterThan(2 ** 26);
    expect(facts.disk.sizeBytes).toBeGreaterThan(facts.disk.freeBytes);
    expect(facts.machine).toMatch(/\w/);
  });

  it('asks for changes alone where the rest is known', async () => {
    const cluster = sampleCluster(root);
    const controller = sampleController('etcd-1');
    const before = probe(shell, probeScript(cluster, controller));
    const known = { ...before, addresses: ['192.0.2.1'], packageData: ['/known'], clockOffsetMs: 7 };
    const added = `${cluster.paths.configDir}/pki.d/1/peer.pub`;
    await writeFile(added, 'new\n');
    const done = run(shell, probeScript(cluster, controller, { changesAlone: true }));
    expect(done.stderr).toBe('');
    const facts = parseProbe(done.stdout, { host: 'etcd-1', receivedAt: Date.now(), sentAt: undefined, known });
    expect(facts).toEqual({
      ...known,
      files: { ...before.files, [added]: expect.objectContaining({ kind: 'file', mode: '0644' }) },
      texts: { ...before.texts, [added]: 'new\n' },
    });
    expect(() => parseProbe(done.stdout, { host: 'etcd-1', receivedAt: 0, sentAt: undefined })).toThrow(/is missing/);
    await rm(added);
  });

  it('hashes revocation lists, which are no text, and takes the octets of those that etcd reads', () => {
    const cluster = sampleCluster(root);
    const facts = probe(shell, probeScript(cluster, sampleController('etcd-1')));
    const path = `${cluster.paths.configDir}/pki.d/1/client.crl`;
    const sha256 = createHash('sha256')
      .update(Buffer.of(0x30, 0x80, 0xff, 0x00, 0x0a))
      .digest('hex');
    expect(facts.files[path]).toMatchObject({ kind: 'file', sha256 });
    expect([facts.texts[path], facts.certificates[path]]).toEqual([undefined, undefined]);
    expect(facts.lists).toEqual({ [`${cluster.paths.configDir}/pki/client.crl`]: 'MID/AAo=' });
  });

  it('tells of a list that is longer than what is read of one', async () => {
    const cluster = sampleCluster(root);
    const list = `${cluster.paths.configDir}/pki.d/1/client.crl`;
    const before = await readFile(list);
    await truncate(list, TEXT_LIMIT_BYTES + 1);
    const facts = probe(shell, probeScript(cluster, sampleController('etcd-1')));
    await writeFile(list, before);
    expect(facts.tooLong).toEqual([`${cluster.paths.configDir}/pki/client.crl`]);
    expect(facts.lists).toEqual({});
    expect(probe(shell, probeScript(cluster, sampleController('etcd-1'))).tooLong).toEqual([]);
  });

  it('never reads a private key', () => {
    const cluster = sampleCluster(root);
    const facts = probe(shell, probeScript(cluster, sampleController('etcd-1')));
    expect(facts.files[`${cluster.paths.configDir}/pki.d/1/server.key`]).toMatchObject({
      kind: 'file',
      mode: '0600',
      sha256: '',
    });
    expect(JSON.stringify(facts)).not.toContain('secret');
  });

  it('trusts a digest as long as the inode is that of the note', async () => {
    const cluster = sampleCluster(root);
    const directory = `${cluster.paths.libDir}/3.6.16`;
    const script = probeScript(cluster, sampleController('etcd-1'));
    const before = probe(shell, script).files;
    expect(run(shell, `${sha256Function}\n${digestScript(directory, directory, ['etcd'])}`).status).toBe(0);
    expect(probe(shell, script).files).toMatchObject(before);
    const forged = `f`.repeat(64);
    const note = spawnSync('sed', [`s/^[0-9a-f]*|/${forged}|/`, `${directory}/.digests`], {
      encoding: 'utf8',
    }).stdout;
    await writeFile(`${directory}/.digests`, note);
    expect(probe(shell, script).files[`${directory}/etcd`]).toMatchObject({ sha256: forged });
    await chmod(`${directory}/etcd`, 0o700);
    await chmod(`${directory}/etcd`, 0o644);
    expect(probe(shell, script).files[`${directory}/etcd`]).toEqual(before[`${directory}/etcd`]);
    await rm(`${directory}/.digests`);
  });

  it('reads the raft log where it is asked to, or where 3.7 is wanted and another one is linked', async () => {
    const log = join(root, 'var/lib/etcd/member/wal/0-0.wal');
    const v2Log = (version: string, wish?: 'any' | 'inventory') =>
      probe(shell, probeScript(sampleCluster(root, { version }), sampleController('etcd-1'), { v2Log: wish })).v2Log;
    expect([v2Log('3.6.16'), v2Log('3.6.16', 'any'), v2Log('3.7.3', 'inventory')]).toEqual([undefined, false, false]);
    await writeFile(log, 'PUT /0/members/8e9e05c52164694d/attributes');
    expect([v2Log('3.6.16', 'any'), v2Log('3.7.3', 'inventory'), v2Log('3.6.16', 'inventory')]).toEqual([
      true,
      true,
      undefined,
    ]);
    await mkdir(join(root, 'usr/local/lib/etcd/3.7.3'), { recursive: true });
    await writeFile(join(root, 'usr/local/lib/etcd/3.7.3/etcd'), 'etcd');
    const link = join(root, 'usr/local/bin/etcd');
    await rm(link);
    await symlink('../lib/etcd/3.7.3/etcd', link);
    expect(v2Log('3.7.3', 'inventory')).toBe(undefined);
    await rm(link);
    await symlink(join(root, 'usr/local/lib/etcd/3.6.16/etcd'), link);
    await rm(join(root, 'usr/local/lib/etcd/3.7.3'), { recursive: true });
    await writeFile(log, '');
  });

  it('quotes hostile paths and runs nothing of them', async () => {
    const nested = join(root, hostile);
    const cluster = sampleCluster(nested);
    await mkdir(cluster.paths.configDir, { recursive: true });
    await writeFile(`${cluster.paths.configDir}/etcd-config.yml`, 'x');
    const facts = probe(
      shell,
      probeScript(cluster, sampleController('etcd-1'), { texts: [`${nested}/-n`, `${nested}/back\\slash`] }),
    );
    expect(facts.texts).toMatchObject({ [`${cluster.paths.configDir}/etcd-config.yml`]: 'x' });
    expect(await readdir(root)).not.toContain('pwned');
  });

  it('names the process that listens on one of our ports', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const facts = probe(shell, probeScript(sampleCluster(root), sampleController('etcd-1', [port, 2380, 2381])));
    server.close();
    expect(facts.listeners).toContainEqual({
      address: '127.0.0.1',
      port,
      pid: process.pid,
      process: expect.any(String),
    });
  });

  it('takes no word about units from the name of a process’s file, and little from its arguments', async () => {
    const folder = join(root, 'a\n0::/system.slice/etcd.service');
    await mkdir(folder, { recursive: true });
    await copyFile('/usr/bin/dash', join(folder, 'etcd'));
    await chmod(join(folder, 'etcd'), 0o755);
    const stranger = spawn(join(folder, 'etcd'), ['-c', 'read x', 'x'.repeat(100_000)], { stdio: 'pipe' });
    try {
      await expect.poll(() => readFileSync(`/proc/${stranger.pid}/comm`, 'utf8')).toBe('etcd\n');
      const facts = probe(shell, probeScript(sampleCluster(root), sampleController('etcd-1')));
      const seen = facts.processes.find((each) => each.pid === stranger.pid);
      expect(seen).toMatchObject({ executable: '' });
      expect(seen?.unit).not.toBe('etcd.service');
      expect(seen?.arguments.join('').length).toBeLessThan(5_000);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('takes no file for another whose name holds a line break, and few names of a data dir', async () => {
    const cluster = sampleCluster(join(root, 'many'));
    const generation = `${cluster.paths.configDir}/pki.d/1`;
    await mkdir(generation, { recursive: true });
    await writeFile(`${generation}/a\nserver.crt`, 'theirs');
    await mkdir(cluster.paths.dataDir, { recursive: true });
    for (let each = 0; each < 60; each++) await writeFile(`${cluster.paths.dataDir}/f${each}`, '');
    const done = run(shell, probeScript(cluster, sampleController('etcd-1')));
    const facts = parseProbe(done.stdout, { host: 'etcd-1', receivedAt: Date.now(), sentAt: undefined });
    expect(Object.keys(facts.files).filter((path) => path.includes('server.crt'))).toEqual([]);
    expect(facts.certificates).toEqual({});
    const sent = recordsOf(done.stdout).find(([key]) => key === 'entries')?.[1] ?? '';
    expect(sent.split('\n').length).toBeLessThan(30);
  });

  it('works at the end of a script that changed the shell', () => {
    const setup = `set -euf; umask 000; IFS=x; set -C; alias ls=false; exec 3>&1; cd /; echo 'progress 1'\n`;
    const script = `${setup}${probeScript(sampleCluster(root), sampleController('etcd-1'))}`;
    const facts = probe(shell, script);
    expect(facts.data.wal).toBe(true);
  });

  it('says what it can without PATH', () => {
    const done = run(shell, probeScript(sampleCluster(root), sampleController('etcd-1')), { PATH: '/nonexistent' });
    const facts = parseProbe(done.stdout, { host: 'etcd-1', receivedAt: Date.now(), sentAt: undefined });
    expect(facts.missingTools).not.toContain('tar');
  });
});

describe('probeScript', () => {
  it('refuses a path with a line break', () => {
    expect(() => probeScript(sampleCluster('/a\nb'), sampleController('etcd-1'))).toThrow(/line break/);
  });

  it('writes nothing and changes nothing', () => {
    const script = probeScript(sampleCluster(), sampleController('etcd-1')).replaceAll(/\(\(.*\)\)/g, '');
    const redirections = [...script.matchAll(/(?<![0-9&<-])>(?!&|\/dev\/null)/g)];
    expect(redirections).toEqual([]);
    expect(script).not.toMatch(/<<|\b(mktemp|tee|touch|rm|mv|cp|mkdir|chmod|chown|kill) [^'"]*\$/);
  });
});
