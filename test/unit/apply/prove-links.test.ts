/** Whether members' processes can link with each other, by what they told at their start. */
import { expect, it } from 'vitest';
import { linkFailures } from '../../../src/apply/prove-certificates.ts';
import type { HostFacts } from '../../../src/domain/facts.ts';
import { planBootstrap } from '../../../src/plan/bootstrap.ts';
import { runOn } from '../../fakes/executor.ts';
import { NOW } from '../../fakes/facts.ts';
import { createModel } from '../../fakes/model.ts';
import { cluster } from '../render/cluster.ts';

async function failures(members: readonly string[], run: (before: HostFacts['run']) => HostFacts['run']) {
  const model = createModel(cluster('3.6.16'));
  await runOn(model, planBootstrap(model.view()));
  model.edit('etcd-1', (host) => ({ ...host, run: run(host.run) }));
  const { cluster: wanted, facts } = model.view();
  return linkFailures(wanted.controllers, { cluster: wanted, facts, members, bundles: [], now: NOW }).map(
    ({ message }) => message,
  );
}

const unknown = expect.stringContaining('etcd-1: peer port 2380 runs with a trust bundle for peers that is on no host');

it('finds nothing where all trust what the others serve', async () => {
  expect(await failures(['etcd-1', 'etcd-2', 'etcd-3'], (run) => run)).toEqual([]);
});

it('asks a member that quorate has not started yet nothing, until its own turn', async () => {
  expect(await failures(['etcd-2'], () => undefined)).toEqual([]);
  expect(await failures(['etcd-1'], () => undefined)).toContainEqual(unknown);
});

it('finds a member that was started with a bundle which is gone, in whoever’s turn', async () => {
  expect(await failures(['etcd-2'], (run) => run && { ...run, peerCaSha256: 'other' })).toEqual([unknown]);
});
