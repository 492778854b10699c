import { afterEach, describe, expect, it, vi } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { Facts } from '../../../src/domain/facts.ts';
import { pkiLink } from '../../../src/domain/layout.ts';
import { type Plan, stage } from '../../../src/domain/plan.ts';
import type { Draft } from '../../../src/domain/step.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { type Fault, LAST_WORDS, type RunOptions, type RunResult, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const names = cluster.controllers.map((each) => each.name);
const link = pkiLink(cluster);

/** A cluster that runs, whose first member leads. */
async function formed(): Promise<Model> {
  const model = createModel(cluster);
  const { error } = await runOn(model, planBootstrap(model.view()));
  expect(error).toBeUndefined();
  for (const name of names) model.edit(name, (host) => ({ ...host, unit: { ...host.unit, invocationId: '1' } }));
  return model;
}

function restart(host: string, outage = false): Draft {
  return { kind: 'unit.restart', host, unit: cluster.unit, wish: {}, ends: '1', outage, why: 'test' };
}

function switchTo(host: string, target: string): Draft {
  return { kind: 'pki.switch', host, link, target, why: 'test' };
}

function planOf(drafts: readonly Draft[], mode: 'rolling' | 'parallel' = 'rolling'): Plan {
  const stages = [stage('roll', 'restart', mode, drafts)];
  return { verb: 'test', cluster: cluster.name, inventoryHash: '', stages, warnings: [], reasons: [] };
}

function errorOf({ error }: RunResult): QuorateError {
  if (error instanceof QuorateError) return error;
  throw error ?? new Error('nothing failed');
}

/** Hosts in the order in which scripts were sent to them. */
function turns({ scripts }: RunResult): readonly string[] {
  return scripts.filter((each) => each.stage === 'roll').map((each) => each.host);
}

function unitState(model: Model, name: string, activeState: string): void {
  model.edit(name, (host) => ({ ...host, unit: { ...host.unit, activeState } }));
}

describe('a rolling stage', () => {
  it('takes followers first and the leader last, after its leadership was moved', async () => {
    const model = await formed();
    const result = await runOn(model, planOf(names.map((name) => restart(name))));
    expect(result.error).toBeUndefined();
    expect(turns(result)).toEqual(['etcd-2', 'etcd-3', 'etcd-1']);
    expect(result.moves).toEqual([`etcd-1 → ${model.view().identity?.memberIds['etcd-2']}`]);
  });

  it('asks anew who leads before each turn', async () => {
    const model = await formed();
    const result = await runOn(model, planOf(names.map((name) => restart(name))), {
      fault: (step): Fault => {
        if (step.host === 'etcd-2') model.moveLeader(model.view().identity?.memberIds['etcd-3'] ?? '');
        return undefined;
      },
    });
    expect(result.error).toBeUndefined();
    expect(turns(result)).toEqual(['etcd-2', 'etcd-1', 'etcd-3']);
  });

  it('takes a member that does not serve before all others', async () => {
    const model = await formed();
    unitState(model, 'etcd-3', 'failed');
    const result = await runOn(model, planOf(names.map((name) => restart(name))));
    expect(result.error).toBeUndefined();
    expect(turns(result)).toEqual(['etcd-3', 'etcd-2', 'etcd-1']);
  });

  it('gives leadership to the healthy voter that has applied most', async () => {
    const model = await formed();
    const behind = (facts: Facts): Facts => ({
      ...facts,
      endpoints: Object.fromEntries(
        Object.entries(facts.endpoints).map(([name, each]) => [
          name,
          { ...each, raftAppliedIndex: name === 'etcd-3' ? 101 : 100 },
        ]),
      ),
    });
    const result = await runOn(model, planOf([restart('etcd-1')]), { seen: behind });
    expect(result.moves).toEqual([`etcd-1 → ${model.view().identity?.memberIds['etcd-3']}`]);
  });

  it('moves no leadership, and touches nobody, once the lock is lost', async () => {
    const model = await formed();
    const lost = new QuorateError('unreachable', 'etcd-3: this run holds its lock no more');
    const result = await runOn(model, planOf(names.map((name) => restart(name))), {
      lockLost: (done) => (done.length === 2 ? lost : undefined),
    });
    expect(result.error).toBe(lost);
    expect(turns(result)).toEqual(['etcd-2', 'etcd-3']);
    expect(result.moves).toEqual([]);
  });

  it('moves no leadership for a switch without a restart', async () => {
    const model = await formed();
    const result = await runOn(model, planOf(names.map((name) => switchTo(name, 'pki.d/2'))));
    expect(result.error).toBeUndefined();
    expect(result.moves).toEqual([]);
    expect(turns(result)).toHaveLength(3);
  });

  it('skips a member that needs nothing any more, without its gate', async () => {
    const model = await formed();
    model.edit('etcd-2', (host) => ({ ...host, unit: { ...host.unit, invocationId: '2' } }));
    const result = await runOn(model, planOf(names.map((name) => restart(name))));
    expect(turns(result)).toEqual(['etcd-3', 'etcd-1']);
    expect(result.events.filter((each) => each.type === 'step-skipped')).toMatchObject([{ host: 'etcd-2' }]);
  });

  it('stops before the next turn when it is asked to, and goes on from there', async () => {
    const model = await formed();
    let asked = false;
    const plan = planOf(names.map((name) => restart(name)));
    const result = await runOn(model, plan, {
      fault: () => {
        asked = true;
        return undefined;
      },
      stopRequested: () => asked,
    });
    expect(errorOf(result)).toMatchObject({
      code: 'interrupted',
      message: 'stopped before the turn of etcd-3 in "restart", as asked',
    });
    expect(turns(result)).toEqual(['etcd-2']);
    expect(turns(await runOn(model, plan))).toEqual(['etcd-3', 'etcd-1']);
  });
});

describe('the guard of a rolling stage', () => {
  it('is asked before each turn by what is true then', async () => {
    const model = await formed();
    const result = await runOn(model, planOf([restart('etcd-2'), restart('etcd-1')]), {
      fault: (step) => {
        if (step.host === 'etcd-2') unitState(model, 'etcd-3', 'failed');
        return undefined;
      },
    });
    expect(turns(result)[0]).toBe('etcd-2');
    expect(turns(result)).not.toContain('etcd-1');
    expect(errorOf(result).message).toContain('etcd-3 serves no more');
  });

  it('refuses a turn that would cost the quorum, before anything of it has run', async () => {
    const model = await formed();
    unitState(model, 'etcd-3', 'failed');
    const result = await runOn(model, planOf([restart('etcd-2')]));
    expect(errorOf(result)).toMatchObject({
      code: 'refused',
      message: 'stopping etcd-2 would leave 1 of 3 voters healthy, and 2 are needed',
    });
    expect(turns(result)).toEqual([]);
  });

  it('refuses to restart a member whose data is gone under it', async () => {
    const model = await formed();
    model.edit('etcd-2', (host) => ({ ...host, data: { ...host.data, wal: false } }));
    const result = await runOn(model, planOf([restart('etcd-2')]));
    expect(errorOf(result).message).toBe(
      'etcd-2: its data is gone from /var/lib/etcd: it would not come back from a restart',
    );
  });

  it('refuses to restart one that runs while quorum is lost, and lets one that does not run come back', async () => {
    const model = await formed();
    unitState(model, 'etcd-2', 'failed');
    unitState(model, 'etcd-3', 'failed');
    const result = await runOn(model, planOf([restart('etcd-1')]));
    expect(errorOf(result).message).toContain('etcd-1: runs, while quorum is lost (0 of 3 voters healthy)');
    unitState(model, 'etcd-2', 'activating');
    expect(turns(await runOn(model, planOf([restart('etcd-2')])))).toEqual(['etcd-2']);
  });

  it('refuses a restart without a turn of its own', async () => {
    const result = await runOn(await formed(), planOf([restart('etcd-2')], 'parallel'));
    expect(errorOf(result).message).toBe('etcd-2: would be restarted without a turn of its own');
  });

  it('lets all be restarted together only while nothing is served', async () => {
    const model = await formed();
    const together = planOf(
      names.map((name) => restart(name, true)),
      'parallel',
    );
    expect(errorOf(await runOn(model, together)).message).toContain(
      'would be restarted together with the others, while etcd-1, etcd-2, etcd-3 answers through the quorum',
    );
    for (const name of names) unitState(model, name, 'activating');
    const result = await runOn(model, together);
    expect(result.error).toBeUndefined();
    expect(turns(result)).toHaveLength(3);
  });

  it('refuses to restart all together where most of the data is not known to be there', async () => {
    const model = await formed();
    for (const name of names) unitState(model, name, 'activating');
    for (const name of ['etcd-2', 'etcd-3']) {
      model.edit(name, (host) => ({ ...host, data: { ...host.data, wal: false } }));
    }
    const result = await runOn(model, planOf([restart('etcd-1', true)], 'parallel'));
    expect(errorOf(result).message).toContain('1 of 3 members are known to have their data');
  });

  it('judges steps that stop members at once together, and a reset by its name alone', async () => {
    const model = await formed();
    const stop = (host: string): Draft => ({ kind: 'unit.stop', host, unit: cluster.unit, why: 'test' });
    const one = await runOn(model, planOf([stop('etcd-2')], 'parallel'));
    expect(one.error).toBeUndefined();
    unitState(model, 'etcd-2', 'active');
    const plan = planOf([stop('etcd-2'), stop('etcd-3')], 'parallel');
    expect(errorOf(await runOn(model, plan)).message).toContain('stopping etcd-3 would leave 1 of 3 voters healthy');
    expect(errorOf(await runOn(model, plan, { permits: { ending: 'another' } })).code).toBe('refused');
    expect((await runOn(model, plan, { permits: { ending: cluster.name } })).error).toBeUndefined();
  });
});

describe('the gate', () => {
  const unwell = (when: () => boolean): NonNullable<RunOptions['seen']> => {
    return (facts) => {
      const endpoint = facts.endpoints['etcd-2'];
      if (!when() || endpoint === undefined) return facts;
      return { ...facts, endpoints: { ...facts.endpoints, 'etcd-2': { ...endpoint, linearizable: false } } };
    };
  };

  it('stops the roll where it does not hold, takes the switch back, and says what is true', async () => {
    const model = await formed();
    const host = (): string | undefined => {
      const fact = model.host('etcd-2').files[link];
      return fact?.kind === 'link' ? fact.target : undefined;
    };
    const drafts = [switchTo('etcd-2', 'pki.d/2'), restart('etcd-2'), restart('etcd-3')];
    const result = await runOn(model, planOf(drafts), { seen: unwell(() => host() === 'pki.d/2') });
    expect(errorOf(result)).toMatchObject({ code: 'step-failed', host: 'etcd-2' });
    expect(errorOf(result).message).toBe(
      'etcd-2: is not well after its turn: a linearizable read does not return; taken back (/etc/etcd/pki → pki.d/1, restart etcd.service); it serves again',
    );
    expect(errorOf(result).detail).toContain(LAST_WORDS);
    expect(host()).toBe('pki.d/1');
    expect(model.host('etcd-2').unit.invocationId).toBe('3');
    expect(turns(result)).toEqual(['etcd-2', 'etcd-2']);
  });

  it('restarts nobody to take a switch back that restarted nobody', async () => {
    const model = await formed();
    const result = await runOn(model, planOf([switchTo('etcd-2', 'pki.d/2')]), {
      prove: (): string | undefined => {
        const fact = model.host('etcd-2').files[link];
        return fact?.kind === 'link' && fact.target === 'pki.d/2' ? 'peer port 2380 serves another one' : undefined;
      },
    });
    expect(errorOf(result).message).toBe(
      'etcd-2: is not well after its turn: peer port 2380 serves another one; taken back (/etc/etcd/pki → pki.d/1); it serves again',
    );
    expect(model.host('etcd-2').unit.invocationId).toBe('1');
  });

  it('takes nothing back where nothing was switched, and says how the member is', async () => {
    const model = await formed();
    const result = await runOn(model, planOf([restart('etcd-2')]), {
      seen: unwell(() => model.host('etcd-2').unit.invocationId === '2'),
    });
    expect(errorOf(result).message).toMatch(/; nothing was taken back; it does not serve as it should: a linearizable/);
  });

  it('takes a switch back whose restart failed on the host', async () => {
    const model = await formed();
    let failed = false;
    const result = await runOn(model, planOf([switchTo('etcd-2', 'pki.d/2'), restart('etcd-2')]), {
      fault: (step) => {
        if (step.kind !== 'unit.restart' || failed) return undefined;
        failed = true;
        unitState(model, 'etcd-2', 'failed');
        return 'fail';
      },
    });
    expect(errorOf(result).message).toMatch(/unit\.restart went wrong; taken back \(.*\); it serves again$/);
    expect(model.host('etcd-2').unit.activeState).toBe('active');
  });

  it('objects to an alarm that is new, and not to one from before', async () => {
    const model = await formed();
    const alarmed = (when: () => boolean): NonNullable<RunOptions['seen']> => {
      return (facts) => {
        const endpoint = facts.endpoints['etcd-1'];
        if (!when() || endpoint === undefined) return facts;
        const alarms = [{ memberId: 'aa', kind: 'NOSPACE' }];
        return { ...facts, endpoints: { ...facts.endpoints, 'etcd-1': { ...endpoint, alarms } } };
      };
    };
    expect((await runOn(model, planOf([restart('etcd-2')]), { seen: alarmed(() => true) })).error).toBeUndefined();
    const { host } = model;
    const result = await runOn(model, planOf([restart('etcd-3')]), {
      seen: alarmed(() => host('etcd-3').unit.invocationId === '2'),
    });
    expect(errorOf(result).message).toContain('alarm NOSPACE on member aa');
  });
});

describe('a failpoint in a rolling stage', () => {
  afterEach(() => vi.restoreAllMocks());

  it('kills right after its step, with the turns before it done and those after it not begun', async () => {
    const spy = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw new Error('killed');
    });
    const model = await formed();
    const drafts = names.flatMap((name) => [switchTo(name, 'pki.d/2'), restart(name)]);
    const result = await runOn(model, planOf(drafts), { failpoint: 'roll/etcd-3/pki.switch' });
    expect(result.error).toMatchObject({ message: 'killed' });
    expect(spy).toHaveBeenCalledTimes(1);
    expect(result.done).toEqual(['roll/etcd-2/pki.switch', 'roll/etcd-2/unit.restart', 'roll/etcd-3/pki.switch']);
  });
});
