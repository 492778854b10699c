/** Authorities of limited names and an inventory that grows: told before anything is changed, and renewing them comes first. */
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/domain/cluster.ts';
import { resolveCluster } from '../../../src/inventory/resolve.ts';
import { requirePermittedNames } from '../../../src/plan/permitted-names.ts';
import { planRotate } from '../../../src/plan/rotate.ts';
import { planRotateCa, rotateCaLeft } from '../../../src/plan/rotate-ca.ts';
import { readFacts, viewOfCase } from '../../plans/case-facts.ts';
import { inventoryText, parse } from '../inventory/samples.ts';

const controllers = '{etcd-1: {address: 10.0.0.1}, etcd-2: {address: 10.0.0.2}, etcd-3: {address: 10.0.0.3}}';
const rotation = { members: [], purposes: ['server', 'peer', 'client'], due: true, keys: 'make' } as const;
const renewal = {
  purposes: ['client', 'peer'],
  until: 'leaves',
  crossSign: false,
  direction: 'renew',
  allowDowntime: false,
  clients: [],
} as const;

function cluster(limited: boolean): Cluster {
  const name = limited ? 'limited' : 'unlimited';
  const pki = `{nameConstraints: ${limited}}`;
  return resolveCluster(parse(inventoryText({ cluster: `{name: ${name}, version: 3.6.16}`, controllers, pki })));
}

/** A formed cluster whose second member gets another name. */
function grown(limited: boolean) {
  const facts = { about: '', through: 'mark', addedNames: { 'etcd-2': ['etcd.example.com'] } };
  return viewOfCase(cluster(limited), readFacts(JSON.stringify(facts)));
}

describe('an inventory that grows beyond what its authorities permit', () => {
  it('is refused before anything is changed, with what to run first', async () => {
    const view = await grown(true);
    const plan = planRotate(view, rotation);
    expect(plan.stages.flatMap((each) => each.steps).map((each) => each.kind)).toContain('cert.issue');
    const refusal = errorOf(() => requirePermittedNames(view, plan));
    expect(refusal).toMatchObject({
      code: 'refused',
      errors: [
        { message: 'etcd-2: client-1 is limited to names that etcd.example.com is not among' },
        { message: 'etcd-2: peer-1 is limited to names that etcd.example.com is not among' },
      ],
    });
  });

  it('is no matter for authorities that may certify any name, nor for members whose names stay', async () => {
    const view = await grown(false);
    expect(() => requirePermittedNames(view, planRotate(view, rotation))).not.toThrow();
    const limited = await grown(true);
    const others = planRotate(limited, { ...rotation, due: false, members: ['etcd-1'] });
    expect(() => requirePermittedNames(limited, others)).not.toThrow();
  });

  it('has its authorities renewed first, and no leaf with them', async () => {
    const view = await grown(true);
    const plan = planRotateCa(view, renewal);
    const kinds = plan.stages.flatMap((each) => each.steps).map((each) => each.kind);
    expect(kinds).toContain('authority.renew');
    expect(kinds).not.toContain('cert.issue');
    expect(() => requirePermittedNames(view, plan)).not.toThrow();
  });
});

it('leaves a new name to the rotation of leaves, once the authorities permit it', async () => {
  const view = await grown(false);
  expect(rotateCaLeft(view, renewal).stages).toEqual([]);
  expect(rotateCaLeft(view, { ...renewal, direction: 'forward' }).stages).not.toEqual([]);
});

function errorOf(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
