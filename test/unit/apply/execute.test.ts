import { afterEach, describe, expect, it, vi } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { isEmpty, type Plan, type Stage } from '../../../src/domain/plan.ts';
import type { RunEvent } from '../../../src/domain/run-event.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planReset } from '../../../src/plan/reset.ts';
import { type RunOptions, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');

function stagesOf(plan: Plan): readonly string[] {
  return plan.stages.map((each) => each.id);
}

function refusalOf(error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  throw error ?? new Error('nothing was refused');
}

/** A model on which bootstrap has run up to and with the stage. */
async function bootstrappedTo(stage: string): Promise<Model> {
  const model = createModel(cluster);
  const plan = planBootstrap(model.view());
  const end = stagesOf(plan).indexOf(stage) + 1;
  if (end === 0) throw new Error(`no stage ${stage} in ${stagesOf(plan).join(', ')}`);
  const { error } = await runOn(model, { ...plan, stages: plan.stages.slice(0, end) });
  expect(error).toBeUndefined();
  return model;
}

async function bootstrapOn(model: Model, options: RunOptions = {}) {
  const plan = planBootstrap(model.view());
  return { plan, ...(await runOn(model, plan, options)) };
}

function oneLess(stage: Stage, host: string): Stage {
  return { ...stage, steps: stage.steps.filter((each) => each.host !== host) };
}

describe('a run', () => {
  it('forms a cluster from nothing, after which planning finds nothing', async () => {
    const model = createModel(cluster);
    const { plan, error, done } = await bootstrapOn(model);
    expect(error).toBeUndefined();
    const ids = plan.stages.flatMap((each) => each.steps).filter((step) => step.kind !== 'cert.issue');
    expect([...done].sort()).toEqual(ids.map((step) => step.id).sort());
    expect(isEmpty(planBootstrap(model.view()))).toBe(true);
    expect(model.newStarts.map((each) => each.host)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('sends each host one script a stage, with the lock’s token and the probe in it', async () => {
    const { scripts } = await bootstrapOn(createModel(cluster));
    const sent = scripts.map((each) => `${each.stage} ${each.host}`);
    expect(new Set(sent).size).toBe(sent.length);
    expect(sent).toHaveLength(4 * 3);
    for (const { host, script } of scripts) {
      expect(script).toContain('!= lock-token ]');
      expect(script.trimEnd().endsWith(`: probe of ${host}`)).toBe(true);
    }
  });

  it('says of which hosts the last stage has shown the end', async () => {
    const model = createModel(cluster);
    const plan = planBootstrap(model.view());
    const last = plan.stages.length - 1;
    expect(plan.stages.at(-1)?.mode).toBe('parallel');
    const before = await runOn(model, { ...plan, stages: plan.stages.slice(0, last) });
    expect(before.latest).toEqual([]);
    const own = { ...plan, stages: plan.stages.slice(last).map((each) => oneLess(each, 'etcd-1')) };
    expect((await runOn(model, own)).latest).toEqual(['etcd-2', 'etcd-3']);
    expect((await bootstrapOn(createModel(cluster))).latest).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('tells what happens in order: stage, step by step, stage', async () => {
    const model = await bootstrappedTo('configure');
    const { events } = await bootstrapOn(model);
    const told = events.map(({ type, ...event }) =>
      'host' in event ? `${type} ${event.host}` : `${type} ${'stage' in event ? event.stage : ''}`,
    );
    expect(told.slice(0, 2)).toEqual(['stage-start start', 'step-start etcd-1']);
    expect(told.filter((each) => each.startsWith('stage-'))).toEqual([
      'stage-start start',
      'stage-done start',
      'stage-start prove',
      'stage-done prove',
      'stage-start mark',
      'stage-done mark',
    ]);
    const ofOne = events.filter(
      (each): each is Extract<RunEvent, { host: string }> => 'host' in each && each.host === 'etcd-2',
    );
    expect(ofOne.map((each) => each.type)).toEqual([
      ...['step-start', 'step-done', 'step-start', 'step-done'],
      ...['step-start', 'step-done'],
    ]);
  });

  it('skips what is no longer needed, says why, and sends nothing for it', async () => {
    const model = createModel(cluster);
    const plan = planBootstrap(model.view());
    model.edit('etcd-2', (host) => ({ ...host, user: { exists: true, group: 'etcd', shell: '/bin/false' } }));
    const { events, done, error } = await runOn(model, plan);
    expect(error).toBeUndefined();
    expect(done).not.toContain('prepare/etcd-2/user.ensure');
    expect(done).toContain('prepare/etcd-1/user.ensure');
    const skipped = events.flatMap((each) => (each.type === 'step-skipped' ? [`${each.host}: ${each.reason}`] : []));
    expect(skipped).toEqual(['etcd-2: user etcd exists']);
  });

  it('does not even connect to a host that needs nothing any more', async () => {
    const model = await bootstrappedTo('configure');
    const plan = planBootstrap(model.view());
    model.edit('etcd-3', (host) => ({ ...host, unit: { ...host.unit, activeState: 'active', fileState: 'enabled' } }));
    const { scripts } = await runOn(model, plan);
    expect(scripts.filter((each) => each.stage === 'start').map((each) => each.host)).toEqual(['etcd-1', 'etcd-2']);
  });
});

describe('the guard in a run', () => {
  it('stops a stage before anything of it has run on any host', async () => {
    const model = await bootstrappedTo('configure');
    const plan = planBootstrap(model.view());
    model.edit('etcd-3', (host) => ({
      ...host,
      data: { ...host.data, wal: true },
      records: { ...host.records, starting: host.records.attempt },
    }));
    const result = await runOn(model, plan);
    expect(refusalOf(result.error).code).toBe('refused');
    expect(result.error).toMatchObject({ message: expect.stringContaining('etcd-3: would be started as new') });
    expect(result.scripts).toEqual([]);
    expect(model.newStarts).toEqual([]);
  });

  it('refuses a start once two of three hosts were wiped since the plan was made', async () => {
    const model = await bootstrappedTo('start');
    model.wipe('etcd-2', 'data');
    model.wipe('etcd-3', 'data');
    expect(() => planBootstrap(model.view())).toThrow('etcd-2, etcd-3: were started before');
    const old = planBootstrap((await bootstrappedTo('configure')).view());
    const result = await runOn(model, { ...old, stages: old.stages.filter((each) => each.id === 'start') });
    expect(refusalOf(result.error).message).toContain('were started before and have no data now');
    expect(result.scripts).toEqual([]);
  });

  it('refuses to stop the etcd of a distribution that makes the quorum', async () => {
    const model = await bootstrappedTo('mark');
    for (const name of ['etcd-1', 'etcd-2']) {
      model.edit(name, (host) => ({ ...host, packages: [{ name: 'etcd-server', version: '3.5.16', held: false }] }));
    }
    model.edit('etcd-3', (host) => ({ ...host, unit: { ...host.unit, activeState: 'failed' } }));
    const hold = { kind: 'package.hold', host: 'etcd-1', packages: ['etcd-server'], unit: 'etcd.service' } as const;
    const step = { ...hold, id: 'prepare/etcd-1/package.hold', why: 'test' };
    const stage = { id: 'prepare', title: 'prepare', mode: 'parallel', steps: [step] } as const;
    const result = await runOn(model, {
      ...planReset(model.view(), { deleteData: false, lostStore: undefined }),
      stages: [stage],
    });
    expect(refusalOf(result.error).message).toBe('stopping etcd-1 would leave 1 of 3 voters healthy, and 2 are needed');
    expect(result.scripts).toEqual([]);
  });
});

describe('a run in which something fails', () => {
  const failing = (...hosts: string[]): RunOptions => ({
    fault: (step) => (step.kind === 'binary.install' && hosts.includes(step.host) ? 'fail' : undefined),
  });

  it('tells every failing host with its step, and goes no further', async () => {
    const model = createModel(cluster);
    const { error, events, done } = await bootstrapOn(model, failing('etcd-1', 'etcd-3'));
    const { code, errors } = refusalOf(error);
    expect(code).toBe('step-failed');
    expect(errors.map((each) => [each.host, each.step])).toEqual([
      ['etcd-1', 'prepare/etcd-1/binary.install'],
      ['etcd-3', 'prepare/etcd-3/binary.install'],
    ]);
    expect(errors[0]?.message).toMatch(/^etcd-1: etcd 3\.6\.16 in .*: first line \| binary\.install went wrong$/);
    expect(errors[0]?.detail).toContain('first line');
    expect(events.filter((each) => each.type === 'step-failed')).toHaveLength(2);
    expect(
      events.some((each) => each.type === 'stage-start' && each.stage !== 'prepare' && each.stage !== 'operator'),
    ).toBe(false);
    expect(done).toContain('prepare/etcd-2/key.make');
    expect(done).not.toContain('prepare/etcd-1/key.make');
  });

  it('goes on from there when it is run again', async () => {
    const model = createModel(cluster);
    await bootstrapOn(model, failing('etcd-1'));
    const again = await bootstrapOn(model);
    expect(again.error).toBeUndefined();
    expect(again.done).not.toContain('prepare/etcd-1/user.ensure');
    expect(again.done).toContain('prepare/etcd-1/binary.install');
    expect(isEmpty(planBootstrap(model.view()))).toBe(true);
  });

  it('tells a connection that was lost', async () => {
    const { error } = await bootstrapOn(createModel(cluster), {
      fault: (step) => (step.id === 'configure/etcd-2/pki.put' ? 'cut' : undefined),
    });
    expect(refusalOf(error)).toMatchObject({ code: 'unreachable', host: 'etcd-2' });
  });

  it('tells a host without a connection, after the others have ended', async () => {
    const { error, done } = await bootstrapOn(createModel(cluster), { unconnected: ['etcd-2'] });
    expect(refusalOf(error)).toMatchObject({ code: 'unreachable', host: 'etcd-2' });
    expect(done).toContain('prepare/etcd-1/key.make');
    expect(done).toContain('prepare/etcd-3/key.make');
  });

  it('tells a step that ended well and had no effect', async () => {
    const { error, events } = await bootstrapOn(createModel(cluster), {
      fault: (step) => (step.kind === 'user.ensure' && step.host === 'etcd-2' ? 'no-effect' : undefined),
    });
    expect(refusalOf(error)).toMatchObject({ code: 'step-failed', host: 'etcd-2' });
    expect(refusalOf(error).message).toContain(
      'etcd-2: system user and group etcd: done, and still there is no user etcd',
    );
    expect(events.some((each) => each.type === 'stage-start' && each.stage === 'configure')).toBe(false);
  });

  it('tells a step of the operator that fails', async () => {
    const { error, done } = await bootstrapOn(createModel(cluster), {
      fault: (step) => (step.kind === 'admin.issue' ? 'fail' : undefined),
    });
    expect(refusalOf(error).message).toBe('admin.issue went wrong');
    expect(done).toContain('prepare/operator/authority.make');
    expect(done).toContain('prepare/etcd-3/key.make');
    expect(done.some((each) => each.startsWith('issue/'))).toBe(false);
  });
});

describe('the heading of a stage that failed', () => {
  it.each([
    ['on 2 hosts', ['etcd-1', 'etcd-3'], false],
    ['with the operator and on 1 host', ['etcd-1'], true],
    ['with the operator and on 2 hosts', ['etcd-1', 'etcd-3'], true],
  ])('says that it failed %s', async (where, hosts, operator) => {
    const { error } = await bootstrapOn(createModel(cluster), {
      fault: (step) =>
        (step.kind === 'binary.install' && hosts.includes(step.host)) || (operator && step.kind === 'admin.issue')
          ? 'fail'
          : undefined,
    });
    expect(refusalOf(error).message).toMatch(new RegExp(` failed ${where}$`));
  });
});

describe('a run that is interrupted', () => {
  it('stops between stages, says before which, and leaves the stage that ran whole', async () => {
    const model = createModel(cluster);
    let asked = false;
    const result = await bootstrapOn(model, {
      fault: (step) => {
        if (step.id === 'prepare/etcd-1/user.ensure') asked = true;
        return undefined;
      },
      stopRequested: () => asked,
    });
    expect(refusalOf(result.error)).toMatchObject({
      code: 'interrupted',
      message: 'stopped before "issue certificates", as asked',
    });
    expect(result.done).toContain('prepare/etcd-3/key.make');
    expect((await bootstrapOn(model)).error).toBeUndefined();
  });
});

describe('a run that is interrupted while it waits', () => {
  it('ends the waiting at once, and goes on when it is run again', async () => {
    const model = await bootstrappedTo('start');
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(), 20);
    const { error } = await bootstrapOn(model, {
      stopping: stopping.signal,
      hangs: (step) => step.kind === 'cluster.await',
    });
    expect(refusalOf(error)).toMatchObject({
      code: 'interrupted',
      message: 'stopped before the end of "wait until all 3 members are healthy", as asked',
    });
    expect((await bootstrapOn(model)).error).toBeUndefined();
  });

  it('is not ended in a step that changes something', async () => {
    const stopping = new AbortController();
    const { error, done } = await bootstrapOn(createModel(cluster), {
      stopping: stopping.signal,
      fault: (step) => {
        if (step.kind === 'authority.make') stopping.abort();
        return undefined;
      },
    });
    expect(refusalOf(error).code).toBe('interrupted');
    expect(done).toContain('prepare/operator/authority.make');
    expect(done.some((each) => each.startsWith('issue/'))).toBe(false);
  });
});

describe('a failpoint', () => {
  afterEach(() => vi.restoreAllMocks());

  function watchKill(): { readonly killed: () => number } {
    const spy = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw new Error('killed');
    });
    return { killed: () => spy.mock.calls.length };
  }

  it('kills the process right after its step, whose host went no further', async () => {
    const watch = watchKill();
    const model = createModel(cluster);
    const result = await bootstrapOn(model, { failpoint: 'prepare/etcd-2/user.ensure' });
    expect(result.error).toMatchObject({ message: 'killed' });
    expect(watch.killed()).toBe(1);
    expect(result.done.filter((each) => each.startsWith('prepare/etcd-2/'))).toEqual(['prepare/etcd-2/user.ensure']);
    expect(result.events.some((each) => each.type === 'stage-done' && each.stage === 'prepare')).toBe(false);
  });

  it.each(['operator', 'prepare', 'issue', 'configure', 'start', 'prove', 'mark'])(
    'kills the process at the end of stage %s, from where a run goes on',
    async (stage) => {
      const watch = watchKill();
      const model = createModel(cluster);
      const result = await bootstrapOn(model, { failpoint: `stage:${stage}` });
      expect(watch.killed()).toBe(1);
      expect(result.events.at(-1)).toMatchObject({ type: 'stage-done', stage });
      expect((await bootstrapOn(model)).error).toBeUndefined();
      expect(isEmpty(planBootstrap(model.view()))).toBe(true);
    },
  );

  it('that does not exist does nothing', async () => {
    const watch = watchKill();
    expect((await bootstrapOn(createModel(cluster), { failpoint: 'stage:nowhere' })).error).toBeUndefined();
    expect(watch.killed()).toBe(0);
  });
});

describe('a run that loses its lock', () => {
  const lost = new QuorateError('locked', 'etcd-1: this run holds its lock no more');

  it.each(['release.fetch', 'cert.issue', 'cluster.prove'])('does not begin %s with the operator', async (kind) => {
    const model = createModel(cluster);
    const plan = planBootstrap(model.view());
    const ids = plan.stages.flatMap((each) => each.steps.map((step) => step.id));
    const first = plan.stages.flatMap((each) => each.steps).find((step) => step.kind === kind);
    if (first === undefined) throw new Error(`no ${kind} in ${ids.join()}`);
    const before = ids.slice(0, ids.indexOf(first.id)).filter((id) => !id.includes('cert.issue'));
    const { error, done } = await runOn(model, plan, {
      lockLost: (steps) => (before.every((id) => steps.includes(id)) ? lost : undefined),
    });
    expect(error).toBe(lost);
    expect([...done].sort()).toEqual([...before].sort());
  });

  it('begins neither on hosts nor what the operator does beside them', async () => {
    const { error, done } = await bootstrapOn(createModel(cluster), {
      lockLost: (steps) => (steps.includes('operator/operator/release.fetch') ? lost : undefined),
    });
    expect(error).toBe(lost);
    expect(done.every((each) => each.startsWith('operator/'))).toBe(true);
  });
});
