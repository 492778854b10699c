import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { majority, object, objectToAll, type Voter, votersAfter } from '../../../src/domain/quorum.ts';

/** Voters `m1`…, the first `healthy` of them healthy. */
function voters(count: number, healthy: number): readonly Voter[] {
  return Array.from({ length: count }, (_, index) => ({ name: `m${index + 1}`, healthy: index < healthy }));
}

/** For each number of voters: a row for each number of healthy ones, from none to all, with what may be done. */
const table: Readonly<Record<number, readonly string[]>> = {
  // s: a healthy member may be stopped, S: only with --allow-downtime; d: a member that is down may be "stopped";
  // a: a voter may be added; r: a healthy member may be removed; x: one that is down may be removed.
  1: ['d', 'S'],
  2: ['d', 'S d', 'S a r'],
  3: ['d', 'd', 'd x', 's a r'],
  4: ['d', 'd', 'd', 'd a r x', 's a r'],
  5: ['d', 'd', 'd', 'd x', 's d a r x', 's a r'],
  6: ['d', 'd', 'd', 'd', 'd a r x', 's d a r x', 's a r'],
  7: ['d', 'd', 'd', 'd', 'd x', 's d a r x', 's d a r x', 's a r'],
};

function permitted(count: number, healthy: number): string {
  const all = voters(count, healthy);
  const up = healthy > 0 ? 'm1' : undefined;
  const down = healthy < count ? `m${count}` : undefined;
  const may = (step: Parameters<typeof object>[1]): boolean => object(all, step) === undefined;
  const stop = (member: string, allowDowntime: boolean): boolean => may({ kind: 'stop', member, allowDowntime });
  return [
    ...(up !== undefined && stop(up, false) ? ['s'] : []),
    ...(up !== undefined && !stop(up, false) && stop(up, true) ? ['S'] : []),
    ...(down !== undefined && stop(down, false) ? ['d'] : []),
    ...(may({ kind: 'add-voter', member: 'new' }) ? ['a'] : []),
    ...(up !== undefined && may({ kind: 'remove', member: up }) ? ['r'] : []),
    ...(down !== undefined && may({ kind: 'remove', member: down }) ? ['x'] : []),
  ].join(' ');
}

describe('the guard', () => {
  const cases = Object.entries(table).flatMap(([count, rows]) =>
    rows.map((expected, healthy) => ({ count: Number(count), healthy, expected })),
  );

  it.each(cases)('with $healthy of $count voters healthy allows: $expected', ({ count, healthy, expected }) => {
    expect(permitted(count, healthy)).toBe(expected);
  });

  it('covers every number of healthy voters', () => {
    for (const [count, rows] of Object.entries(table)) expect(rows).toHaveLength(Number(count) + 1);
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('asks for a majority of all voters: of %i, %i', (count, expected) => {
    expect(majority(count)).toBe(expected);
  });

  /** l: a learner may be added, L: also where etcd wants all peers connected for that; p: one that has caught up may be promoted. */
  const learners: Readonly<Record<number, readonly string[]>> = {
    1: ['', 'l L p'],
    2: ['', '', 'l L p'],
    3: ['', '', 'p', 'l L p'],
    4: ['', '', '', 'l p', 'l L p'],
    5: ['', '', '', 'p', 'l p', 'l L p'],
    6: ['', '', '', '', 'l p', 'l p', 'l L p'],
    7: ['', '', '', '', 'p', 'l p', 'l p', 'l L p'],
  };

  it.each(Object.entries(learners))('lets learners come to %s voters as etcd does', (count, rows) => {
    const seen = rows.map((_, healthy) => {
      const may = (step: Parameters<typeof object>[1]): boolean =>
        object(voters(Number(count), healthy), step) === undefined;
      return [
        ...(may({ kind: 'add-learner', member: 'new', needsAll: false }) ? ['l'] : []),
        ...(may({ kind: 'add-learner', member: 'new', needsAll: true }) ? ['L'] : []),
        ...(may({ kind: 'promote', member: 'new' }) ? ['p'] : []),
      ].join(' ');
    });
    expect(seen).toEqual(rows);
  });

  it('says what a stop would leave and what is needed', () => {
    expect(object(voters(3, 2), { kind: 'stop', member: 'm1', allowDowntime: true })).toBe(
      'stopping m1 would leave 1 of 3 voters healthy, and 2 are needed',
    );
  });

  it('never removes the last member, whatever is allowed', () => {
    expect(object(voters(1, 1), { kind: 'remove', member: 'm1' })).toContain('is the last member');
    expect(object(voters(1, 0), { kind: 'remove', member: 'm1' })).toContain('is the last member');
  });

  it('counts a new voter as down until it has caught up', () => {
    expect(object(voters(1, 1), { kind: 'add-voter', member: 'm2' })).toContain('would leave 1 of 2');
    expect(object(voters(4, 3), { kind: 'add-voter', member: 'm5' })).toBeUndefined();
  });

  it('costs nothing to stop a host that is no voter', () => {
    expect(object(voters(3, 2), { kind: 'stop', member: 'learner', allowDowntime: false })).toBeUndefined();
  });

  it('after any permitted stop leaves a majority of all voters healthy, where it was asked to', () => {
    const cluster = fc.array(fc.boolean(), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(cluster, fc.nat(), fc.boolean(), (health, pick, allowDowntime) => {
        const all = health.map((healthy, index) => ({ name: `m${index}`, healthy }));
        const stopped = all[pick % all.length]!;
        if (object(all, { kind: 'stop', member: stopped.name, allowDowntime }) !== undefined) return;
        if (!stopped.healthy || (allowDowntime && all.length <= 2)) return;
        const left = all.filter((each) => each !== stopped && each.healthy).length;
        expect(left * 2).toBeGreaterThan(all.length);
      }),
    );
  });

  it('after any permitted membership change leaves a majority of the new voters healthy, and had one before', () => {
    const cluster = fc.array(fc.boolean(), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(cluster, fc.nat(), fc.boolean(), (health, pick, add) => {
        const all = health.map((healthy, index) => ({ name: `m${index}`, healthy }));
        const member = add ? 'new' : all[pick % all.length]!.name;
        if (object(all, add ? { kind: 'add-voter', member } : { kind: 'remove', member }) !== undefined) return;
        const after = add ? [...all, { name: member, healthy: false }] : all.filter((each) => each.name !== member);
        for (const set of [all, after])
          expect(set.filter((each) => each.healthy).length * 2).toBeGreaterThan(set.length);
      }),
    );
  });
});

describe('the guard over steps that happen together', () => {
  /** How many members may be stopped at once: for each number of voters, by how many of them are healthy. */
  const together: Readonly<Record<number, readonly number[]>> = {
    1: [0, 0],
    2: [0, 0, 0],
    3: [0, 0, 0, 1],
    4: [0, 0, 0, 0, 1],
    5: [0, 0, 0, 0, 1, 2],
    6: [0, 0, 0, 0, 0, 1, 2],
    7: [0, 0, 0, 0, 0, 1, 2, 3],
  };
  const rows = Object.entries(together).flatMap(([count, most]) =>
    most.map((expected, healthy) => ({ count: Number(count), healthy, expected })),
  );
  const stops = (count: number, allowDowntime = false) =>
    Array.from({ length: count }, (_, index) => ({ kind: 'stop', member: `m${index + 1}`, allowDowntime }) as const);

  it.each(rows)('lets $expected of $healthy healthy members of $count stop', ({ count, healthy, expected }) => {
    const all = voters(count, healthy);
    for (let number = 0; number <= healthy; number += 1) {
      expect(objectToAll(all, stops(number)) === undefined, `${number} at once`).toBe(number <= expected);
    }
  });

  it.each(rows)(
    'judges $count voters, $healthy healthy, one after another as it judges them at once',
    ({ count, healthy }) => {
      let left = voters(count, healthy);
      let stopped = 0;
      for (const step of stops(healthy)) {
        if (object(left, step) !== undefined) break;
        left = votersAfter(left, step);
        stopped += 1;
      }
      expect(stopped).toBe(together[count]?.[healthy]);
    },
  );

  it('lets all of one or two members stop where downtime is accepted, and of no more', () => {
    expect([1, 2, 3, 4].map((count) => objectToAll(voters(count, count), stops(count, true)) === undefined)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('does not count a member that was added as healthy for the step after it', () => {
    const add = { kind: 'add-voter', member: 'new' } as const;
    expect(objectToAll(voters(3, 3), [add])).toBeUndefined();
    expect(objectToAll(voters(3, 3), [add, ...stops(1)])).toBe(
      'stopping m1 would leave 2 of 4 voters healthy, and 3 are needed',
    );
  });

  it('counts who is stopped twice once', () => {
    expect(objectToAll(voters(3, 3), [...stops(1), ...stops(1)])).toBeUndefined();
  });
});
