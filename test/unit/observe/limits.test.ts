/** What hosts say is read up to a limit, in bytes and in time. */
import { Duplex, PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { QuorateError } from '../../../src/domain/errors.ts';
import { readJournals } from '../../../src/main/journals.ts';
import { fetchMetrics } from '../../../src/observe/metrics.ts';
import type { Connection } from '../../../src/transport/transport.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const unused = () => Promise.reject(new Error('not asked for here'));

it('cuts metrics that do not end, and says so in them', async () => {
  const head = 'HTTP/1.0 200 OK\r\n\r\nprocess_open_fds 7\n';
  const tunnel = async (): Promise<Duplex> => {
    let first = true;
    return new Duplex({
      read() {
        this.push(first ? head : Buffer.alloc(65_536, 'x'.repeat(63).concat('\n')));
        first = false;
      },
      write: (_chunk, _encoding, done) => done(),
    });
  };
  const connection: Connection = { host: 'etcd-1', start: unused, run: unused, tunnel, close: unused };
  const { 'etcd-1': text = '' } = await fetchMetrics(cluster, new Map([['etcd-1', connection]]));
  expect(text.length).toBeLessThan(8.1 * 1_048_576);
  expect(text.startsWith('process_open_fds 7\n')).toBe(true);
  expect(text.trimEnd().split('\n').at(-1)).toBe("# quorate: cut at 8 MiB, which no etcd's metrics reach");
});

it('reads a journal that does not end for so long only, and tells whose it was', async () => {
  const stdout = new PassThrough();
  stdout.write('{"__REALTIME_TIMESTAMP":"1","MESSAGE":"first"}\n');
  const stdin = new PassThrough();
  stdin.resume();
  stdin.on('end', () => stdout.end());
  const stderr = new PassThrough();
  stderr.end();
  const done = new Promise<{ status: number; signal: undefined }>((resolve) => {
    stdout.on('end', () => resolve({ status: 0, signal: undefined }));
  });
  const start = async () => ({ stdin, stdout, stderr, done, close: () => stdout.end() });
  const connection: Connection = { host: 'etcd-2', start, run: unused, tunnel: unused, close: unused };
  const failures: QuorateError[] = [];
  const wish = { lines: undefined, since: undefined, level: 'debug', also: [], follow: false } as const;
  const { signal } = new AbortController();
  const reading = { unit: 'etcd.service', wish, redact: (text: string) => text, signal, timeoutMs: 200 };
  const messages: string[] = [];
  for await (const line of readJournals([connection], { ...reading, onFailure: (error) => failures.push(error) })) {
    messages.push(line.message);
  }
  expect(messages).toEqual(['first']);
  expect(failures.map((each) => each.message)).toEqual(['etcd-2: its journal was not read to its end within 0.2 s']);
});
