import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { runHostStage } from '../../../src/apply/host-stage.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { bounded } from '../../../src/transport/bounded.ts';
import type { Connection } from '../../../src/transport/transport.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

/** A host that prints without end once it is asked for anything. */
function endless(chunk: Buffer): { readonly connection: Connection; readonly closed: () => boolean } {
  let closed = false;
  let end: () => void = () => undefined;
  const done = new Promise<{ status: undefined; signal: undefined }>((resolve) => {
    end = () => resolve({ status: undefined, signal: undefined });
  });
  const stdout = new Readable({ read: () => void stdout.push(closed ? null : chunk) });
  const stdin = new PassThrough();
  stdin.resume();
  const close = (): void => {
    closed = true;
    end();
  };
  const unused = () => Promise.reject(new Error('the fake runs stages only'));
  const process = { stdin, stdout, stderr: Readable.from([]), done, close };
  return {
    connection: { host: 'etcd-1', start: async () => process, run: unused, tunnel: unused, close: unused },
    closed: () => closed,
  };
}

it('is read up to a limit, and its host is told by name', async () => {
  const model = createModel(clusterOf('3.6.16'));
  planBootstrap(model.view());
  const { connection, closed } = endless(Buffer.alloc(1_048_576, 'x'));
  const unused = () => {
    throw new Error('not asked for here');
  };
  const { signal } = new AbortController();
  const operator = {
    perform: unused,
    issue: unused,
    pki: unused,
    release: unused,
    prove: unused,
    downloadScript: unused,
  };
  const ports = {
    cluster: model.cluster,
    connections: {},
    operator,
    probe: () => ({ script: ':', parse: unused }),
    view: unused,
  };
  const rest = { look: unused, moveLeader: unused, requireLock: () => undefined, wait: unused, emit: () => undefined };
  const run = runHostStage({ stage: 'start', connection, steps: [], view: model.view(), issued: {}, token: 'x' }, {
    ...ports,
    ...rest,
    signal,
    stopping: signal,
    now: () => 0,
    failpoint: undefined,
  } as unknown as Parameters<typeof runHostStage>[1]);
  await expect(run).rejects.toThrow('etcd-1: the output of stage "start" is longer than 64 MiB');
  expect(closed()).toBe(true);
});

it('is whole up to the very limit', async () => {
  const octets: Buffer[] = [];
  const bound = { host: 'a', what: 'it', limitBytes: 4 };
  for await (const each of bounded(Readable.from(['ab', 'cd']), bound)) octets.push(each);
  expect(Buffer.concat(octets).toString()).toBe('abcd');
  await expect(bounded(Readable.from(['abcde']), bound).next()).rejects.toThrow('a: it is longer than');
});
