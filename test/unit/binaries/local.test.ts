/** Binaries that lie with the operator: tarballs and folders. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchBinary } from '../../../src/binaries/fetch.ts';
import { parseReleaseLock } from '../../../src/binaries/lock-file.ts';
import { storedGzip } from '../../../src/binaries/tar-stream.ts';
import { requireArchitecture } from '../../../src/domain/architecture.ts';
import { digestOf, name, prepare, sha256, tarball, version } from './mirror.ts';

let place: ReturnType<typeof prepare>;
beforeEach(() => {
  place = prepare('');
});
afterEach(() => place.remove());

const fetch = (path: string, changes = {}) =>
  fetchBinary({ ...place.desired, binaries: { kind: 'file', path }, ...changes }, 'amd64', place.options);

describe('a tarball', () => {
  const put = () => {
    const path = `${place.folder}/${name}`;
    writeFileSync(path, tarball);
    return path;
  };

  it('is used where it lies, and kept to afterwards', async () => {
    const path = put();
    expect(await fetch(path)).toEqual({ path, sha256, sizeBytes: tarball.length });
    writeFileSync(path, 'other');
    await expect(fetch(path)).rejects.toMatchObject({ code: 'refused' });
  });

  it('is checked against the inventory, and against a SHA256SUMS beside it', async () => {
    const path = put();
    await expect(fetch(path, { checksums: { amd64: digestOf('x') } })).rejects.toMatchObject({ code: 'refused' });
    writeFileSync(`${place.folder}/SHA256SUMS`, `${digestOf('y')}  ${name}\n`);
    await expect(fetch(path)).rejects.toMatchObject({ message: expect.stringContaining('SHA256SUMS says') });
  });

  it('is refused before it is read where no release is that large', async () => {
    const path = put();
    truncateSync(path, 512 * 2 ** 20 + 1);
    await expect(fetch(path)).rejects.toMatchObject({
      code: 'refused',
      message: `${path}: is larger than 536870912 bytes, which no release of etcd is`,
    });
  });

  it('must exist', async () => {
    await expect(fetch(`${place.folder}/none`)).rejects.toMatchObject({ code: 'inventory' });
  });
});

describe('a folder', () => {
  const elf = (machine: number, size: number) => {
    const binary = Buffer.alloc(size, 7);
    Buffer.from('7f454c4602010100', 'hex').copy(binary);
    binary.writeUInt16LE(machine, 18);
    return binary;
  };
  const put = (names = ['etcd', 'etcdctl', 'etcdutl'], machine = 62) => {
    const path = `${place.folder}/bin`;
    mkdirSync(path, { recursive: true });
    names.forEach((each, index) => {
      writeFileSync(`${path}/${each}`, elf(machine, 70_000 * index + 513));
    });
    writeFileSync(`${path}/README`, 'not packed');
    return path;
  };

  it('is packed in the layout of releases, to the same octets whatever times and modes', async () => {
    const path = put();
    const first = await fetch(path);
    expect(parseReleaseLock(readFileSync(place.desired.lockFile, 'utf8'), '')).toEqual({
      [version]: { amd64: first.sha256 },
    });
    const listing = execFileSync('tar', ['-tvzf', first.path], {
      encoding: 'utf8',
      env: { TZ: 'UTC', PATH: process.env['PATH'] },
    });
    expect(
      listing
        .trim()
        .split('\n')
        .map((line) => line.replaceAll(/ +/g, ' ')),
    ).toEqual([
      `-rwxr-xr-x root/root 513 1970-01-01 00:00 etcd-v${version}-linux-amd64/etcd`,
      `-rwxr-xr-x root/root 70513 1970-01-01 00:00 etcd-v${version}-linux-amd64/etcdctl`,
      `-rwxr-xr-x root/root 140513 1970-01-01 00:00 etcd-v${version}-linux-amd64/etcdutl`,
    ]);
    execFileSync('tar', ['-xzf', first.path, '-C', place.folder, '--strip-components=1']);
    expect(readFileSync(`${place.folder}/etcdutl`).equals(readFileSync(`${path}/etcdutl`))).toBe(true);
    chmodSync(`${path}/etcd`, 0o600);
    utimesSync(`${path}/etcd`, 1, 1);
    expect(await fetch(path)).toEqual(first);
  });

  it('is refused when its content changed since the first use', async () => {
    const path = put();
    await fetch(path);
    writeFileSync(`${path}/etcd`, elf(62, 600));
    await expect(fetch(path)).rejects.toMatchObject({ code: 'refused' });
  });

  it('must hold every binary of the version, for the architecture', async () => {
    await expect(fetch(put(['etcd', 'etcdctl']))).rejects.toMatchObject({
      message: expect.stringContaining('etcdutl'),
    });
    await expect(fetch(put(undefined, 183))).rejects.toMatchObject({ message: expect.stringContaining('linux-amd64') });
    expect(await fetch(put(['etcd', 'etcdctl']), { version: '3.4.45' })).toMatchObject({
      sizeBytes: expect.any(Number),
    });
  });

  it('becomes gzip that every size survives', async () => {
    for (const size of [0, 1, 65_534, 65_535, 65_536, 200_000]) {
      const content = Buffer.alloc(size, 3);
      const chunks: Uint8Array[] = [];
      const source = (async function* () {
        for (let at = 0; at < size; at += 10_001) yield content.subarray(at, at + 10_001);
      })();
      for await (const chunk of storedGzip(source)) chunks.push(chunk);
      expect(gunzipSync(Buffer.concat(chunks)).equals(content)).toBe(true);
    }
  });
});

describe('architectures', () => {
  it('are those that etcd is released for', () => {
    const known = ['x86_64', 'aarch64', 'ppc64le', 's390x'].map((each) => requireArchitecture(each, 'h'));
    expect(known).toEqual(['amd64', 'arm64', 'ppc64le', 's390x']);
    for (const machine of ['armv7l', 'i686', 'riscv64', '', 'constructor']) {
      expect(() => requireArchitecture(machine, 'etcd-1')).toThrow('etcd-1: etcd is not released for');
    }
  });
});
