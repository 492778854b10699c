import { describe, expect, it } from 'vitest';
import { configFile, unitFile } from '../../../src/domain/layout.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planReset } from '../../../src/plan/reset.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');

function stepsOf(model: Model, deleteData = false): readonly string[] {
  return planReset(model.view(), { deleteData, lostStore: undefined }).stages.flatMap((each) =>
    each.steps.map((step) => step.id),
  );
}

/** A host with an etcd that somebody installed by hand and stopped: its data does not lie where ours would. */
function withForeignEtcd(): Model {
  const model = createModel(cluster);
  const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', sha256: '' } as const;
  const directory = { kind: 'directory', mode: '0700', owner: 'etcd', group: 'etcd' } as const;
  model.edit('etcd-1', (host) => ({
    ...host,
    unit: { ...host.unit, loadState: 'loaded', activeState: 'activating', fileState: 'enabled' },
    data: { dataDir: directory, wal: false, entries: ['default'] },
    files: {
      [unitFile(cluster)]: file,
      [configFile(cluster)]: file,
      '/usr/local/bin/etcd': file,
      '/usr/local/bin/etcdctl': { kind: 'link', target: '/opt/etcd/etcdctl' },
      [cluster.paths.dataDir]: directory,
    },
    texts: {
      [unitFile(cluster)]: '[Service]\nExecStart=/usr/local/bin/etcd\n',
      [configFile(cluster)]: 'name: theirs\n',
    },
  }));
  return model;
}

describe('reset of a host without a note of quorate', () => {
  it.each([false, true])(
    'touches nothing of an etcd that somebody else put there (--delete-data: %s)',
    (deleteData) => {
      expect(stepsOf(withForeignEtcd(), deleteData)).toEqual([]);
    },
  );

  it('removes what a bootstrap left that ended before its first note, and nothing else', async () => {
    const model = createModel(cluster);
    const plan = planBootstrap(model.view());
    const { error } = await runOn(model, plan, {
      fault: (step) => (step.kind === 'record.attempt' ? 'fail' : undefined),
    });
    expect(error).toBeDefined();
    expect(model.host('etcd-1').records.attempt).toBeUndefined();
    expect(stepsOf(model)).toEqual(cluster.controllers.map(({ name }) => `remove/${name}/path.remove`));
    expect(
      (await runOn(model, planReset(model.view(), { deleteData: false, lostStore: undefined }))).error,
    ).toBeUndefined();
    expect(stepsOf(model)).toEqual([]);
    const left = Object.entries(model.host('etcd-1').files).filter(([, fact]) => fact.kind !== 'directory');
    expect(left).toEqual([]);
  });
});

describe('reset of a host with a note', () => {
  it('takes away everything, data included', async () => {
    const model = createModel(cluster);
    await runOn(model, planBootstrap(model.view()));
    expect(stepsOf(model).filter((id) => id.includes('etcd-1'))).toEqual([
      'stop/etcd-1/unit.stop',
      'stop/etcd-1/unit.disable',
      'remove/etcd-1/data.aside:/var/lib/etcd',
      'remove/etcd-1/path.remove',
    ]);
  });
});

describe('reset of a member whose data dir is a symbolic link', () => {
  it('is refused: nobody said what lies behind it', async () => {
    const model = createModel(cluster);
    await runOn(model, planBootstrap(model.view()));
    const link = { kind: 'link', target: '/mnt/big/etcd' } as const;
    model.edit('etcd-2', (host) => ({ ...host, files: { ...host.files, [cluster.paths.dataDir]: link } }));
    expect(() => stepsOf(model)).toThrow('etcd-2: /var/lib/etcd is a symbolic link to /mnt/big/etcd');
  });
});
