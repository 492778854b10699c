/** The script with which a host downloads by itself, run against a mirror on loopback. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostDownloadScript } from '../../../src/binaries/host-download.ts';
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
let target = '';
beforeEach(async () => {
  mirror = await startMirror();
  place = prepare('');
  target = `${place.folder}/it's here.tar.gz`;
});
afterEach(async () => {
  place.remove();
  await mirror.close();
});

function run(urls: readonly string[], expected = sha256, environment: Record<string, string> = {}) {
  const script = `set -eu\n${hostDownloadScript({ urls, sha256: expected, target })}\necho unpacked\n`;
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.folder, ...environment };
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile('/bin/sh', ['-s'], { env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(script);
  });
}

describe.skipIf(spawnSync('curl', ['--version']).status !== 0)('a host that downloads', () => {
  it('leaves the checked tarball, once', async () => {
    expect(await run([`${mirror.url}${path}`])).toMatchObject({ status: 0, stdout: 'unpacked\n' });
    expect(digestOf(readFileSync(target))).toBe(sha256);
    await run([`${mirror.url}${path}`]);
    expect(mirror.requests).toHaveLength(1);
  });

  it('takes the next address where the first has nothing', async () => {
    expect(await run([`${mirror.url}/none`, `${mirror.url}${path}`])).toMatchObject({ status: 0 });
  });

  it('goes on where it was cut', async () => {
    writeFileSync(`${target}.part`, tarball.subarray(0, 70_000));
    expect(await run([`${mirror.url}${path}`])).toMatchObject({ status: 0 });
    expect(mirror.requests).toEqual([`GET ${path} bytes=70000-`]);
    let cuts = 0;
    mirror.files.set('/cut', (request, response) =>
      cuts++ === 0 ? cutAfter(tarball, 50_000)(request, response) : answer(tarball, request, response),
    );
    writeFileSync(target, 'damaged');
    expect(await run([`${mirror.url}/cut`])).toMatchObject({ status: 0 });
    expect(digestOf(readFileSync(target))).toBe(sha256);
  });

  it('starts anew on a part of other bytes', async () => {
    for (const size of [10, tarball.length, tarball.length + 1]) {
      writeFileSync(target, '');
      writeFileSync(`${target}.part`, Buffer.alloc(size, 9));
      expect(await run([`${mirror.url}${path}`])).toMatchObject({ status: 0 });
      expect(digestOf(readFileSync(target))).toBe(sha256);
    }
  });

  it('leaves nothing of other bytes, says so, and stops the stage', async () => {
    const result = await run([`${mirror.url}${path}`], digestOf('x'));
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain(`has sha256 ${sha256}, not ${digestOf('x')}`);
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.part`)).toBe(false);
  });

  it('says that curl is missing', async () => {
    const result = await run([`${mirror.url}${path}`], sha256, { PATH: place.folder });
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('curl is missing') });
  });
});
