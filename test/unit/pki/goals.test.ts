/** Goals in the store, and when certificates count as due. */
import { describe, expect, it } from 'vitest';
import type { RotateGoal } from '../../../src/domain/goal.ts';
import { ensureAdmin } from '../../../src/pki/admin.ts';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { clusterKey } from '../../../src/pki/document.ts';
import { closeGoal, setGoal } from '../../../src/pki/goals.ts';
import { loadPki } from '../../../src/pki/state.ts';
import { updateObject } from '../../../src/pki/store.ts';
import { judgeDue } from '../../../src/plan/due.ts';
import { clusterStore, uuid } from './cluster-store.ts';

const goal: RotateGoal = { kind: 'rotate', targets: { 'etcd-1': 2, 'etcd-2': 3 }, purposes: ['server'], keys: 'make' };
const since = Date.UTC(2026, 0, 1);

describe('a goal', () => {
  it('is kept with who wanted it and since when, and stays as it is when it is set again', async () => {
    const { store } = await clusterStore();
    await setGoal(store, uuid, { goal, now: since, who: 'ann@laptop' });
    await setGoal(store, uuid, { goal: { ...goal, targets: { 'etcd-2': 3, 'etcd-1': 2 } }, now: since + 9, who: 'ci' });
    expect((await loadPki(store)).goals).toEqual([{ ...goal, since: '2026-01-01T00:00:00.000Z', who: 'ann@laptop' }]);
  });

  it.each([
    { targets: { 'etcd-1': 2 } },
    { targets: { 'etcd-1': 2, 'etcd-2': 4 } },
    { purposes: ['server', 'peer'] as const },
    { keys: 'keep' as const },
  ])('is not replaced by another one: %j', async (change) => {
    const { store } = await clusterStore();
    await setGoal(store, uuid, { goal, now: since, who: 'ann@laptop' });
    const other = setGoal(store, uuid, { goal: { ...goal, ...change }, now: since, who: 'ci' });
    await expect(other).rejects.toThrow('ann@laptop has opened another goal meanwhile (rotate, 2026-01-01');
  });

  it('is gone once it is closed; another one is left alone', async () => {
    const { store } = await clusterStore();
    await setGoal(store, uuid, { goal, now: since, who: 'ann@laptop' });
    await closeGoal(store, uuid, { ...goal, keys: 'keep' });
    expect((await loadPki(store)).goals).toHaveLength(1);
    await closeGoal(store, uuid, goal);
    expect((await loadPki(store)).goals).toEqual([]);
  });

  it('that no version of quorate writes is refused', async () => {
    const { store } = await clusterStore();
    await updateObject(store, clusterKey, (bytes) =>
      `${bytes}`.replace('"goals": []', '"goals": [{"kind": "rotate"}]'),
    );
    await expect(loadPki(store)).rejects.toThrow('not written by this version of quorate (goals.0');
  });
});

describe('the operator’s certificate', () => {
  it('is issued anew only where it is not sound, or where that is asked for', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'test');
    const first = await ensureAdmin(context, 'test');
    expect(await ensureAdmin(context, 'test')).toBe(first);
    const renewed = await ensureAdmin(context, 'it is due', undefined, true);
    expect(renewed).not.toBe(first);
    expect((await loadPki(context.store)).admin).toBe(renewed);
  });
});

describe('a certificate', () => {
  const day = 86_400_000;
  const life = { notBefore: 0, notAfter: 90 * day };
  const authority = { id: 'client-1', notBefore: 0, notAfter: 1000 * day };

  it.each([
    [{ share: 1 / 3 }, 59, false],
    [{ share: 1 / 3 }, 60, true],
    [{ ms: 10 * day }, 79, false],
    [{ ms: 10 * day }, 80, true],
  ])('with renewBefore %j on day %i: due is %s', (renewBefore, on, due) => {
    const judged = judgeDue(life, { authority, policy: { renewBefore }, now: on * day });
    expect(judged.due).toBe(due);
    expect(judged.text).toMatch(/^ends 1970-04-01, renewed from 1970-03-/);
  });

  it('that ends with its authority is not due: a new one would end at the same moment', () => {
    const short = { ...authority, notAfter: life.notAfter };
    const judged = judgeDue(life, { authority: short, policy: { renewBefore: { share: 1 / 3 } }, now: 89 * day });
    expect(judged).toEqual({ due: false, text: 'ends 1970-04-01 with its authority client-1, so a new one would too' });
  });
});
