/** What is told of a unit that does not come up, by the journal as systemd 252 writes it. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastWordsScript } from '../../../src/apply/unit-log.ts';
import { run, shells, temporaryFolder } from './shell.ts';

const stopped = [
  '{"level":"info","msg":"serving client traffic securely"}',
  'Stopping etcd.service - etcd...',
  '{"level":"warn","msg":"of the process before"}',
  'etcd.service: Deactivated successfully.',
  'Stopped etcd.service - etcd.',
  'Starting etcd.service - etcd...',
];
const ended = [
  'etcd.service: Main process exited, code=exited, status=1/FAILURE',
  "etcd.service: Failed with result 'exit-code'.",
  'Failed to start etcd.service - etcd.',
  'etcd.service: Scheduled restart job, restart counter is at 1.',
  'Stopped etcd.service - etcd.',
  'Starting etcd.service - etcd...',
];

describe.each(shells)('the last words of a unit, in %s', (shell) => {
  async function wordsOf(...lines: readonly string[]): Promise<readonly string[]> {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'journal'), lines.map((each) => `${each}\n`).join(''));
    writeFileSync(join(folder, 'journalctl'), `#!/bin/sh\ncat ${folder}/journal\n`);
    chmodSync(join(folder, 'journalctl'), 0o755);
    const { stdout } = await run(shell, `PATH=${folder}:$PATH\n${lastWordsScript('etcd.service')}`);
    return stdout.split('\n').filter((each) => each !== '');
  }

  it('are what etcd objects to, and how it ended; never those of the process before', async () => {
    const fatal = '{"level":"fatal","msg":"discovery failed"}';
    expect(await wordsOf(...stopped, '{"level":"info","msg":"starting"}', fatal, ...ended)).toEqual([
      fatal,
      ...ended.slice(0, 2),
    ]);
  });

  it('are its own words where no etcd has begun', async () => {
    const broken = 'etcd: error while loading shared libraries: libc.so.6';
    expect(await wordsOf(...stopped, broken, ...ended)).toEqual([broken, ...ended.slice(0, 2)]);
  });

  it('are those before a stop in good order where nothing is said since', async () => {
    expect(await wordsOf(...stopped.slice(0, 4))).toEqual([]);
    expect(await wordsOf('panic: runtime error', 'goroutine 1 [running]:')).toEqual(['panic: runtime error']);
  });
});
