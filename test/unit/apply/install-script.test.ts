/** Releases that arrive whole, cut, or as something else; in every shell that hosts have. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { downloadTarget, installArriving, installDownload } from '../../../src/apply/install-script.ts';
import { quote } from '../../../src/domain/shell-quote.ts';
import { run, shells, temporaryFolder } from './shell.ts';

const names = ['etcd', 'etcdctl', 'etcdutl'];

/** Of several records, and with more behind the end of the archive than a pipe holds: tar alone would not read that. */
function tarball(folder: string): Buffer {
  const top = join(folder, 'source', 'etcd-v3.6.16-linux-amd64');
  mkdirSync(top, { recursive: true });
  for (const name of names) writeFileSync(join(top, name), `${name} `.repeat(300_000), { mode: 0o777 });
  writeFileSync(join(top, 'README.md'), 'read me');
  return execFileSync('tar', ['-C', join(folder, 'source'), '-b', '2048', '-czf', '-', 'etcd-v3.6.16-linux-amd64']);
}

function place() {
  const folder = temporaryFolder();
  const stage = join(folder, 'stage');
  mkdirSync(stage);
  const release = { directory: join(folder, "lib etcd's", '3.6.16'), names };
  const begin = `set -eu\numask 022\nstage=${quote(stage)}\n`;
  return { folder, release, begin, content: tarball(folder) };
}

const helpers = ['/usr/lib/apt/apt-helper', '/nowhere/apt-helper'].filter((each, at) => at > 0 || existsSync(each));
const ways = shells.flatMap((shell) => helpers.map((helper) => ({ shell, helper })));

describe.each(ways)('a release, unpacked in $shell with $helper', ({ shell, helper }) => {
  const arrive = async (input: Buffer, { begin, release, content }: ReturnType<typeof place>) =>
    run(shell, begin + installArriving(release, { sizeBytes: content.length, helper }), {
      input: Readable.from([input]),
    });

  it('as it arrives: every file, for all to read and nobody else to write, and the digest of etcd beside them', async () => {
    const at = place();
    expect(await arrive(at.content, at)).toEqual({ status: 0, stdout: '', stderr: '' });
    const { directory } = at.release;
    for (const name of names) {
      expect(readFileSync(join(directory, name), 'utf8')).toBe(`${name} `.repeat(300_000));
      expect((statSync(join(directory, name)).mode & 0o777).toString(8)).toBe('755');
    }
    expect(readFileSync(join(directory, '.digests'), 'utf8')).toMatch(/^[0-9a-f]{64}\|.*\/3\.6\.16\/etcd\n$/);
    expect(readdirSync(join(at.folder, "lib etcd's"))).toEqual(['3.6.16']);
  });

  it.each([
    ['cut in the middle', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ['cut before its last octet', (whole: Buffer) => whole.subarray(0, -1)],
    ['with a changed checksum', (whole: Buffer) => Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8, 1)])],
    ['of nothing', () => Buffer.of()],
    ['of something else', () => Buffer.from('<html>not found</html>')],
    ['of something else that is as long', (whole: Buffer) => Buffer.alloc(whole.length, 'x')],
  ])('never gets its name when it comes %s', async (_, change) => {
    const at = place();
    const { status, stderr } = await arrive(change(at.content), at);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(helper.startsWith('/nowhere') ? /gzip: stdin: / : /gzread: |did not arrive whole|tar: /);
    expect(existsSync(at.release.directory)).toBe(false);
    expect(await arrive(at.content, { ...at, begin: `${at.begin}rm -f "$stage"/*\n` })).toMatchObject({ status: 0 });
  });

  it('that the host has fetched, and leaves nothing of the download', async () => {
    const at = place();
    const source = join(at.folder, 'release.tar.gz');
    writeFileSync(source, at.content);
    const fetch = `cp ${quote(source)} ${quote(downloadTarget(at.release))}`;
    expect(await run(shell, at.begin + installDownload(at.release, fetch))).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(at.release.directory).sort()).toEqual(['.digests', 'README.md', ...names]);
    expect(readdirSync(join(at.folder, "lib etcd's"))).toEqual(['3.6.16']);
  });
});
