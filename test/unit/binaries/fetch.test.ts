/** Releases from a mirror: cut, damaged, other than expected, side by side. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory, fetchBinary, requireChecksum } from '../../../src/binaries/fetch.ts';
import { addToReleaseLock, parseReleaseLock } from '../../../src/binaries/lock-file.ts';
import { planBinary } from '../../../src/binaries/plan.ts';
import { openReleases } from '../../../src/binaries/releases.ts';
import {
  answer,
  cutAfter,
  digestOf,
  type Mirror,
  name,
  prepare,
  sha256,
  startMirror,
  tarball,
  version,
} from './mirror.ts';

const path = `/v${version}/${name}`;
let mirror: Mirror;
let place: ReturnType<typeof prepare>;

beforeEach(async () => {
  mirror = await startMirror();
  place = prepare(mirror.url);
});
afterEach(async () => {
  place.remove();
  await mirror.close();
});

const cached = () => `${place.options.cacheDir}/releases/v${version}/${sha256.slice(0, 16)}-${name}`;
const lockText = () => readFileSync(place.desired.lockFile, 'utf8');
const fetch = (changes = {}) => fetchBinary({ ...place.desired, ...changes }, 'amd64', place.options);

describe('first use', () => {
  it('learns the sha256 from SHA256SUMS, checks the tarball and keeps the sha256', async () => {
    const progress: number[] = [];
    const options = { ...place.options, onProgress: (received: number) => void progress.push(received) };
    expect(planBinary(place.desired, 'amd64', {})).toMatchObject({ kind: 'download', sha256: undefined });
    const fetched = await fetchBinary(place.desired, 'amd64', options);
    expect(fetched).toEqual({ path: cached(), sha256, sizeBytes: tarball.length });
    expect(digestOf(readFileSync(fetched.path))).toBe(sha256);
    expect(parseReleaseLock(lockText(), '')).toEqual({ [version]: { amd64: sha256 } });
    expect(progress.at(-1)).toBe(tarball.length);
    expect(readdirSync(`${place.options.cacheDir}/releases/v${version}`)).toHaveLength(1);
  });

  it('refuses a release without a line in SHA256SUMS, and fetches nothing', async () => {
    mirror.files.set(`/v${version}/SHA256SUMS`, `${sha256}  another-${name}\n${sha256}  x/${name}\n`);
    await expect(fetch()).rejects.toMatchObject({ code: 'untrusted', message: expect.stringContaining('no line for') });
    expect(mirror.requests).toHaveLength(1);
    expect(existsSync(place.desired.lockFile)).toBe(false);
  });

  it('is unreachable without SHA256SUMS', async () => {
    mirror.files.delete(`/v${version}/SHA256SUMS`);
    await expect(fetch()).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('HTTP 404') });
  });
});

describe('later uses', () => {
  it('ask nobody when the cache is right', async () => {
    await fetch();
    const before = mirror.requests.length;
    expect(await fetch()).toMatchObject({ sha256 });
    expect(mirror.requests).toHaveLength(before);
  });

  it('fetch a damaged cache anew', async () => {
    await fetch();
    writeFileSync(cached(), tarball.subarray(1));
    await fetch();
    expect(digestOf(readFileSync(cached()))).toBe(sha256);
  });

  it('refuse other bytes than the lock file says, and teach', async () => {
    await addToReleaseLock(
      place.desired.lockFile,
      { version, architecture: 'amd64', sha256: digestOf('a') },
      place.options.signal,
    );
    const before = lockText();
    await expect(fetch()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(`has sha256 ${sha256}, and ${place.desired.lockFile} says ${digestOf('a')}`),
      hint: expect.stringContaining('delete that line'),
    });
    expect(lockText()).toBe(before);
    expect(readdirSync(`${place.options.cacheDir}/releases/v${version}`)).toEqual([]);
  });

  it('check against the inventory without asking for SHA256SUMS, and refuse an inventory that contradicts the lock', async () => {
    expect(await fetch({ checksums: { amd64: sha256.toUpperCase() } })).toMatchObject({ sha256 });
    expect(mirror.requests).toEqual([`GET ${path}`]);
    expect(existsSync(place.desired.lockFile)).toBe(false);
    await fetch();
    await expect(fetch({ checksums: { amd64: digestOf('b') } })).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('interrupted downloads', () => {
  it('resume where they were cut', async () => {
    let cuts = 0;
    mirror.files.set(path, (request, response) =>
      cuts++ < 2 ? cutAfter(tarball, 60_000)(request, response) : answer(tarball, request, response),
    );
    expect(await fetch()).toMatchObject({ sha256 });
    expect(mirror.requests.filter((each) => each.includes(name))).toEqual([
      `GET ${path}`,
      `GET ${path} bytes=60000-`,
      `GET ${path} bytes=120000-`,
    ]);
    expect(digestOf(readFileSync(cached()))).toBe(sha256);
  });

  it('go on in a later run', async () => {
    mirror.files.set(path, cutAfter(tarball, 30_000));
    await expect(fetch()).rejects.toMatchObject({ code: 'unreachable' });
    expect(readFileSync(`${cached()}.part`)).toHaveLength(90_000);
    mirror.files.set(path, tarball);
    expect(await fetch()).toMatchObject({ sha256 });
    expect(mirror.requests.at(-1)).toBe(`GET ${path} bytes=90000-`);
  });

  it.each([
    ['of other bytes', Buffer.alloc(1000, 1)],
    ['longer than the file', Buffer.alloc(tarball.length + 5, 1)],
    ['as long as the file', Buffer.alloc(tarball.length, 1)],
  ])('start anew when what was left is %s', async (_, left) => {
    mkdirSync(`${place.options.cacheDir}/releases/v${version}`, { recursive: true });
    writeFileSync(`${cached()}.part`, left);
    expect(await fetch()).toMatchObject({ sha256 });
    expect(digestOf(readFileSync(cached()))).toBe(sha256);
  });

  it('start anew when the server ignores ranges', async () => {
    mirror.files.set(path, (_, response) => void response.end(tarball));
    mkdirSync(`${place.options.cacheDir}/releases/v${version}`, { recursive: true });
    writeFileSync(`${cached()}.part`, tarball.subarray(0, 500));
    expect(await fetch()).toMatchObject({ sha256 });
  });

  it('end at once when aborted, and leave what arrived', async () => {
    const abort = new AbortController();
    mirror.files.set(path, (_, response) => {
      response.writeHead(200, { 'content-length': tarball.length });
      response.write(tarball.subarray(0, 40_000), () => setTimeout(() => abort.abort(new Error('enough')), 50));
    });
    await expect(fetchBinary(place.desired, 'amd64', { ...place.options, signal: abort.signal })).rejects.toThrow();
    expect(readFileSync(`${cached()}.part`)).toHaveLength(40_000);
    expect(readdirSync(`${place.options.cacheDir}/releases/v${version}`)).toHaveLength(1);
  });
});

describe('addresses', () => {
  it('follow redirects, and give up on a circle', async () => {
    mirror.files.set('/elsewhere', tarball);
    mirror.files.set(path, (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end());
    expect(await fetch()).toMatchObject({ sha256 });
    place.remove();
    mirror.files.set('/elsewhere', (_, response) => void response.writeHead(302, { location: path }).end());
    await expect(fetch({ checksums: { amd64: sha256 } })).rejects.toMatchObject({
      message: expect.stringContaining('redirects'),
    });
  });

  it('go through the proxy of the environment, unless excepted', async () => {
    const proxy = await startMirror();
    proxy.files.set(`http://release.invalid/v${version}/SHA256SUMS`, `${sha256}  ${name}\n`);
    proxy.files.set(`http://release.invalid/v${version}/${name}`, tarball);
    const binaries = { kind: 'mirror', url: 'http://release.invalid', via: 'operator' } as const;
    const environment = { HTTP_PROXY: proxy.url };
    const fetched = fetchBinary({ ...place.desired, binaries }, 'amd64', { ...place.options, environment });
    expect(await fetched.finally(() => proxy.close())).toMatchObject({ sha256 });
    place.remove();
    const excepted = { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' };
    expect(await fetchBinary(place.desired, 'amd64', { ...place.options, environment: excepted })).toMatchObject({
      sha256,
    });
  });
});

describe('side by side', () => {
  it('fetches once for many', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => fetch()));
    expect(new Set(all.map((each) => each.path)).size).toBe(1);
    expect(mirror.requests.filter((each) => each === `GET ${path}`)).toHaveLength(1);
  });

  it('loses no entry of the lock file', async () => {
    const versions = Array.from({ length: 8 }, (_, index) => `3.6.${index + 4}`);
    const add = (each: string) =>
      addToReleaseLock(place.desired.lockFile, { version: each, architecture: 'arm64', sha256 }, place.options.signal);
    await Promise.all(versions.map(add));
    expect(Object.keys(parseReleaseLock(lockText(), '')).sort()).toEqual(versions.sort());
    expect(lockText().indexOf('3.6.9')).toBeLessThan(lockText().indexOf('3.6.11'));
  });
});

describe('the lock file', () => {
  it.each([
    '',
    'versions: {3.6.16: {amd64: abc}}',
    'versions: []',
    'other: {}\nversions: {}',
    'versions: {v3: {}}',
    '{',
  ])('is refused when it is not one: %j', (text) => expect(() => parseReleaseLock(text, 'x.yml')).toThrow('x.yml'));
});

describe('releases of a run', () => {
  it('tell what is known, push what was fetched, and give hosts a script only when they fetch by themselves', async () => {
    const releases = await openReleases(place.desired, place.options);
    const name = { version: place.desired.version, architecture: 'amd64' };
    expect(releases.checksums()).toEqual({});
    expect(await releases.downloadScript(name, '/x')).toBeUndefined();
    const release = await releases.fetch(name, place.options.signal);
    expect(digestOf(await release.read())).toBe(sha256);
    expect(releases.checksums()).toEqual({ amd64: sha256 });

    const hosts = { ...place.desired, binaries: { kind: 'mirror', url: mirror.url, via: 'host' } as const };
    const script = await (await openReleases(hosts, place.options)).downloadScript(name, '/x y');
    expect(script).toContain(`${mirror.url}${path}`);
    expect(script).toContain(sha256);
    expect(await requireChecksum(hosts, 'amd64', place.options)).toBe(sha256);
  });

  it('are read once for all hosts, and refused where the file has changed since it was checked', async () => {
    const releases = await openReleases(place.desired, place.options);
    const name = { version: place.desired.version, architecture: 'amd64' };
    const before = await releases.fetch(name, place.options.signal);
    const content = await before.read();
    const after = await releases.fetch(name, place.options.signal);
    writeFileSync(cached(), 'another');
    expect(await before.read()).toBe(content);
    await expect(after.read()).rejects.toMatchObject({
      code: 'refused',
      message: `${cached()}: is no longer the file whose sha256 was checked`,
    });
  });

  it('keep their cache where XDG says', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/c' }, '/home/x')).toBe('/c/quorate');
    expect(cacheDirectory({ XDG_CACHE_HOME: 'c' }, '/home/x')).toBe('/home/x/.cache/quorate');
  });
});
