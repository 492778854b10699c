import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { parseRange, startMirror } from '../../../src/lab/mirror.ts';
import { findPackageVersion } from '../../../src/lab/release-debian.ts';
import { officialSource } from '../../../src/lab/release-official.ts';
import { packRelease, releaseName, sha256, sumOf } from '../../../src/lab/release-pack.ts';
import type { ReleaseSource } from '../../../src/lab/release-source.ts';
import { availableReleases, ensureRelease } from '../../../src/lab/releases.ts';

let cache = '';
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'quorate-releases-'));
});
afterEach(() => rm(cache, { recursive: true }));

/** Packs a shell script that calls itself etcd of a version. */
const scripted: ReleaseSource = {
  name: 'scripted',
  refuse: async (version) => (version === '3.5.1' ? undefined : 'has only 3.5.1'),
  make: async (version, folder) => {
    await mkdir(join(folder, releaseName(version)));
    const script = `#!/bin/sh\necho "etcd Version: 3.5.1"\n`;
    await writeFile(join(folder, releaseName(version), 'etcd'), script, { mode: 0o755 });
    await packRelease(version, folder);
    return 'a script';
  },
};

const failing: ReleaseSource = {
  name: 'failing',
  refuse: async () => undefined,
  make: async () => {
    throw new QuorateError('step-failed', 'out of order');
  },
};

describe('ensureRelease', () => {
  it('asks sources in order and keeps what it got in the official layout', async () => {
    const release = await ensureRelease('3.5.1', { cache, sources: [failing, scripted] });
    expect(release.origin).toBe('a script');
    expect(release.tarball).toBe(join(release.root, `v3.5.1/${releaseName('3.5.1')}.tar.gz`));
    expect(release.sha256).toBe(await sha256(release.tarball));
    expect(await readFile(release.sha256sums, 'utf8')).toBe(`${release.sha256}  ${releaseName('3.5.1')}.tar.gz\n`);
    expect(await ensureRelease('3.5.1', { cache, sources: [] })).toEqual(release);
  });

  it('makes the same bytes of the same binaries', async () => {
    const first = await ensureRelease('3.5.1', { cache, sources: [scripted] });
    const second = await ensureRelease('3.5.1', { cache: join(cache, 'again'), sources: [scripted] });
    expect(second.sha256).toBe(first.sha256);
  });

  it('says what each source said when none has it, and leaves nothing half made', async () => {
    const refused = ensureRelease('3.5.2', { cache, sources: [failing, scripted] });
    await expect(refused).rejects.toMatchObject({
      code: 'step-failed',
      detail: 'failing: out of order\nscripted: has only 3.5.1',
    });
    expect(await readdir(join(cache, 'releases'))).toEqual([]);
  });

  it('refuses binaries that call themselves another version', async () => {
    const lying: ReleaseSource = { ...scripted, refuse: async () => undefined };
    const refused = ensureRelease('3.5.3', { cache, sources: [lying] });
    await expect(refused).rejects.toMatchObject({
      detail: expect.stringContaining('calls itself etcd Version: 3.5.1'),
    });
  });

  it('tells what can be had and why not the rest', async () => {
    expect(await availableReleases(['3.5.1', '3.5.2'], { cache, sources: [scripted] })).toEqual([
      { version: '3.5.1', available: true, reason: 'scripted' },
      { version: '3.5.2', available: false, reason: 'scripted: has only 3.5.1' },
    ]);
  });
});

describe('officialSource', () => {
  it('downloads from a mirror of the official layout and checks the sum', async () => {
    const made = await ensureRelease('3.5.1', { cache, sources: [scripted] });
    const mirror = await startMirror(made.root, '127.0.0.1');
    try {
      const sources = [officialSource(mirror.url)];
      const copy = await ensureRelease('3.5.1', { cache: join(cache, 'copy'), sources });
      expect(copy.sha256).toBe(made.sha256);
      await writeFile(made.tarball, 'something else');
      const refused = ensureRelease('3.5.1', { cache: join(cache, 'third'), sources });
      await expect(refused).rejects.toMatchObject({ detail: expect.stringContaining('SHA256SUMS says') });
    } finally {
      await mirror.close();
    }
  });
});

describe('startMirror', () => {
  it('serves files with ranges, and nothing outside its folder', async () => {
    await mkdir(join(cache, 'v1'));
    await writeFile(join(cache, 'v1/file'), 'abcdef');
    const mirror = await startMirror(join(cache, 'v1'), '127.0.0.1');
    try {
      const get = async (path: string, range = '') => {
        const response = await fetch(`${mirror.url}${path}`, { headers: { range } });
        return [response.status, await response.text()];
      };
      expect(await get('/file')).toEqual([200, 'abcdef']);
      expect(await get('/file', 'bytes=4-')).toEqual([206, 'ef']);
      expect(await get('/file', 'bytes=6-')).toEqual([416, '']);
      expect(await get('/..%2f..%2f..%2f..%2fetc/hostname')).toEqual([404, '']);
      expect(await get('/none')).toEqual([404, '']);
    } finally {
      await mirror.close();
    }
  });
});

describe('parseRange', () => {
  it.each([
    [undefined, undefined],
    ['bytes=-', undefined],
    ['lines=1-2', undefined],
    ['bytes=5-3', undefined],
    ['bytes=0-', { start: 0, end: 9 }],
    ['bytes=3-4', { start: 3, end: 4 }],
    ['bytes=3-99', { start: 3, end: 9 }],
    ['bytes=-4', { start: 6, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
  ])('reads %j of ten bytes', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });
});

describe('findPackageVersion', () => {
  const madison = `etcd-server |   3.5.30-2 | http://mirror.test/debian forky/main amd64 Packages
etcd-server | 3.4.23+dfsg-4+b4 | http://mirror.test/debian bookworm/main amd64 Packages
`;

  it('finds the package of exactly the upstream version', () => {
    expect(findPackageVersion(madison, '3.5.30')).toBe('3.5.30-2');
    expect(findPackageVersion(madison, '3.4.23')).toBe('3.4.23+dfsg-4+b4');
    expect(findPackageVersion(madison, '3.5.3')).toBeUndefined();
    expect(findPackageVersion('', '3.5.3')).toBeUndefined();
  });
});

describe('sumOf', () => {
  it('reads the text and the binary form of shasum', () => {
    const sum = 'a'.repeat(64);
    expect(sumOf(`${sum}  x.tar.gz\n`, 'x.tar.gz')).toBe(sum);
    expect(sumOf(`${sum} *x.tar.gz\n`, 'x.tar.gz')).toBe(sum);
    expect(sumOf(`${sum}  y.tar.gz\n`, 'x.tar.gz')).toBeUndefined();
  });
});
