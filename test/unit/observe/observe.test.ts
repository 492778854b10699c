import { describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { observeEndpoints } from '../../../src/observe/endpoints.ts';
import { observeHosts } from '../../../src/observe/probe.ts';
import type { Connection, RemoteScript } from '../../../src/transport/transport.ts';
import { sampleCluster } from './sample-cluster.ts';
import { readyHost } from './sample-facts.ts';
import { recorded } from './sample-probe.ts';

const cluster = sampleCluster();
const empty = recorded('debian-12-empty');
const active = { ...readyHost('etcd-1').unit, activeState: 'active' };

/** A connection that answers scripts in turn, and fails on what it does not know. */
function connectionTo(host: string, answers: readonly (string | QuorateError)[], change: Partial<Connection> = {}) {
  const scripts: RemoteScript[] = [];
  const left = [...answers];
  const connection: Connection = {
    host,
    run: async (script) => {
      scripts.push(script);
      const next = left.shift();
      if (next === undefined) throw new Error(`no answer left for ${host}`);
      if (next instanceof QuorateError) throw next;
      return { status: 0, signal: undefined, stdout: next, stderr: 'words of the shell' };
    },
    start: () => Promise.reject(new Error('not expected')),
    tunnel: () => Promise.reject(new Error('not expected')),
    close: () => Promise.reject(new Error('not expected')),
    ...change,
  };
  return { connection, scripts };
}

describe('observeHosts', () => {
  it('reports every host that fails, and the others all the same', async () => {
    const down = new QuorateError('unreachable', 'etcd-2: connection lost', { host: 'etcd-2' });
    const three = [
      connectionTo('etcd-1', [empty]),
      connectionTo('etcd-2', [down]),
      connectionTo('etcd-3', ['sudo: no', 'sudo: no']),
    ];
    const seen = await observeHosts(
      three.map((each) => each.connection),
      cluster,
      { now: Date.now },
    );
    expect(Object.keys(seen.hosts)).toEqual(['etcd-1']);
    expect(Object.keys(seen.unreachable)).toEqual(['etcd-2', 'etcd-3']);
    expect(seen.failures.map((each) => [each.code, each.host])).toEqual([
      ['unreachable', 'etcd-2'],
      ['step-failed', 'etcd-3'],
    ]);
    expect(seen.failures[1]?.detail).toBe('words of the shell');
  });

  it('looks a second time where a file changed meanwhile, as root, with what the planner asks for', async () => {
    const { connection, scripts } = connectionTo('etcd-1', [empty.slice(0, 500), empty]);
    const texts = () => [`/etc/it's here`];
    const seen = await observeHosts([connection], cluster, { now: Date.now, texts });
    expect(seen.failures).toEqual([]);
    expect(scripts).toHaveLength(2);
    expect(scripts[0]).toMatchObject({ root: true, script: expect.stringContaining(`'/etc/it'\\''s here'`) });
  });

  it('lets a bug through', async () => {
    const { connection } = connectionTo('etcd-1', []);
    await expect(observeHosts([connection], cluster, { now: Date.now })).rejects.toThrow('no answer left');
  });
});

describe('observeEndpoints', () => {
  const credentials = { ca: '' };

  it('asks no host whose unit does not run, and none without credentials', async () => {
    const { connection } = connectionTo('etcd-1', []);
    const stopped = await observeEndpoints([connection], cluster, { 'etcd-1': readyHost('etcd-1') }, { credentials });
    expect(stopped['etcd-1']?.failure).toBe('etcd-1: etcd.service is inactive');
    const hosts = { 'etcd-1': readyHost('etcd-1', { unit: active }) };
    const without = await observeEndpoints([connection], cluster, hosts, { credentials: undefined });
    expect(without['etcd-1']?.failure).toMatch(/^etcd-1: there is no client certificate/);
  });

  it('tells a port that refuses, and one that never answers, in time', async () => {
    const refusing = connectionTo('etcd-1', [], {
      tunnel: () => Promise.reject(new QuorateError('unreachable', 'etcd-1: connect failed: refused')),
    });
    const hanging = connectionTo('etcd-2', [], { tunnel: () => new Promise(() => undefined) });
    const hosts = {
      'etcd-1': readyHost('etcd-1', { unit: active }),
      'etcd-2': readyHost('etcd-2', { unit: active }),
    };
    const both = [refusing.connection, hanging.connection];
    const seen = await observeEndpoints(both, cluster, hosts, { credentials, timeoutMs: 200 });
    expect(seen['etcd-1']?.failure).toBe('etcd-1: connect failed: refused');
    expect(seen['etcd-2']?.failure).toMatch(/^etcd-2: .*within 0.2 s$/);
  });

  it('stops at once when the run is interrupted', async () => {
    const { connection } = connectionTo('etcd-1', [], { tunnel: () => new Promise(() => undefined) });
    const hosts = { 'etcd-1': readyHost('etcd-1', { unit: active }) };
    const signal = AbortSignal.timeout(50);
    const seen = observeEndpoints([connection], cluster, hosts, { credentials, signal });
    await expect(seen).rejects.toMatchObject({ code: 'interrupted' });
  });
});
