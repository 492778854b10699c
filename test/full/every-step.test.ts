/** Bootstrap killed behind every single step of its plan, and run again: always healthy, always with one PKI. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy } from '../e2e/host-state.ts';
import { expectOnePki } from '../e2e/pki-state.ts';
import { bootstrapArguments, openStage, type Stage } from '../e2e/stage.ts';

/** The steps of the operator and of one host: those of the others are the same. */
const steps = [
  'operator/operator/store.create',
  'operator/operator/release.fetch',
  'prepare/etcd-2/user.ensure',
  'prepare/etcd-2/directory.ensure:/etc/etcd',
  'prepare/etcd-2/directory.ensure:/etc/etcd/pki.d',
  'prepare/etcd-2/directory.ensure:/var/lib/etcd',
  'prepare/etcd-2/binary.install',
  'prepare/etcd-2/binary.link',
  'prepare/etcd-2/generation.prepare',
  'prepare/etcd-2/key.make',
  'prepare/operator/authority.make',
  'prepare/operator/admin.issue',
  'issue/operator/cert.issue:etcd-2',
  'configure/etcd-2/pki.put',
  'configure/etcd-2/pki.switch',
  'configure/etcd-2/file.put:/etc/bash_completion.d/etcdctl',
  'configure/etcd-2/file.put:/etc/etcd/etcd-config.yml',
  'configure/etcd-2/file.put:/etc/etcd/record-start.sh',
  'configure/etcd-2/file.put:/etc/etcd/record-starting.sh',
  'configure/etcd-2/file.put:/etc/profile.d/etcdctl.sh',
  'configure/etcd-2/file.put:/etc/systemd/system/etcd.service',
  'configure/etcd-2/record.attempt',
  'start/etcd-2/unit.enable',
  'start/etcd-2/unit.start',
  'prove/operator/cluster.await',
  'prove/operator/cluster.prove',
  'prove/operator/formation.note',
  'mark/etcd-2/marker.put',
];

describe('bootstrap killed behind every single step', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-steps' });
  });
  afterAll(() => stage?.down());

  it('has no other steps than those that follow', async () => {
    const plan = await stage.quorate(['plan', '--json']);
    const stages: readonly { readonly steps: readonly { readonly id: string }[] }[] = JSON.parse(plan.stdout).stages;
    const ids = stages.flatMap((each) => each.steps).map((each) => each.id);
    expect(ids.filter((id) => !/etcd-[13]/.test(id))).toEqual(steps);
  });

  it.each(steps)('goes on behind %s', async (step) => {
    const identityExists = step !== steps[0];
    const killed = await stage.quorate(bootstrapArguments(identityExists), { env: { QUORATE_FAILPOINT: step } });
    expect(killed.signal, killed.stdout + killed.stderr).toBe('SIGKILL');
    const run = await stage.quorate(bootstrapArguments(true));
    expect(run.status, run.stdout + run.stderr).toBe(0);
    await expectHealthy(stage);
    await expectOnePki(stage);
    const reset = await stage.quorate(['reset', '--yes-destroy', stage.cluster, '--delete-data']);
    expect(reset.status, reset.stderr).toBe(0);
    for (const host of stage.lab.hosts)
      await host.sh('rm -rf /var/lib/quorate /etc/etcd /usr/local/lib/etcd; userdel etcd');
    await rm(join(stage.folder, '.quorate'), { recursive: true });
  });
});
