/** Clusters of one and of five members, built like those of three. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy, expectRefusal } from './host-state.ts';
import { expectOnePki } from './pki-state.ts';
import { bootstrapArguments, openStage, type Stage } from './stage.ts';

describe.each([1, 5])('a cluster of %i', (hosts) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `bad-size-${hosts}`, hosts });
  });
  afterAll(() => stage?.down());

  it('is bootstrapped, healthy, and found again', async () => {
    const run = await stage.bootstrap();
    expect(run.stderr.includes('one member survives no failure')).toBe(hosts === 1);
    const status = JSON.parse((await stage.quorate(['status', '--json'])).stdout);
    expect(status.state).toBe('healthy');
    expect(status.members.filter((each: { role: string }) => each.role === 'voter')).toHaveLength(hosts);
    expect(status.members.filter((each: { isLeader: boolean }) => each.isLeader)).toHaveLength(1);
    await stage.etcdctl(hosts, 'put precious value');
    expect(await stage.etcdctl(1, 'get precious --print-value-only')).toBe('value\n');
    await expectHealthy(stage);
    await expectOnePki(stage);
  });

  it('that lost all of its data is not formed anew', async () => {
    for (const host of stage.lab.hosts) {
      await host.sh('systemctl stop etcd; find /var/lib/etcd -mindepth 1 -delete');
    }
    await expectRefusal(stage, bootstrapArguments(true), {
      status: 13,
      words: ['this cluster has been healthy (since', 'no member has its data any more', 'restore a snapshot'],
    });
  });
});
