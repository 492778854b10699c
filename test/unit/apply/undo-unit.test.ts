/** What takes a member back to what it was before its turn. */
import { expect, it } from 'vitest';
import type { HostStep } from '../../../src/apply/run.ts';
import { undoSteps } from '../../../src/apply/undo.ts';
import type { FileFact, HostFacts } from '../../../src/domain/facts.ts';
import { unitFile } from '../../../src/domain/layout.ts';
import { freshHost } from '../../fakes/facts.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const unit = unitFile(cluster);
const { binDir } = cluster.paths;
const file: FileFact = { kind: 'file', mode: '0640', owner: 'root', group: 'etcd', sha256: '' };
const own = { host: 'etcd-1', why: 'test' };

function hostWith(version: string, text: string, invocationId: string): HostFacts {
  const host = freshHost('etcd-1');
  const run = {
    invocationId,
    configSha256: 'c',
    caSha256: 'a',
    peerCaSha256: 'p',
    binarySha256: version,
    unitSha256: '',
  };
  const link: FileFact = { kind: 'link', target: `/lib/${version}/etcd` };
  return {
    ...host,
    run,
    unit: { ...host.unit, activeState: 'active', invocationId },
    files: { [unit]: file, [`${binDir}/etcd`]: link },
    texts: { [unit]: text },
  };
}

const turn: readonly HostStep[] = [
  { ...own, id: 'f', kind: 'file.put', path: unit, mode: '0644', owner: 'root', group: 'root', content: 'new' },
  { ...own, id: 'l', kind: 'binary.link', directory: '/lib/2', binDir, names: ['etcd'] },
  {
    ...own,
    id: 'r',
    kind: 'unit.restart',
    unit: cluster.unit,
    wish: { unitSha256: 'n' },
    binary: '/lib/2/etcd',
    ends: '',
    outage: false,
  },
];

it('puts the unit back with its text and mode, the links to the binary that ran, and restarts once, last', () => {
  const back = undoSteps(turn, { before: hostWith('1', 'old', 'first'), now: hostWith('2', 'new', 'second') });
  expect(back).toMatchObject([
    { id: 'l:back', kind: 'binary.link', directory: '/lib/1' },
    { id: 'f:back', kind: 'file.put', path: unit, content: 'old', mode: '0640', group: 'etcd' },
    { id: 'r:back', kind: 'unit.restart', ends: 'second' },
  ]);
});

it('wants of the restart what the start record told, and nothing of what it did not tell', () => {
  const back = undoSteps(turn, { before: hostWith('1', 'old', 'first'), now: hostWith('2', 'new', 'second') });
  const last = back.at(-1);
  expect(last?.kind === 'unit.restart' && last.wish).toEqual({
    ...{ configSha256: 'c', caSha256: 'a', peerCaSha256: 'p', binarySha256: '1' },
  });
  expect(last).not.toHaveProperty('binary');
});

it('restarts nobody whose process is still the one from before', () => {
  const back = undoSteps(turn, { before: hostWith('1', 'old', 'first'), now: hostWith('2', 'new', 'first') });
  expect(back.map((each) => each.kind)).toEqual(['binary.link', 'file.put']);
});

it('removes a unit that was not there: that of the member before quorate would stay hidden behind it', () => {
  const before = hostWith('1', '', 'first');
  const { [unit]: _, ...files } = before.files;
  const bare: HostFacts = { ...before, files, texts: {} };
  const back = undoSteps(turn, { before: bare, now: hostWith('2', 'new', 'second') });
  expect(back.map((each) => each.id)).toEqual(['l:back', 'f:back', 'r:back']);
  expect(back[1]).toMatchObject({ kind: 'file.remove', path: unit });
  expect(undoSteps(turn, { before: bare, now: { ...bare, unit: before.unit } })).toEqual([]);
});
