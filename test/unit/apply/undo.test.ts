import { describe, expect, it } from 'vitest';
import { undoSteps } from '../../../src/apply/undo.ts';
import type { FileFact, HostFacts } from '../../../src/domain/facts.ts';
import { freshHost } from '../../fakes/facts.ts';

const folder = (version: string): string => `/usr/local/lib/etcd/${version}`;
const step = { host: 'etcd-1', why: 'test', binDir: '/usr/local/bin' } as const;
const names = ['etcd', 'etcdctl', 'etcdutl'];

function linked(version: string, programs: readonly string[]): HostFacts {
  const links = programs.map((each): [string, FileFact] => [
    `/usr/local/bin/${each}`,
    { kind: 'link', target: `${folder(version)}/${each}` },
  ]);
  return freshHost('etcd-1', { files: Object.fromEntries(links) });
}

describe('taking links to binaries back', () => {
  const change = { ...step, id: 'x', kind: 'binary.link', directory: folder('3.5.35'), names } as const;

  it('brings back what was linked before', () => {
    const then = { before: linked('3.4.23', names), now: linked('3.5.35', names) };
    expect(undoSteps([change], then)).toMatchObject([{ kind: 'binary.link', directory: folder('3.4.23'), names }]);
  });

  it('leaves a program alone that the minor before did not have', () => {
    const then = { before: linked('3.4.23', ['etcd', 'etcdctl']), now: linked('3.5.35', names) };
    expect(undoSteps([change], then)).toMatchObject([
      { kind: 'binary.link', directory: folder('3.4.23'), names: ['etcd', 'etcdctl'] },
    ]);
  });

  it('does nothing where the links were not changed', () => {
    const then = { before: linked('3.4.23', names), now: linked('3.4.23', names) };
    expect(undoSteps([change], then)).toEqual([]);
  });
});
