/** What apply, restart, start and stop do, and what they refuse. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { HostFacts } from '../../../src/domain/facts.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { type ApplyWish, planApply } from '../../../src/plan/apply.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planRestart } from '../../../src/plan/restart.ts';
import { planStart } from '../../../src/plan/start.ts';
import { planStop } from '../../../src/plan/stop.ts';
import { planVersion } from '../../../src/plan/upgrade.ts';
import type { View } from '../../../src/plan/view.ts';
import { runOn } from '../../fakes/executor.ts';
import { freshHost } from '../../fakes/facts.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const five = clusterOf('3.6.16', {
  controllers: [1, 2, 3, 4, 5].map((each) => controller(`etcd-${each}`, `10.0.0.${each}`)),
});
const one = clusterOf('3.6.16', { controllers: [controller('etcd-1', '10.0.0.1')] });

async function formed(wanted: Cluster = cluster): Promise<Model> {
  const model = createModel(wanted);
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

const downtime = { allowed: false, required: true };
const wish: ApplyWish = { only: [], members: [], remove: [], stallMs: 60_000, downtime };

function apply(view: View, changes: Partial<ApplyWish> = {}): Plan {
  return planApply(view, { ...wish, ...changes });
}

function restart(view: View, members: readonly string[] = []): Plan {
  return planRestart(view, { members, downtime });
}

function kinds(plan: Plan): readonly string[] {
  return plan.stages.flatMap((each) => each.steps.map((step) => `${step.host} ${step.kind}`));
}

function refusal(plan: () => Plan): QuorateError {
  try {
    plan();
  } catch (error) {
    if (error instanceof QuorateError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function stopped(model: Model, ...names: readonly string[]): Model {
  for (const name of names) unit(model, name, { activeState: 'inactive' });
  return model;
}

function unit(model: Model, name: string, changes: Partial<HostFacts['unit']>): void {
  model.edit(name, (host) => ({ ...host, unit: { ...host.unit, ...changes } }));
}

function unreachable(view: View, name: string): View {
  const { [name]: _, ...hosts } = view.facts.hosts;
  return { ...view, facts: { ...view.facts, hosts, unreachable: { [name]: `${name}: connection refused` } } };
}

describe('apply', () => {
  it('plans nothing where everything is as wanted, and says so', async () => {
    const plan = apply((await formed()).view());
    expect(plan.stages).toEqual([]);
    expect(plan.reasons.map((each) => each.host)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('restarts what runs with other settings than its file says, though every file is as wanted', async () => {
    const model = await formed();
    model.edit('etcd-2', (host) => ({ ...host, run: host.run && { ...host.run, configSha256: 'other' } }));
    const plan = apply(model.view());
    expect(kinds(plan)).toEqual(['etcd-2 unit.restart']);
    expect(plan.stages[0]?.steps[0]?.why).toBe('it was started with another configuration');
  });

  it.each([
    ['configSha256', 'config'],
    ['unitSha256', 'units'],
    ['binarySha256', 'version'],
    ['caSha256', 'certs'],
    ['peerCaSha256', 'certs'],
  ] as const)('restarts for another %s with --only %s, and with nothing else', async (field, part) => {
    const model = await formed();
    model.edit('etcd-2', (host) => ({ ...host, run: host.run && { ...host.run, [field]: 'other' } }));
    for (const only of ['config', 'units', 'version', 'certs'] as const) {
      expect(kinds(apply(model.view(), { only: [only] }))).toEqual(only === part ? ['etcd-2 unit.restart'] : []);
    }
  });

  it('changes what no process reads without a restart', async () => {
    const model = await formed();
    model.edit('etcd-1', (host) => ({
      ...host,
      files: { ...host.files, '/etc/profile.d/etcdctl.sh': { kind: 'absent' } },
      unit: { ...host.unit, fileState: 'disabled' },
    }));
    expect(kinds(apply(model.view()))).toEqual(['etcd-1 file.put', 'etcd-1 unit.enable']);
  });

  it('puts files before the link to another binary, and that before the one restart', async () => {
    const model = await formed(clusterOf('3.6.15'));
    model.want(clusterOf('3.6.16', { etcd: { 'quota-backend-bytes': 4_294_967_296 } }));
    const plan = apply(model.view());
    expect(plan.stages.map((each) => [each.id, each.mode])).toEqual([
      ['goal', 'operator'],
      ['3.6.16-check', 'operator'],
      ['3.6.16-operator', 'operator'],
      ['3.6.16-prepare', 'parallel'],
      ['3.6.16-roll', 'rolling'],
      ['3.6.16-await', 'operator'],
      ['met', 'operator'],
    ]);
    expect(kinds(plan).filter((each) => each.startsWith('etcd-1'))).toEqual([
      'etcd-1 binary.install',
      'etcd-1 file.put',
      'etcd-1 binary.link',
      'etcd-1 unit.restart',
    ]);
  });

  describe('with another version of etcd in the inventory', () => {
    const up = { way: 'up', via: [], abort: false, accepted: [], allowDowntime: false } as const;

    async function running(version: string, wanted: Cluster): Promise<Model> {
      const model = await formed(clusterOf(version));
      model.want(wanted);
      return model;
    }

    it('goes the way of upgrade, over every minor between, and --only version goes it alone', async () => {
      const view = (await running('3.5.35', clusterOf('3.7.3'))).view();
      const way = planVersion(view, { ...up, to: '3.7.3' });
      expect(way.stages.map((each) => each.id)).toContain('3.7.3-log');
      expect(apply(view).stages).toEqual(way.stages);
      expect(apply(view, { only: ['version'] }).stages).toEqual(way.stages);
      expect(apply(view).warnings).toEqual(way.warnings);
    });

    it('renews certificates in turns of their own behind it', async () => {
      const model = await running('3.5.35', cluster);
      model.later(300);
      const ids = apply(model.view()).stages.map((each) => each.id);
      expect(ids.slice(0, ids.indexOf('met') + 1)).toEqual(expect.arrayContaining(['goal', '3.6.16-roll']));
      expect(ids.slice(ids.indexOf('met') + 1)).toEqual(expect.arrayContaining(['issue', 'roll']));
    });

    it('goes on with an upgrade that was begun to that version, and ends it', async () => {
      const model = await running('3.5.35', cluster);
      const plan = planVersion(model.view(), { ...up, to: '3.6.16' });
      // It leads, so that its turn is the last one.
      const last = plan.stages
        .flatMap((each) => each.steps)
        .find(({ kind, host }) => kind === 'unit.restart' && host === 'etcd-1');
      await runOn(model, plan, { fault: (step) => (step.id === last?.id ? 'kill' : undefined) });
      expect(['etcd-1', 'etcd-2'].map((name) => model.etcd.running(name))).toEqual(['3.5.35', '3.6.16']);
      const rest = apply(model.view());
      expect(rest.stages.map((each) => each.id)).not.toContain('goal');
      expect((await runOn(model, rest)).error).toBeUndefined();
      expect(model.pki().goals).toEqual([]);
      expect(apply(model.view()).stages).toEqual([]);
    });

    it('goes down within a minor, and never to an older one', async () => {
      const down = (await running('3.6.16', clusterOf('3.6.15'))).view();
      expect(apply(down).stages.map((each) => each.id)).toContain('3.6.15-roll');
      const older = (await running('3.6.16', clusterOf('3.5.35'))).view();
      expect(refusal(() => apply(older))).toMatchObject({
        code: 'refused',
        message: 'etcd-1: runs etcd 3.6.16, and the inventory wants 3.5.35: apply never goes to an older minor',
        hint: expect.stringContaining('quorate downgrade --to 3.5.35'),
      });
    });

    it('refuses settings alone, and some members alone, across minors; certificates alone are no matter of it', async () => {
      const view = (await running('3.5.35', cluster)).view();
      const message = 'etcd-1: runs etcd 3.5.35, and the inventory wants 3.6.16: another minor';
      const hint = expect.stringContaining('quorate upgrade');
      for (const only of ['config', 'units'] as const)
        expect(refusal(() => apply(view, { only: [only] }))).toMatchObject({ code: 'refused', message, hint });
      expect(refusal(() => apply(view, { members: ['etcd-1'] }))).toMatchObject({
        ...{ code: 'refused', message },
        hint: expect.stringContaining('without --member'),
      });
      expect(apply(view, { only: ['certs'] }).stages).toEqual([]);
    });

    it('takes some members alone to another patch release', async () => {
      const view = (await running('3.6.15', cluster)).view();
      expect(apply(view, { members: ['etcd-2'] }).stages.map((each) => each.id)).toEqual([
        'operator',
        'prepare',
        'roll',
      ]);
    });

    it('refuses while members are to come', async () => {
      const view = (await running('3.6.15', five)).view();
      expect(refusal(() => apply(view))).toMatchObject({
        code: 'refused',
        message:
          'the inventory wants etcd 3.6.16 where 3.6.15 runs, and etcd-4, etcd-5 to become a member: one after the other',
        hint: expect.stringContaining('cluster.version: 3.6.15'),
      });
    });

    it('leaves binaries alone that something else puts on the hosts', async () => {
      const system = clusterOf('3.6.16', { binaries: { kind: 'system', directory: '/usr/bin' } });
      const model = await formed(system);
      const ids = (): readonly string[] => apply(model.view()).stages.map((each) => each.id);
      const before = ids();
      model.want({ ...system, version: '3.6.15' });
      expect(ids()).toEqual(before);
      expect(before).not.toContain('goal');
    });
  });

  it('refuses settings, and another version, where members have no certificates of quorate yet', async () => {
    const model = await formed(clusterOf('3.6.15'));
    model.edit('etcd-2', (host) => ({ ...host, files: { ...host.files, '/etc/etcd/pki': { kind: 'absent' } } }));
    const refused = {
      code: 'refused',
      message: "etcd-2: has no certificates of quorate's yet, and its settings would name them: it would not start",
      hint: expect.stringContaining('without --only'),
    };
    expect(refusal(() => apply(model.view(), { only: ['config'] }))).toMatchObject(refused);
    model.want(cluster);
    expect(refusal(() => apply(model.view()))).toMatchObject(refused);
    expect(
      refusal(() =>
        planVersion(model.view(), {
          way: 'up',
          to: '3.6.16',
          via: [],
          abort: false,
          accepted: [],
          allowDowntime: false,
        }),
      ),
    ).toMatchObject(refused);
  });

  it('never bootstraps', () => {
    const model = createModel(cluster);
    expect(refusal(() => apply(model.view()))).toMatchObject({ hint: 'quorate bootstrap -i FILE makes a cluster' });
  });

  it('refuses while the cluster has a member that the inventory does not list', async () => {
    const model = await formed(five);
    const { facts } = model.view();
    model.want(cluster);
    expect(refusal(() => apply({ ...model.view(), facts })).message).toBe(
      'the cluster has members that the inventory does not list: etcd-4 (https://10.0.0.4:2380), etcd-5 (https://10.0.0.5:2380)',
    );
  });

  it('passes over a controller that is no member yet where members are not asked for, and says how it becomes one', async () => {
    const model = await formed();
    const { facts, ...seen } = model.view();
    const wanted = clusterOf('3.6.16', { controllers: [...cluster.controllers, controller('etcd-4', '10.0.0.4')] });
    const grown = createModel(wanted).view();
    const hosts = { ...facts.hosts, 'etcd-4': freshHost('etcd-4') };
    const view = { ...seen, cluster: wanted, desired: grown.desired, facts: { ...facts, hosts } };
    const plan = apply(view, { only: ['config'] });
    expect(plan.warnings).toEqual(['etcd-4: is in the inventory and no member yet: quorate member add etcd-4 -i FILE']);
    expect(kinds(plan)).toEqual(['etcd-1 file.put', 'etcd-2 file.put', 'etcd-3 file.put']);
  });

  it('refuses a member whose data is gone, and names what replaces it', async () => {
    const model = await formed();
    model.wipe('etcd-3', 'data');
    expect(refusal(() => apply(model.view()))).toMatchObject({
      message: 'etcd-3: was a member and has no data now: it is not stopped, it is lost',
      hint: expect.stringContaining('quorate member replace etcd-3'),
    });
    expect(kinds(apply(model.view(), { members: ['etcd-1', 'etcd-2'] }))).toEqual([]);
  });

  it('refuses a host that it cannot look at, and goes on with the others when they are named', async () => {
    const view = unreachable((await formed()).view(), 'etcd-2');
    expect(refusal(() => apply(view))).toMatchObject({
      code: 'unreachable',
      hint: 'what it has is not known: bring it back, or leave it out: quorate apply -i FILE --member etcd-1 etcd-3',
    });
    expect(apply(view, { members: ['etcd-1', 'etcd-3'] }).warnings).toEqual([
      'etcd-2: cannot be reached, and stays as it is: run quorate apply again once it can',
    ]);
  });

  it('refuses on a stopped cluster, and names what starts it', async () => {
    const model = stopped(await formed(), 'etcd-1', 'etcd-2', 'etcd-3');
    expect(refusal(() => apply(model.view())).hint).toContain('quorate start');
  });

  it('starts a member that is down, in its turn', async () => {
    const model = stopped(await formed(), 'etcd-2');
    const plan = apply(model.view());
    expect(kinds(plan)).toEqual(['etcd-2 unit.restart']);
    expect(plan.stages[0]?.steps[0]?.why).toBe('it is inactive');
  });

  it('takes a cluster of one down only when that is allowed', async () => {
    const model = await formed(one);
    model.want({ ...one, etcd: { 'quota-backend-bytes': 4_294_967_296 } });
    expect(refusal(() => apply(model.view()))).toMatchObject({ hint: 'add --allow-downtime to accept that' });
    expect(apply(model.view(), { downtime: { allowed: true, required: true } }).permits).toEqual({ downtime: true });
    const shown = apply(model.view(), { downtime: { allowed: false, required: false } });
    expect([shown.permits, shown.warnings]).toEqual([
      undefined,
      ['the cluster is down while etcd-1 restarts: it is its only member (needs --allow-downtime)'],
    ]);
  });

  it.each([
    ['the cluster is demo', { name: 'other' }],
    ['its account is etcd', { user: 'other' }],
    ['its configuration is /etc/etcd/etcd-config.yml', { paths: { ...cluster.paths, configDir: '/etc/other' } }],
  ] as const)('refuses what is fixed since the bootstrap: %s', async (message, changes) => {
    const model = await formed();
    const seen = model.view();
    model.want({ ...cluster, ...changes });
    const view = { ...model.view(), facts: seen.facts };
    expect(refusal(() => apply(view)).errors[0]?.message).toContain(`etcd-1: ${message}, and the inventory wants`);
  });

  it('takes another data dir for a change of the inventory, and not for lost data', async () => {
    const model = await formed();
    const paths = { ...cluster.paths, dataDir: '/srv/etcd' };
    model.want({ ...cluster, paths });
    for (const { name } of cluster.controllers) {
      model.edit(name, (host) => ({ ...host, data: { dataDir: { kind: 'absent' }, wal: false, entries: [] } }));
    }
    expect(refusal(() => apply(model.view())).errors[0]).toMatchObject({
      message:
        'etcd-1: its data dir is /var/lib/etcd, and the inventory wants /srv/etcd: the data of this member is there',
      hint: 'put it back; a member moves with a replacement: quorate member replace etcd-1 -i FILE',
    });
  });

  it('leaves certificates alone while a rotation is open', async () => {
    const model = await formed();
    model.later(300);
    const goal = {
      kind: 'rotate',
      targets: { 'etcd-1': 2 },
      purposes: ['server'],
      keys: 'make',
      since: 's',
      who: 'me',
    } as const;
    model.editPki((pki) => ({ ...pki, goals: [goal] }));
    expect(refusal(() => apply(model.view())).message).toBe(
      'a rotation is open, begun by me, s: its certificates come first',
    );
    expect(apply(model.view(), { only: ['config'] }).stages).toEqual([]);
  });
});

describe('restart', () => {
  it('ends what runs now, one after another, and notes that first', async () => {
    const plan = restart((await formed()).view());
    expect(plan.stages.map((each) => [each.id, each.mode])).toEqual([
      ['goal', 'operator'],
      ['roll', 'rolling'],
      ['met', 'operator'],
    ]);
    expect(plan.stages[0]?.steps[0]).toMatchObject({ goal: { ends: { 'etcd-1': '1', 'etcd-2': '1', 'etcd-3': '1' } } });
  });

  it('refuses with one of three broken, and restarts that one alone when it is named', async () => {
    const model = await formed();
    unit(model, 'etcd-2', { activeState: 'failed' });
    expect(refusal(() => restart(model.view()))).toMatchObject({
      code: 'refused',
      message: 'stopping etcd-1 would leave 1 of 3 voters healthy, and 2 are needed (etcd-2: does not serve)',
      hint: expect.stringContaining('quorate restart -i FILE --member etcd-2'),
    });
    expect(kinds(restart(model.view(), ['etcd-2']))).toContain('etcd-2 unit.restart');
  });

  it('goes on with one of five broken, that one first', async () => {
    const model = await formed(five);
    unit(model, 'etcd-4', { activeState: 'failed' });
    const plan = restart(model.view());
    const { error, scripts } = await runOn(model, plan);
    expect(error).toBeUndefined();
    expect(scripts.map((each) => each.host)[0]).toBe('etcd-4');
    expect(scripts).toHaveLength(5);
  });

  it('refuses another one while one is open, and names the command that ends that', async () => {
    const model = await formed();
    const goal = { kind: 'restart', ends: { 'etcd-2': '1' }, since: 's', who: 'me' } as const;
    model.editPki((pki) => ({ ...pki, goals: [goal] }));
    expect(refusal(() => restart(model.view())).hint).toBe('finish it first: quorate restart -i FILE --member etcd-2');
    expect(restart(model.view(), ['etcd-2']).stages.map((each) => each.id)).toEqual(['roll', 'met']);
  });

  it('tells what lies on disk and comes into force by the way', async () => {
    const model = await formed();
    model.edit('etcd-1', (host) => ({ ...host, run: host.run && { ...host.run, configSha256: 'other' } }));
    expect(restart(model.view(), ['etcd-1']).warnings).toEqual([
      'etcd-1: its configuration on disk is not what it runs with: the restart brings that into force',
    ]);
  });
});

describe('start and stop', () => {
  it('starts all members at once with their own data', async () => {
    const model = stopped(await formed(), 'etcd-1', 'etcd-2', 'etcd-3');
    const plan = planStart(model.view(), { members: [] });
    expect(plan.stages.map((each) => [each.id, each.mode])).toEqual([
      ['start', 'parallel'],
      ['await', 'operator'],
    ]);
    const { error } = await runOn(model, plan);
    expect(error).toBeUndefined();
    expect(planStart(model.view(), { members: [] }).stages).toEqual([]);
    expect(model.newStarts).toHaveLength(3);
  });

  it('knows a wiped member from a stopped one, and starts the others when they are named', async () => {
    const model = stopped(await formed(), 'etcd-1', 'etcd-2', 'etcd-3');
    model.wipe('etcd-3', 'data');
    expect(refusal(() => planStart(model.view(), { members: [] })).hint).toBe(
      'quorate start -i FILE --member etcd-1 etcd-2 takes the others; then quorate member replace etcd-3 -i FILE',
    );
    expect(refusal(() => planStart(model.view(), { members: ['etcd-1'] })).code).toBe('refused');
    const { error, done } = await runOn(model, planStart(model.view(), { members: ['etcd-1', 'etcd-2'] }));
    expect([error, done.length]).toEqual([undefined, 3]);
  });

  it('stops all members and leaves the start at boot', async () => {
    const model = await formed();
    const plan = planStop(model.view());
    expect(kinds(plan)).toEqual(['etcd-1 unit.stop', 'etcd-2 unit.stop', 'etcd-3 unit.stop']);
    expect(plan.warnings[0]).toContain('a reboot starts etcd.service again');
    expect((await runOn(model, plan, { permits: { ending: cluster.name } })).error).toBeUndefined();
    expect(planStop(model.view()).stages).toEqual([]);
  });

  it('stops nothing without the name of the cluster', async () => {
    const model = await formed();
    const { error, done } = await runOn(model, planStop(model.view()), { permits: {} });
    expect([error instanceof QuorateError && error.code, done]).toEqual(['refused', []]);
  });
});
