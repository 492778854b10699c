/** Kills a rotation anywhere, and spoils hosts meanwhile: no link ever points to a pair that does not match, and running again ends it. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostFacts } from '../../../src/domain/facts.ts';
import { currentGeneration, generationsOn } from '../../../src/domain/generation.ts';
import { isEmpty } from '../../../src/domain/plan.ts';
import { leafPurposes } from '../../../src/domain/step.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { planDrift } from '../../../src/plan/drift.ts';
import { planRotate, type RotateWish, rotationLeft } from '../../../src/plan/rotate.ts';
import { Killed, runOn } from '../../fakes/executor.ts';
import { createModel, type Model } from '../../fakes/model.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const names = cluster.controllers.map((each) => each.name);
const all: RotateWish = { members: [], purposes: leafPurposes, due: false, keys: 'make' };

async function formed(): Promise<Model> {
  const model = createModel(cluster);
  const { error } = await runOn(model, planBootstrap(model.view()));
  if (error !== undefined) throw error;
  return model;
}

function expectPairs(model: Model, hosts: readonly string[] = names): void {
  for (const name of hosts) expect([name, model.mismatchedPairs(name)]).toEqual([name, []]);
}

/** Public keys in use, by host and purpose. */
function keysOf(model: Model): Readonly<Record<string, string | undefined>> {
  const entries = names.flatMap((name) => {
    const host = model.host(name);
    const folder = `${cluster.paths.configDir}/pki.d/${currentGeneration(cluster, host)}`;
    return leafPurposes.map((each) => [`${name} ${each}`, host.texts[`${folder}/${each}.pub`]] as const);
  });
  return Object.fromEntries(entries);
}

/** Runs the command again until it says that it is done. */
async function finish(model: Model, wish: RotateWish): Promise<void> {
  const plan = planRotate(model.view(), wish);
  const { error } = await runOn(model, plan);
  expect(error).toBeUndefined();
  expect(rotationLeft(model.view(), wish, plan).stages).toEqual([]);
  expect(model.pki().goals).toEqual([]);
}

function expectOneGeneration(model: Model, number: number): void {
  for (const name of names) {
    const host = model.host(name);
    expect([name, currentGeneration(cluster, host)]).toEqual([name, number]);
    expect(generationsOn(cluster, host)).toEqual([`${cluster.paths.configDir}/pki.d/${number}`]);
  }
}

describe('a rotation killed before any single step', () => {
  const variants: Readonly<Record<string, RotateWish>> = {
    'new keys': all,
    'the same keys': { ...all, keys: 'keep' },
    'server certificates alone': { ...all, purposes: ['server'] },
  };

  describe.each(Object.entries(variants))('%s', (_name, wish) => {
    let steps: readonly string[] = [];
    beforeAll(async () => {
      const { stages } = planRotate((await formed()).view(), wish);
      steps = stages.flatMap((each) => each.steps.map((step) => step.id));
    });

    it('goes on, and ends where an undisturbed run does', { timeout: 60_000 }, async () => {
      expect(steps.length).toBeGreaterThan(15);
      const others = /\/etcd-[13]\//;
      for (const id of wish === all ? steps : steps.filter((each) => !others.test(each))) {
        const model = await formed();
        const before = keysOf(model);
        const plan = planRotate(model.view(), wish);
        const { error } = await runOn(model, plan, { fault: (step) => (step.id === id ? 'kill' : undefined) });
        expect(error, id).toBeInstanceOf(Killed);
        expectPairs(model);
        await finish(model, wish);
        expectPairs(model);
        expectOneGeneration(model, 2);
        const made = wish.keys === 'make' ? wish.purposes : [];
        const after = keysOf(model);
        const changed = Object.keys(after).filter((each) => after[each] !== before[each]);
        expect(changed, id).toEqual(names.flatMap((name) => made.map((each) => `${name} ${each}`)));
      }
    });
  });
});

describe('rotations killed anywhere, on hosts that are spoilt meanwhile', () => {
  const wish = fc.record({
    members: fc.constantFrom([], ['etcd-2'], ['etcd-1', 'etcd-3']),
    purposes: fc.constantFrom(leafPurposes, ['server'] as const, ['peer', 'client'] as const),
    due: fc.boolean(),
    keys: fc.constantFrom('make', 'keep'),
  });
  const kill = fc.record({
    kind: fc.constant('kill'),
    before: fc.record({
      operator: fc.nat({ max: 6 }),
      ...Object.fromEntries(names.map((each) => [each, fc.nat({ max: 6 })])),
    }),
  });
  const spoil = fc.record({
    kind: fc.constantFrom('key-lost', 'next-public-key-lost', 'folder-lost', 'mode'),
    host: fc.constantFrom(...names),
    purpose: fc.constantFrom(...leafPurposes),
  });
  const later = fc.record({ kind: fc.constant('later'), days: fc.nat({ max: 300 }) });

  it('end with what was wanted, and never with a pair that does not match', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(wish, fc.array(fc.oneof(kill, spoil, later), { maxLength: 6 }), async (wanted, happenings) => {
        const model = await formed();
        const damaged = new Set<string>();
        for (const each of happenings) {
          if ('host' in each) {
            model.edit(each.host, (host) => spoilt(host, each.kind, each.purpose));
            damaged.add(each.host);
          } else if ('days' in each) model.later(each.days);
          else await runUntilKilled(model, wanted, each.before);
          expectPairs(
            model,
            names.filter((name) => !damaged.has(name)),
          );
        }
        await finish(model, wanted);
        await finish(model, { ...all, due: true });
        expectPairs(model);
        expect(isEmpty(planDrift(model.view()))).toBe(true);
        expect(isEmpty(planRotate(model.view(), { ...all, due: true }))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});

/** Each host before its n-th step, the operator before its n-th. */
async function runUntilKilled(model: Model, wish: RotateWish, before: Readonly<Record<string, number>>): Promise<void> {
  const left = new Map(Object.entries(before));
  const { error } = await runOn(model, planRotate(model.view(), wish), {
    fault: (step) => {
      const steps = left.get(step.host);
      if (steps === undefined) return undefined;
      left.set(step.host, steps - 1);
      return steps <= 0 ? 'kill' : undefined;
    },
  });
  if (error !== undefined && !(error instanceof Killed)) throw error;
}

function spoilt(host: HostFacts, how: string, purpose: string): HostFacts {
  const folder = `${cluster.paths.configDir}/pki.d`;
  const current = `${folder}/${currentGeneration(cluster, host)}`;
  const next = `${folder}/${currentGeneration(cluster, host) + 1}`;
  const gone = (path: string): boolean => {
    if (how === 'key-lost') return path === `${current}/${purpose}.key`;
    if (how === 'next-public-key-lost') return path === `${next}/${purpose}.pub`;
    return how === 'folder-lost' && (path === `${cluster.paths.configDir}/pki` || path.startsWith(folder));
  };
  const keep = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(record).filter(([path]) => !gone(path)));
  const files = keep(host.files);
  const key = files[`${current}/${purpose}.key`];
  const open =
    how === 'mode' && key?.kind === 'file' ? { [`${current}/${purpose}.key`]: { ...key, mode: '0644' } } : {};
  return { ...host, files: { ...files, ...open }, texts: keep(host.texts), certificates: keep(host.certificates) };
}
