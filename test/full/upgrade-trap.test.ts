/** What goes wrong on the way up: a member that does not come up, and the log that 3.7 does not start with; and the way down. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../src/lab/host.ts';
import { ensureRelease } from '../../src/lab/releases.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectOrder } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const CONFIG = '/etc/etcd/etcd-config.yml';
const BINARY = '/usr/local/lib/etcd/3.6.16/etcd';

describe('upgrade', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'trap', version: '3.5.35', releases: ['3.6.16', '3.7.3'] });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  /** Followers in the order of their turns, and the leader, which is the last. */
  async function turns(): Promise<readonly LabHost[]> {
    const { members } = JSON.parse((await stage.quorate(['status', '--json'])).stdout);
    const led = members.find((each: { isLeader: boolean }) => each.isLeader);
    const hosts = stage.lab.hosts.filter(({ name }) => name !== led.name);
    return [...hosts, stage.lab.host(led.name)];
  }

  function want(version: string): Promise<void> {
    return stage.edit((text) => text.replace(/^( {2}version: ).*$/m, `$1"${version}"`));
  }

  function running(): Promise<readonly string[]> {
    const script = 'readlink /proc/$(systemctl show -p MainPID --value etcd)/exe';
    return Promise.all(stage.lab.hosts.map(async (host) => (await host.sh(script)).split('/').at(-2) ?? ''));
  }

  it('acceptance 13: takes a member back that does not come up, stops, tells what is true, and goes on once it is mended', async () => {
    const upgrade = ['upgrade', '--to', '3.6.16', '--yes'];
    const killed = await stage.quorate(upgrade, { env: { QUORATE_FAILPOINT: 'stage:3.6.16-prepare' } });
    expect(killed.signal).toBe('SIGKILL');
    const [first, broken, last] = await turns();
    if (first === undefined || broken === undefined || last === undefined) throw new Error('three hosts are needed');
    const script = '#!/bin/sh\necho "error while loading shared libraries" >&2\nexit 127\n';
    await broken.putFile('/root/broken-etcd', script, 0o755);
    await broken.sh(`mount --bind /root/broken-etcd ${BINARY}`);
    const config = await broken.sh(`sha256sum ${CONFIG}`);
    const failed = await stage.quorate(upgrade);
    const said = failed.stderr.replaceAll(/\s+/g, ' ');
    expect([failed.status, said]).toEqual([14, expect.stringMatching(/taken back \(.*3\.5\.35.*\); it serves again/)]);
    expect(said).toContain('members whose turn had not come were not touched');
    expect(said).toContain('error while loading shared libraries');
    expect(await broken.sh('readlink /usr/local/bin/etcd')).toBe('/usr/local/lib/etcd/3.5.35/etcd\n');
    expect(await broken.sh(`sha256sum ${CONFIG}`)).toBe(config);
    const expected = stage.lab.hosts.map(({ name }) => (name === first.name ? '3.6.16' : '3.5.35'));
    expect(await running()).toEqual(expected);
    expect((await stage.quorate(['status'])).status).toBe(0);
    await stage.etcdctl(1, 'put /mixed value');
    await broken.unmount(BINARY);
    expectDone(await stage.quorate(upgrade));
    expect(await running()).toEqual(['3.6.16', '3.6.16', '3.6.16']);
    await want('3.6.16');
    await expectOrder(stage);
  });

  it('has to leave the log of 3.5 behind: 3.7 crashes with it by hand, and goes up with apply', async () => {
    const [first] = await turns();
    if (first === undefined) throw new Error('three hosts are needed');
    const { tarball } = await ensureRelease('3.7.3');
    const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
    const entry = list.find((each) => each.endsWith('/etcd')) ?? '';
    const program = execFileSync('tar', ['-xzOf', tarball, entry], { maxBuffer: 200_000_000 });
    await first.putFile('/usr/local/bin/etcd-by-hand', program, 0o755);
    // The official procedure: stop, swap the binary, start.
    await first.sh('systemctl stop etcd');
    const started = `timeout 60 setpriv --reuid etcd --regid etcd --clear-groups /usr/local/bin/etcd-by-hand --config-file ${CONFIG}`;
    const crash = await first.exec(started);
    expect([crash.status, crash.stdout + crash.stderr]).toEqual([
      2,
      expect.stringMatching(/unmarshal should never fail.*cannot parse invalid wire-format data/s),
    ]);
    await first.sh('rm /usr/local/bin/etcd-by-hand; systemctl start etcd');

    await want('3.7.3');
    const plan = expectDone(await stage.quorate(['plan']));
    expect(plan.stdout.replaceAll(/\s+/g, ' ')).toContain('holds requests of 3.5 or older, which 3.7 cannot read');
    const run = expectDone(await stage.quorate(['apply', '--yes']));
    expect((run.stdout + run.stderr).replaceAll(/\s+/g, ' ')).toMatch(
      /every member has a raft snapshot past entry \d+/,
    );
    expect(await running()).toEqual(['3.7.3', '3.7.3', '3.7.3']);
    for (const host of stage.lab.hosts) {
      expect(await host.sh('systemctl show -p NRestarts --value etcd')).toBe('0\n');
      expect(await host.exec(`grep -x "snapshot-count: 100" ${CONFIG}`)).toMatchObject({ status: 1 });
    }
    await expectOrder(stage);
  });

  it('goes down from 3.7 to 3.5 in one command under load', async () => {
    const down = ['downgrade', '--to', '3.5.35', '--via', '3.6.16', '--yes'];
    const outcome = await underLoad(stage, 'downgrade 3.7.3 → 3.6.16 → 3.5.35', async () => {
      expectDone(await stage.quorate(down));
    });
    expectUndisturbed(outcome);
    expect(await running()).toEqual(['3.5.35', '3.5.35', '3.5.35']);
    await want('3.5.35');
    await expectOrder(stage);
  });
});
