import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JournalLine, JournalWish } from '../../../src/domain/journal.ts';
import { journalScript } from '../../../src/observe/journal-script.ts';
import { mergeEnding, mergeLive } from '../../../src/observe/merge.ts';
import { splitLines } from '../../../src/observe/split-lines.ts';

const everything: JournalWish = { lines: undefined, since: undefined, level: 'debug', also: [], follow: false };

/** A folder with a `journalctl` that notes its arguments and prints `records`, as journald of systemd 232 and of 257 do. */
function fakeJournal(
  records: readonly string[],
  then = '',
): { readonly folder: string; run(wish: JournalWish): string } {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'records'), records.map((each) => `${each}\n`).join(''));
  const program = `#!/bin/sh\n[ "$1" = --help ] && exit\necho "$*" >'${folder}/arguments'\ncat '${folder}/records'\n${then}\n`;
  writeFileSync(join(folder, 'journalctl'), program);
  chmodSync(join(folder, 'journalctl'), 0o755);
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  return {
    folder,
    run: (wish) => execFileSync('sh', ['-c', journalScript('etcd.service', wish)], { env, encoding: 'utf8' }),
  };
}

async function all<T>(source: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const each of source) found.push(each);
  return found;
}

const record = (message: string, space = ''): string =>
  `{"__REALTIME_TIMESTAMP"${space}:${space}"1","MESSAGE"${space}:${space}${JSON.stringify(message)}}`;

describe('the script that reads a journal', () => {
  it.each(['', ' '])('drops what says of itself that it is less, and nothing else (%j between)', (space) => {
    const lines = [
      '{"level":"info","ts":"x","msg":"dropped"}',
      '{"level":"warn","ts":"x","msg":"kept"}',
      '{"level":"info","ts":"x","msg":"raft.node: 1 elected leader 2 at term 3"}',
      '2026-11-21 12:01:39.104723 I | dropped',
      '2026-11-21 12:01:39.104723 W | kept',
      'goroutine 1 [running]:',
      'a text with {"level":"info"} in it',
    ];
    const { run } = fakeJournal(lines.map((each) => record(each, space)));
    const kept = run({ ...everything, level: 'warn', also: ['elected leader'] })
      .trimEnd()
      .split('\n');
    expect(kept.map((each) => JSON.parse(each).MESSAGE)).toEqual([1, 2, 4, 5, 6].map((index) => lines[index]));
    expect(run(everything).trimEnd().split('\n')).toHaveLength(lines.length);
  });

  it('takes the last lines of those that it keeps', () => {
    const { run } = fakeJournal(
      ['warn', 'info', 'warn'].map((level, n) => record(`{"level":"${level}","msg":"${n}"}`)),
    );
    expect(run({ ...everything, level: 'warn', lines: 1 })).toContain('\\"2\\"');
    expect(
      run({ ...everything, level: 'warn', lines: 1 })
        .trimEnd()
        .split('\n'),
    ).toHaveLength(1);
  });

  it.each([
    [{}, '-u etcd.service -o json --all --no-pager -q'],
    [{ lines: 5 }, '-u etcd.service -o json --all --no-pager -q -n 5'],
    [{ since: { agoMs: 90_500 } }, '-u etcd.service -o json --all --no-pager -q --since=-91s'],
    [
      { since: { at: 1_700_000_000_900 }, lines: 7 },
      '-u etcd.service -o json --all --no-pager -q --since=@1700000000 -n 7',
    ],
  ])('asks journald for %j', async (wish, words) => {
    const { folder, run } = fakeJournal([]);
    run({ ...everything, ...wish });
    expect(execFileSync('cat', [join(folder, 'arguments')], { encoding: 'utf8' }).trim()).toBe(words);
  });

  it('ends what it follows when its stdin ends', async () => {
    const { folder } = fakeJournal([record('first')], 'exec sleep 1000');
    const child = spawn('sh', ['-c', journalScript('etcd.service', { ...everything, follow: true })], {
      env: { PATH: `${folder}:/usr/bin:/bin` },
      stdio: 'pipe',
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const text = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
    expect(text).toContain('first');
    child.stdin.end();
    expect(await Promise.race([ended, sleep(5_000, 'still there')])).not.toBe('still there');
  });

  it('ends when journalctl does, whatever its stdin', async () => {
    const { folder } = fakeJournal([], 'exit 7');
    const script = journalScript('etcd.service', { ...everything, follow: true });
    const child = spawn('sh', ['-c', script], { env: { PATH: `${folder}:/usr/bin:/bin` }, stdio: 'pipe' });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(7);
  });
});

describe('lines of a stream', () => {
  async function split(chunks: readonly Buffer[], limit = 1_000): Promise<readonly string[]> {
    const source = (async function* () {
      yield* chunks;
    })();
    return all(splitLines(source, limit));
  }

  it('are the same however the octets are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(40)), async (texts, cuts) => {
        const lines = texts.map((each) => each.replaceAll('\n', ''));
        let rest = Buffer.from(lines.map((each) => `${each}\n`).join(''));
        const chunks = cuts.map((length) => {
          const chunk = rest.subarray(0, length);
          rest = rest.subarray(length);
          return chunk;
        });
        expect(await split([...chunks, rest])).toEqual(lines);
      }),
    );
  });

  it('are left out where they are too long, and those around them are not', async () => {
    const long = 'x'.repeat(60);
    expect(await split([Buffer.from(`a\n${long}`), Buffer.from(`${long}\nb\nc`)], 100)).toEqual(['a', 'b', 'c']);
  });
});

describe('journals of several hosts', () => {
  const line = (host: string, at: number): JournalLine => ({
    host,
    at,
    source: '',
    level: 'info',
    message: '',
    fields: [],
  });
  async function* lines(host: string, times: readonly number[], pauseMs = 0) {
    for (const at of times) {
      if (pauseMs > 0) await sleep(pauseMs);
      yield line(host, at);
    }
  }
  const told = (merged: readonly JournalLine[]) => merged.map(({ host, at }) => `${host}${at}`).join(' ');

  it('are one stream by time', async () => {
    const merged = await all(mergeEnding([lines('a', [1, 4, 5]), lines('b', []), lines('c', [2, 3, 9], 5)]));
    expect(told(merged)).toBe('a1 c2 c3 a4 a5 c9');
  });

  it('are read no further than one line ahead of what is taken', async () => {
    let read = 0;
    async function* endless() {
      for (;;) {
        read += 1;
        yield line('a', read);
      }
    }
    for await (const each of mergeEnding([endless(), lines('b', [1_000])])) if (each.at === 10) break;
    expect(read).toBeLessThan(13);
  });

  it('wait for earlier lines of others while they are followed, and not for a host that is silent', async () => {
    async function* silent() {
      await sleep(1_500);
      yield line('c', 0);
    }
    const merged: JournalLine[] = [];
    const started = performance.now();
    for await (const each of mergeLive([lines('a', [2, 4], 10), lines('b', [1, 3], 30), silent()])) {
      merged.push(each);
      if (merged.length === 4) break;
    }
    expect(told(merged)).toBe('b1 a2 b3 a4');
    expect(performance.now() - started).toBeLessThan(1_400);
  });

  it('hold a bounded number of lines of a host that writes faster than is read', async () => {
    let read = 0;
    async function* flood() {
      for (; read < 100_000; ) {
        read += 1;
        yield line('a', read);
      }
    }
    for await (const each of mergeLive([flood()])) if (each.at === 1) break;
    expect(read).toBeLessThan(5_000);
  });
});
