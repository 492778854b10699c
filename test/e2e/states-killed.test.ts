/** Runs that are killed: running again goes on, and a member that was begun is never begun a second time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy, expectRefusal } from './host-state.ts';
import { expectOnePki } from './pki-state.ts';
import { bootstrapArguments, killMembers, openStage, type Stage } from './stage.ts';

const stages = ['operator', 'prepare', 'issue', 'configure', 'start', 'prove', 'mark'] as const;
const again = bootstrapArguments(true);
const wipe = 'find /var/lib/etcd -mindepth 1 -delete';

/** What is left to do when a run was killed behind a stage: until a host has noted its attempt, the token is made anew. */
const left = {
  operator: stages,
  prepare: ['operator', 'issue', 'configure', 'start', 'prove', 'mark'],
  issue: ['operator', 'issue', 'configure', 'start', 'prove', 'mark'],
  configure: ['start', 'prove', 'mark'],
  start: ['prove', 'mark'],
  prove: ['prove', 'mark'],
  mark: [],
} as const;

/** Runs bootstrap until it kills itself behind a stage. */
async function killBehind(stage: Stage, point: string, identityExists = true): Promise<void> {
  const env = { QUORATE_FAILPOINT: `stage:${point}` };
  const run = await stage.quorate(bootstrapArguments(identityExists), { env });
  expect(run.signal, run.stdout + run.stderr).toBe('SIGKILL');
}

describe('bootstrap', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-killed' });
  });
  afterAll(() => stage?.down());

  it.each(stages)('killed behind the stage %s leaves what goes on with the next', async (point) => {
    await killBehind(stage, point, point !== 'operator');
    const plan = await stage.quorate(['plan', '--json']);
    expect(plan.status, plan.stderr).toBe(0);
    expect(JSON.parse(plan.stdout).stages.map((each: { id: string }) => each.id)).toEqual(left[point]);
  });

  it('killed behind each of its stages ends healthy, with one set of authorities', async () => {
    expect((await stage.quorate(again)).status).toBe(0);
    await expectHealthy(stage);
    await expectOnePki(stage);
  });

  it('killed between the first healthy moment and the marker is refused once two data dirs are wiped', async () => {
    await startOver(stage);
    await killBehind(stage, 'prove');
    await stage.etcdctl(3, 'put precious value');
    await stage.host(3).sh('systemctl stop etcd');
    await Promise.all([1, 2].map((number) => stage.host(number).sh(`${wipe}; systemctl kill -s KILL etcd`)));
    await Promise.all([1, 2].map((number) => untilRefused(stage, number)));
    await expectRefusal(stage, again, {
      status: 13,
      words: [
        'etcd-1, etcd-2: were started before and have no data now, while etcd-3 has',
        'save a snapshot from etcd-3',
      ],
      data: [],
    });
    await Promise.all([1, 2].map((number) => stage.host(number).sh('systemctl stop etcd')));
    for (const args of [['plan'], again]) {
      await expectRefusal(stage, args, { status: 13, words: ['etcd-1, etcd-2: were started before'] });
    }
    expect(await stage.host(3).sh('cat /var/lib/etcd/member/wal/*.wal | grep -c precious')).not.toBe('0\n');
  });

  it('goes on where a first start came to nothing, as long as no host has data', async () => {
    await startOver(stage);
    await killBehind(stage, 'configure');
    const broken = '[Service]\nExecStartPre=/bin/false\n';
    for (const host of stage.lab.hosts) await host.putFile('/etc/systemd/system/etcd.service.d/z.conf', broken, 0o644);
    await killBehind(stage, 'start');
    await Promise.all([1, 2, 3].map((number) => untilRefused(stage, number)));
    for (const host of stage.lab.hosts)
      await host.sh('rm -r /etc/systemd/system/etcd.service.d; systemctl daemon-reload');
    expect(await stage.host(1).sh('cat /var/lib/quorate/starting.json')).toContain('uuid');
    const run = await stage.quorate(again);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toContain('it tries to start and has no data yet');
    await expectHealthy(stage);
  });

  it('knows a member that joined the others later, and lost its data before the marks', async () => {
    await startOver(stage);
    await killBehind(stage, 'configure');
    const env = { QUORATE_FAILPOINT: 'start/etcd-3/unit.enable' };
    expect((await stage.quorate(again, { env })).signal).toBe('SIGKILL');
    await expect.poll(() => hasData(stage, 1), { timeout: 30_000 }).toBe(true);
    expect(await hasData(stage, 3)).toBe(false);
    await expect.poll(() => planned(stage), { timeout: 30_000 }).toContain('initial-cluster-state existing');
    await killBehind(stage, 'start');
    await expect.poll(() => hasData(stage, 3), { timeout: 30_000 }).toBe(true);
    await stage.host(3).sh(`systemctl stop etcd; ${wipe}`);
    await expectRefusal(stage, again, {
      status: 13,
      words: ['etcd-3: was started before and has no data now, while etcd-1, etcd-2 have'],
    });
  });

  it('goes on where hosts rebooted between being told to start at boot and their first start', async () => {
    await startOver(stage);
    await killBehind(stage, 'configure');
    for (const host of stage.lab.hosts) await host.sh('systemctl enable etcd');
    await Promise.all(stage.lab.hosts.map((host) => host.reboot()));
    const run = await stage.quorate(again);
    expect(run.status, run.stderr).toBe(0);
    await expectHealthy(stage);
  });
});

/** The hosts as they were before the first bootstrap, less account and cached binaries. */
async function startOver(stage: Stage): Promise<void> {
  await killMembers(stage);
  const run = await stage.quorate(['reset', '--yes-destroy', stage.cluster, '--delete-data']);
  expect(run.status, run.stderr).toBe(0);
  for (const host of stage.lab.hosts) await host.sh('journalctl -q --rotate --vacuum-time=1ms');
}

async function hasData(stage: Stage, number: number): Promise<boolean> {
  return (await stage.host(number).exec('ls /var/lib/etcd/member/wal/*.wal')).status === 0;
}

async function planned(stage: Stage): Promise<string> {
  return (await stage.quorate(['plan'])).stdout;
}

/** Until the unit of that host has tried to start again, and was not let. */
async function untilRefused(stage: Stage, number: number): Promise<void> {
  const script = "journalctl -b -u etcd --no-pager -o cat | grep -q 'this member was started before'";
  await expect.poll(async () => (await stage.host(number).exec(script)).status, { timeout: 30_000 }).toBe(0);
  expect((await stage.host(number).exec('ls /var/lib/etcd/member/wal/*.wal')).status).not.toBe(0);
}
