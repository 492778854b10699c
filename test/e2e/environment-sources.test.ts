/** Where binaries come from: mirrors that change or break off, folders, hosts that have them, and sums that do not agree. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Mirror, startMirror } from '../../src/lab/mirror.ts';
import { runProgram } from '../../src/lab/program.ts';
import { ensureRelease, type Release } from '../../src/lab/releases.ts';
import { changesNothing, clearHosts, expectDone, expectRefusal, openWardrobe, type Wardrobe } from './environment.ts';
import { openStage, type Run, type Stage } from './stage.ts';

const version = '3.6.16';
const tarball = `/v${version}/etcd-v${version}-linux-amd64.tar.gz`;
const wrongSum = '0'.repeat(64);

let stage: Stage;
let wardrobe: Wardrobe;
let release: Release;
let mirror: Mirror | undefined;
let counter = 0;

beforeAll(async () => {
  release = await ensureRelease(version);
  stage = await openStage({ name: 'env-sources', hosts: 1, version });
  wardrobe = await openWardrobe(stage);
});
afterEach(async () => {
  await mirror?.close();
  mirror = undefined;
  await clearHosts(stage);
  await wardrobe.wear({});
});
afterAll(() => stage?.down());

/** A mirror of `folder`, and an inventory that takes the release from there and knows no sum yet. */
async function mirrored(via: 'operator' | 'host', folder: string, cutAfterBytes?: number): Promise<Mirror> {
  counter += 1;
  mirror = await startMirror(folder, stage.lab.gateway, { cutAfterBytes });
  await wardrobe.wear({
    binaries: { source: 'mirror', path: null, url: mirror.url, via },
    state: { directory: `./state-${counter}`, lockFile: `./lock-${counter}.yml` },
  });
  return mirror;
}

/** With a cache of its own, so that nothing was fetched before. */
async function bootstrap(): Promise<Run> {
  const env = { XDG_CACHE_HOME: join(stage.folder, `cache-${counter}`) };
  const identity = await readFile(join(stage.folder, 'identity.txt')).catch(() => undefined);
  const args = identity === undefined ? ['--new-identity', 'identity.txt'] : [];
  return stage.quorate(['bootstrap', '--yes', ...args], { env });
}

/** A mirror's folder whose tarball is another one, with a SHA256SUMS that agrees with it. */
async function changedMirror(): Promise<string> {
  const folder = join(stage.folder, 'changed');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await cp(join(release.root, `v${version}`), join(folder, `v${version}`), { recursive: true });
  const path = join(folder, tarball);
  await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('more')]));
  const sum = (await runProgram(['sha256sum', path])).slice(0, 64);
  await writeFile(join(folder, `v${version}`, 'SHA256SUMS'), `${sum}  ${tarball.split('/').at(-1)}\n`);
  return folder;
}

describe.each(['operator', 'host'] as const)('a mirror, via %s', (via) => {
  it('is trusted once: its sum is learnt, kept, and enforced when the tarball changes', async () => {
    const { requests } = await mirrored(via, release.root);
    expectDone(await bootstrap());
    expect(requests.some((each) => each.includes('/SHA256SUMS 200'))).toBe(true);
    expect(requests.some((each) => each.startsWith(`GET ${tarball} 200`))).toBe(true);
    const lockFile = join(stage.folder, `lock-${counter}.yml`);
    const kept = await readFile(lockFile, 'utf8');
    expect(kept).toContain(release.sha256);
    await clearHosts(stage);
    await mirror?.close();

    mirror = await startMirror(await changedMirror(), stage.lab.gateway);
    const { url } = mirror;
    await wardrobe.wear({
      binaries: { source: 'mirror', path: null, url, via },
      state: { directory: `./state-${counter}`, lockFile: `./lock-${counter}.yml` },
    });
    await rm(join(stage.folder, `cache-${counter}`), { recursive: true, force: true });
    const said =
      via === 'operator'
        ? expectRefusal(await changesNothing(stage, bootstrap), 13)
        : expectRefusal(await bootstrap(), 14);
    expect(said).toMatch(/has sha256 [0-9a-f]{64}/);
    expect(said).toContain(release.sha256);
    if (via === 'operator') expect(said).toContain(lockFile);
    expect(await readFile(lockFile, 'utf8')).toBe(kept);
    expect(await stage.host(1).sh('ls /usr/local/lib/etcd 2>/dev/null || true')).toBe('');
  });

  it('goes on with a download where it was cut', async () => {
    const { requests } = await mirrored(via, release.root, 9_000_000);
    expectDone(await bootstrap());
    const parts = requests.filter((each) => each.startsWith(`GET ${tarball}`));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.slice(1).every((each) => each.endsWith(' 206'))).toBe(true);
    expect(await stage.host(1).sh('ls -A /usr/local/lib/etcd')).toBe(`${version}\n`);
  });
});

describe('what is there already', () => {
  it('takes a folder on this machine', async () => {
    const folder = join(stage.folder, 'unpacked');
    await mkdir(folder);
    await runProgram(['tar', '-xzf', release.tarball, '-C', folder, '--strip-components=1']);
    await wardrobe.wear({ binaries: { path: './unpacked' } });
    expectDone(await bootstrap());
    expect(await stage.host(1).sh('/usr/local/bin/etcd --version')).toContain(`etcd Version: ${version}`);
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });

  it('uses binaries of the host, changes none of them, and refuses hosts without them', async () => {
    const host = stage.host(1);
    await wardrobe.wear({ binaries: { source: 'system', path: null, directory: '/opt/etcd' } });
    const said = expectRefusal(await changesNothing(stage, bootstrap), 13);
    expect(said).toContain('etcd-1: ');
    expect(said).toContain('/opt/etcd');
    await host.sh('mkdir -p /opt/etcd');
    await host.sh('tar -xz -C /opt/etcd --strip-components=1 --no-same-owner', {
      stdin: await readFile(release.tarball),
    });
    const before = await host.sh('ls -lA --time-style=full-iso /opt/etcd');
    expectDone(await bootstrap());
    expect(await host.sh('readlink /proc/$(systemctl show -P MainPID etcd)/exe')).toBe('/opt/etcd/etcd\n');
    expectDone(await stage.quorate(['plan', '--exit-code']));
    await clearHosts(stage);
    expect(await host.sh('ls -lA --time-style=full-iso /opt/etcd')).toBe(before);
    await host.sh('mv /opt/etcd/etcd /opt/etcd/etcdctl /opt/etcd/etcdutl /usr/bin/; rm -r /opt/etcd');
    await wardrobe.wear({ binaries: { source: 'system', path: null, directory: '/usr/bin' } });
    expectDone(await bootstrap());
    await clearHosts(stage);
    expect(await host.sh('ls /usr/bin/etcd /usr/bin/etcdctl /usr/bin/etcdutl && rm /usr/bin/etcd*')).toContain(
      '/usr/bin/etcd\n',
    );
  });
});

it('refuses a tarball of another sum than the inventory says, before any host is changed', async () => {
  await wardrobe.wear({ binaries: { sha256: { amd64: wrongSum } }, state: { lockFile: './lock-wrong.yml' } });
  const said = expectRefusal(await changesNothing(stage, bootstrap), 13);
  expect(said).toContain(`has sha256 ${release.sha256}, and the inventory says ${wrongSum}`);
  await expect(readFile(join(stage.folder, 'lock-wrong.yml'))).rejects.toThrow('ENOENT');
});
