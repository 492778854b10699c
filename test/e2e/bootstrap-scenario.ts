/** A cluster of an etcd minor from its first bootstrap to the next, on real hosts. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

/** Tests that a cluster of this version is formed, proved, found again and usable. */
export function formingTests(version: string): () => Stage {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `boot-${version.replaceAll('.', '-')}`, version });
  });
  afterAll(() => stage?.down());

  it('forms a healthy cluster and proves it', async () => {
    const run = await stage.bootstrap();
    expect(run.stdout).toContain('prove identity, agreement, mutual authentication');
    expect(run.stderr).toContain('verified: nothing to do');
    const status = await stage.quorate(['status', '--json']);
    expect(status.status).toBe(0);
    const health = JSON.parse(status.stdout);
    expect(health.state).toBe('healthy');
    expect(health.members.map((each: { versionRunning: string }) => each.versionRunning)).toEqual([
      version,
      version,
      version,
    ]);
  });

  it('finds nothing to do the second time, with reasons', async () => {
    const again = await stage.quorate(['bootstrap', '--yes']);
    expect(again.status).toBe(0);
    expect(again.stdout).toContain('nothing to do on 3 hosts');
    expect(again.stdout).toMatch(/etcd-1: configuration matches, certificates valid for 36\d d/);
    const plan = await stage.quorate(['plan', '--exit-code']);
    expect(plan.status).toBe(0);
  });

  it('lets people use etcdctl on the hosts', async () => {
    await stage.etcdctl(1, 'put greeting hello');
    expect(await stage.etcdctl(3, 'get greeting --print-value-only')).toBe('hello\n');
    expect(await stage.host(1).sh('stat -c %a:%U:%G /etc/etcd/pki/server.key /etc/etcd/pki/client.key')).toBe(
      '600:etcd:etcd\n640:root:etcd\n',
    );
  });

  it('leaves initial-cluster-state existing in the file, and nothing in /run', async () => {
    const text = await stage.host(2).sh('cat /etc/etcd/etcd-config.yml; ls /run/quorate/bootstrap 2>&1 || true');
    expect(text).toContain('initial-cluster-state: "existing"');
    expect(text).toContain('No such file or directory');
  });
  return () => stage;
}

/** Tests that the cluster of {@link formingTests} outlives a reboot of all hosts, and can be taken away and built again. */
export function outlivingTests(staged: () => Stage): void {
  it('is healthy by itself after a reboot of all hosts at once', async () => {
    const stage = staged();
    await Promise.all([1, 2, 3].map((number) => stage.host(number).reboot()));
    await expect.poll(async () => (await stage.quorate(['status'])).status, { timeout: 60_000, interval: 500 }).toBe(0);
    expect(await stage.etcdctl(2, 'get greeting --print-value-only')).toBe('hello\n');
    expect((await stage.quorate(['plan', '--exit-code'])).status).toBe(0);
  });

  it('is taken away by reset, data moved aside, and can be built again', async () => {
    const stage = staged();
    const refused = await stage.quorate(['reset', '--yes-destroy', 'other']);
    expect(refused.status).toBe(13);
    const asked = await stage.quorate(['reset']);
    expect(asked.status).toBe(10);
    expect((await stage.quorate(['reset', '--yes-destroy', stage.cluster])).status).toBe(0);
    expect(await stage.host(1).sh('ls -d /var/lib/etcd.2*')).toMatch(/^\/var\/lib\/etcd\.\d{8}T\d{6}Z\n$/);
    await stage.bootstrap();
    expect(await stage.etcdctl(1, 'get greeting --print-value-only')).toBe('');
  });
}
