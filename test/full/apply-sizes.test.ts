/** apply, restart, stop and start on one, three and five members: under load where the cluster can serve meanwhile, each followed by an empty plan. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { expectDone, expectRefusal, until } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectOrder } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const CONFIG = '/etc/etcd/etcd-config.yml';

describe.each([1, 3, 5])('on %i members', (size) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `apply-${size}`, hosts: size });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  const downtime = size === 1 ? ['--allow-downtime'] : [];

  function invocations(): Promise<readonly string[]> {
    return Promise.all(stage.lab.hosts.map((host) => host.sh('systemctl show -p InvocationID --value etcd')));
  }

  async function run(...args: readonly string[]): Promise<void> {
    expectDone(await stage.quorate([...args, '--yes']));
  }

  /** One member cannot serve while it restarts. */
  async function loaded(scenario: string, ...args: readonly string[]): Promise<void> {
    if (size === 1) await run(...args, ...downtime);
    else expectUndisturbed(await underLoad(stage, `${scenario}, ${size} members`, () => run(...args)));
  }

  it('rolls a setting, and restarts every process once', async () => {
    const before = await invocations();
    await stage.edit((text) => `${text}etcd:\n  quota-backend-bytes: 4294967296\n`);
    if (size === 1) expect(expectRefusal(await stage.quorate(['apply', '--yes']), 13)).toContain('--allow-downtime');
    await loaded('apply', 'apply');
    const between = await invocations();
    expect(between.filter((each) => before.includes(each))).toEqual([]);
    await expectOrder(stage);
    expect(await invocations()).toEqual(between);
  });

  it.runIf(size < 5)('restarts every process once', async () => {
    const before = await invocations();
    await loaded('restart', 'restart');
    expect((await invocations()).filter((each) => before.includes(each))).toEqual([]);
    await expectOrder(stage);
  });

  it.runIf(size === 3)('refuses a restart with one of three broken, and restarts that one alone', async () => {
    await stage.host(2).sh('systemctl stop etcd');
    const before = await invocations();
    expect(expectRefusal(await stage.quorate(['restart', '--yes']), 13)).toContain('--member etcd-2');
    expect(await invocations()).toEqual(before);
    await run('restart', '--member', 'etcd-2');
    await expectOrder(stage);
  });

  it.runIf(size === 5)('restarts all with one of five broken, that one first', async () => {
    await stage.host(4).sh('systemctl stop etcd');
    await loaded('restart, one broken', 'restart');
    const script = 'systemctl show -p ActiveEnterTimestampMonotonic --value etcd';
    const started = await Promise.all(stage.lab.hosts.map(async (host) => Number(await host.sh(script))));
    expect(started.indexOf(Math.min(...started))).toBe(3);
    await expectOrder(stage);
  });

  it.runIf(size < 5)('stops by name alone, and a whole stopped cluster starts with its data', async () => {
    await stage.etcdctl(1, 'put /kept value');
    expect(expectRefusal(await stage.quorate(['stop', '--yes-stop', 'other']), 13)).toContain(stage.cluster);
    expectDone(await stage.quorate(['stop', '--yes-stop', stage.cluster]));
    for (const host of stage.lab.hosts)
      expect(await host.exec('systemctl is-active -q etcd')).toMatchObject({ status: 3 });
    expect(expectRefusal(await stage.quorate(['apply', '--yes', ...downtime]), 13)).toContain('quorate start');
    await run('start');
    expect(await stage.etcdctl(1, 'get /kept --print-value-only')).toBe('value\n');
    await expectOrder(stage);
  });

  it.runIf(size === 3)(
    'tells a wiped member from a stopped one, and starts the others when they are named',
    async () => {
      expectDone(await stage.quorate(['stop', '--yes-stop', stage.cluster]));
      await stage.host(3).sh('mv /var/lib/etcd/member /var/lib/etcd-lost');
      const said = expectRefusal(await stage.quorate(['start', '--yes']), 13);
      expect(said).toContain('etcd-3: was a member and has no data now: it is not stopped, it is lost');
      expect(said).toContain('--member etcd-1 etcd-2');
      for (const host of stage.lab.hosts)
        expect(await host.exec('systemctl is-active -q etcd')).toMatchObject({ status: 3 });
      await run('start', '--member', 'etcd-1', 'etcd-2');
      expect(await stage.etcdctl(1, 'get /kept --print-value-only')).toBe('value\n');
      await stage.host(3).sh('mv /var/lib/etcd-lost /var/lib/etcd/member');
      await run('start');
      await expectOrder(stage);
    },
  );

  it.runIf(size === 3)(
    'starts no other member with what is untried after a power cut of all in the middle of a roll',
    async () => {
      const before = await Promise.all(stage.lab.hosts.map((host) => host.sh(`sha256sum ${CONFIG}`)));
      const { members } = JSON.parse((await stage.quorate(['status', '--json'])).stdout);
      const { name } = members.find((each: { isLeader: boolean }) => !each.isLeader);
      // Followers come in the order of the inventory: this one's turn is the first. etcd does not start with the value.
      const inventory = await readFile(stage.inventory, 'utf8');
      const bad = { 'auth-token': 'jwt,pub-key=/none,priv-key=/none,sign-method=RS256' };
      await stage.edit((text) => stringify({ ...parse(text), etcd: { ...parse(text).etcd, ...bad } }));
      await stage.etcdctl(1, 'put /cut value');
      const env = { QUORATE_FAILPOINT: `roll/${name}/file.put:${CONFIG}` };
      expect((await stage.quorate(['apply', '--yes'], { env })).signal).toBe('SIGKILL');
      await Promise.all(stage.lab.hosts.map((host) => host.powerCut()));
      await Promise.all(stage.lab.hosts.map((host) => host.start()));
      const others = stage.lab.hosts.filter((host) => host.name !== name);
      await until('the other members serve', async () => {
        const states = await Promise.all(others.map((host) => host.exec('systemctl is-active -q etcd')));
        return states.every(({ status }) => status === 0) || undefined;
      });
      const after = await Promise.all(stage.lab.hosts.map((host) => host.sh(`sha256sum ${CONFIG}`)));
      expect(stage.lab.hosts.filter((_, index) => after[index] !== before[index]).map((host) => host.name)).toEqual([
        name,
      ]);
      await stage.edit(() => inventory);
      await run('apply');
      expect(await stage.etcdctl(1, 'get /cut --print-value-only')).toBe('value\n');
      await expectOrder(stage);
    },
  );
});
