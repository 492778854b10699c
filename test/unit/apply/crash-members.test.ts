/** Members come, go and are replaced while quorate is killed before every step, twice: quorum is never lost, and running again ends it. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { QuorateError } from '../../../src/domain/errors.ts';
import { configFile } from '../../../src/domain/layout.ts';
import { isEmpty, type Plan } from '../../../src/domain/plan.ts';
import { planApply } from '../../../src/plan/apply.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planAdd } from '../../../src/plan/member-add.ts';
import { planRemove } from '../../../src/plan/member-remove.ts';
import { planReplace, replaceLeft } from '../../../src/plan/member-replace.ts';
import type { View } from '../../../src/plan/view.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const STALL_MS = 60_000;

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);

/** An inventory of some hosts of a row. */
function inventory(members: readonly string[], departing: readonly string[] = []): Cluster {
  const hosts = (some: readonly string[]) => some.map((name) => controller(name, `10.0.0.${name.slice(5)}`));
  const leaving = departing.length === 0 ? {} : { departing: hosts(departing) };
  return clusterOf('3.6.16', { controllers: hosts(members), ...leaving });
}

async function formed(count: number): Promise<Model> {
  const model = createModel(inventory(names(count)));
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

interface Case {
  readonly start: () => Promise<Model>;
  readonly planner: (view: View) => Plan;
  readonly left: (view: View, done: Plan) => Plan;
  /** Names of the voters at the end. */
  readonly voters: readonly string[];
  /** Whether a run that comes to its end, planned again, is another one. */
  readonly once?: boolean;
  /** Hosts that are left as they are, because nobody reaches them. */
  readonly unreached?: readonly string[];
}

const add = (view: View): Plan => planAdd(view, { members: [], stallMs: STALL_MS });

function growing(from: number, to: number): Case {
  return { start: () => grown(from, to), planner: add, left: add, voters: names(to) };
}

async function grown(from: number, to: number): Promise<Model> {
  const model = await formed(from);
  model.want(inventory(names(to)));
  return model;
}

function shrinking(from: number, members: readonly string[]): Case {
  const remove = (view: View): Plan => planRemove(view, { members });
  const voters = names(from).filter((each) => !members.includes(each));
  const start = async (): Promise<Model> => {
    const model = await formed(from);
    model.want(inventory(voters, members));
    return model;
  };
  return { start, planner: remove, left: remove, voters };
}

/** The same host again, less its data or everything. */
function wiped(count: number, member: string, what: 'data' | 'everything'): Case {
  const start = async (): Promise<Model> => {
    const model = await formed(count);
    model.wipe(member, what);
    return model;
  };
  const planner = (view: View): Plan => planReplace(view, { member, with: undefined, stallMs: STALL_MS });
  return { start, planner, left: replaceLeft, voters: names(count), once: true };
}

/** One more host in the place of a member that is alive, or that nobody reaches. */
function moving(count: number, member: string, alive: boolean): Case {
  const by = `etcd-${count + 1}`;
  const voters = names(count + 1).filter((each) => each !== member);
  const start = async (): Promise<Model> => {
    const model = await formed(count);
    model.want(inventory(voters, [member]));
    if (!alive) model.unplug(member);
    return model;
  };
  const planner = (view: View): Plan => planReplace(view, { member, with: by, stallMs: STALL_MS });
  return { start, planner, left: replaceLeft, voters, unreached: alive ? [] : [member] };
}

/** The inventory is another, and apply brings the cluster there; members that are to leave are named. */
function applying(from: number, members: readonly string[], leave: readonly string[] = []): Case {
  const wish = {
    ...{ only: [], members: [], remove: leave, stallMs: STALL_MS },
    downtime: { allowed: true, required: true },
  };
  const apply = (view: View): Plan => planApply(view, wish);
  const start = async (): Promise<Model> => {
    const model = await formed(from);
    model.want(inventory(members, leave));
    return model;
  };
  return { start, planner: apply, left: apply, voters: members };
}

const cases: Readonly<Record<string, Case>> = {
  'apply grows 1 → 3': applying(1, names(3)),
  'apply grows 3 → 4 and removes the leader by name': applying(3, ['etcd-2', 'etcd-3', 'etcd-4'], ['etcd-1']),
  'grow 1 → 3': growing(1, 3),
  'grow 3 → 5': growing(3, 5),
  'shrink 5 → 3': shrinking(5, ['etcd-4', 'etcd-5']),
  'shrink 3 → 1, the leader among those that go': shrinking(3, ['etcd-1', 'etcd-2']),
  'replace a wiped disk': wiped(3, 'etcd-2', 'data'),
  'replace the disk of the leader of five': wiped(5, 'etcd-1', 'data'),
  'replace by a new machine': wiped(3, 'etcd-2', 'everything'),
  'replace a host that is gone by another': moving(3, 'etcd-2', false),
  'move a member that is alive': moving(3, 'etcd-2', true),
  'move the leader': moving(3, 'etcd-1', true),
  'move the only member': moving(1, 'etcd-1', true),
};

function votersOf(model: Model): readonly string[] {
  const list = model.members.list();
  expect(list.every((each) => !each.learner && each.name !== '')).toBe(true);
  return list.map((each) => each.name).sort();
}

/** Voters, quorum and goals are as they are to be, and hosts that are left run nothing and have nothing of a member. */
function expectEnd(model: Model, { voters, unreached = [] }: Case, said = ''): void {
  expect(votersOf(model), said).toEqual(voters);
  expect(model.hasQuorum(), said).toBe(true);
  expect(model.pki().goals, said).toEqual([]);
  for (const name of voters) {
    expect(markedRight(model, name), `${said} ${name}`).toBe(true);
    expect(writtenOn(model, name), `${said} ${name}`).toEqual(voters);
  }
  for (const { name } of model.cluster.departing ?? []) {
    if (unreached.includes(name)) continue;
    const { unit, data, records } = model.host(name);
    expect([unit.activeState, unit.fileState, data.wal], `${said} ${name}`).toEqual(['inactive', 'disabled', false]);
    expect(records.marker, `${said} ${name}`).toBeUndefined();
  }
}

async function finish(model: Model, each: Case, said?: string): Promise<void> {
  const plan = each.planner(model.view());
  const { error } = await runOn(model, plan);
  expect(error, said).toBeUndefined();
  expect(each.left(model.view(), plan).stages, said).toEqual([]);
  expectEnd(model, each, said);
}

/** Runs a plan that is killed before this step; one that has no such step any more comes to its end. */
async function runKilled(model: Model, plan: Plan, before: string | undefined): Promise<void> {
  const { error } = await runOn(model, plan, { fault: (step) => (step.id === before ? 'kill' : undefined) });
  if (error !== undefined && !(error instanceof Killed)) throw error;
  expect(model.hasQuorum(), before).toBe(true);
  const learners = model.members.list().filter((member) => member.learner);
  expect(learners.length, `${before}: one at a time`).toBeLessThan(2);
}

describe.each(Object.entries(cases))('%s', (_name, each) => {
  it('ends with these voters, and nothing left to do', async () => {
    await finish(await each.start(), each);
  });

  it('goes on from a kill before any step, and from a second one, and never loses the quorum', {
    timeout: 300_000,
  }, async () => {
    const first = each.planner((await each.start()).view());
    const ids = killPoints(first);
    expect(ids.length).toBeGreaterThan(3);
    for (const [index, id] of ids.entries()) {
      const model = await each.start();
      await runKilled(model, first, id);
      const again = each.planner(model.view());
      const later = again.stages.flatMap((stage) => stage.steps.map((step) => step.id));
      const next = later[(index * 7) % Math.max(1, later.length)];
      await runKilled(model, again, next);
      const said = `${id}, ${next}`;
      if (model.pki().goals.length > 0 || !done(model, each)) await finish(model, each, said);
      expectEnd(model, each, said);
    }
  });
});

/** Every step of what changes the cluster; of files and keys, which other tests kill through, the first of each host and stage. */
function killPoints({ stages }: Plan): readonly string[] {
  return stages.flatMap(({ id, steps }) => {
    const files = ['operator', 'prepare', 'issue', 'configure', 'files'].includes(id);
    const kept = files
      ? steps.filter((step, index) => steps.findIndex((each) => each.host === step.host) === index)
      : steps;
    return kept.map((step) => step.id);
  });
}

/** Whether nothing is left; a member that was replaced on its own host would be replaced once more. */
function done(model: Model, { voters, planner, once }: Case): boolean {
  if (once !== true) return isEmpty(planner(model.view()));
  const list = model.members.list().map((each) => each.name);
  return [...list].sort().join() === voters.join() && voters.every((name) => markedRight(model, name));
}

function markedRight(model: Model, name: string): boolean {
  const own = model.members.list().find((each) => each.name === name);
  return own !== undefined && model.host(name).records.marker?.memberId === own.id;
}

/** Names of the members that a host's configuration tells. */
function writtenOn(model: Model, name: string): readonly string[] {
  const [, list = ''] =
    /^initial-cluster: "?([^"\n]*)/m.exec(model.host(name).texts[configFile(model.cluster)] ?? '') ?? [];
  return list.split(',').map((each) => each.replace(/=.*/, ''));
}

describe('refusals', () => {
  const refusalOf = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      if (error instanceof QuorateError) return `${error.code}: ${error.message}\n${error.hint}`;
      throw error;
    }
    return 'not refused';
  };

  it('adds nobody beside a member that is down, and names the way out', async () => {
    const model = await grown(3, 4);
    model.edit('etcd-3', (host) => ({ ...host, unit: { ...host.unit, activeState: 'inactive' } }));
    expect(refusalOf(() => add(model.view()))).toMatch(
      /refused: adding etcd-4 is not possible while etcd-3 is down[\s\S]*member replace etcd-3/,
    );
  });

  it('removes no healthy member while another one is down, and the dead one gladly', async () => {
    const model = await formed(3);
    model.edit('etcd-3', (host) => ({ ...host, unit: { ...host.unit, activeState: 'inactive' } }));
    expect(refusalOf(() => planRemove(model.view(), { members: ['etcd-1'] }))).toContain(
      'removing etcd-1 would leave 1 of 2 voters healthy',
    );
    expect(planRemove(model.view(), { members: ['etcd-3'] }).stages.map((each) => each.id)).toContain('remove-etcd-3');
  });

  it('never removes the last member', async () => {
    const model = await formed(1);
    expect(refusalOf(() => planRemove(model.view(), { members: ['etcd-1'] }))).toContain('last member');
  });

  it('takes a member without data for a new one only where the list has it as never started', async () => {
    const model = await formed(3);
    model.wipe('etcd-2', 'everything');
    expect(refusalOf(() => planBootstrap(model.view()))).toContain('member replace etcd-2');
    expect(refusalOf(() => add(model.view()))).toContain('member replace etcd-2');
  });

  it('knows a member that never started by its ID, and takes it back', async () => {
    const model = await grown(1, 2);
    const plan = add(model.view());
    await runOn(model, plan, { fault: (step) => (step.kind === 'unit.start' ? 'kill' : undefined) });
    const [learner] = model.members.list().filter((each) => each.learner);
    const { error } = await runOn(model, planRemove(model.view(), { members: [learner?.id ?? ''] }));
    expect(error).toBeUndefined();
    expect(votersOf(model)).toEqual(['etcd-1']);
  });

  it('adds the same member again after a kill behind member add, not a second one', async () => {
    const model = await grown(1, 2);
    await runOn(model, add(model.view()), { fault: (step) => (step.kind === 'record.attempt' ? 'kill' : undefined) });
    const before = model.members.list().find((each) => each.learner)?.id;
    const { error } = await runOn(model, add(model.view()));
    expect(error).toBeUndefined();
    expect(model.members.list().map((each) => each.id)).toContain(before);
  });
});
