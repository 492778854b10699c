/** Hosts with Debian's etcd-server package, whose etcd starts itself at installation and would restart at upgrades. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy, expectRefusal, expectWords } from './host-state.ts';
import { bootstrapArguments, openStage, type Stage } from './stage.ts';

const bootstrap = bootstrapArguments(false);
const put = `ETCDCTL_API=3 etcdctl put foo bar`;

describe("hosts with Debian's etcd-server", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-debian', packages: ['etcd-server', 'etcd-client'] });
    for (const host of stage.lab.hosts) await host.sh('systemctl enable -q --now etcd');
    expect(await stage.host(1).sh('readlink /proc/$(systemctl show etcd -p MainPID --value)/exe')).toBe(
      '/usr/bin/etcd\n',
    );
  });
  afterAll(() => stage?.down());

  it('are refused where somebody keeps keys in it, and it goes on serving them', async () => {
    await stage.host(1).sh(put);
    for (const args of [bootstrap, ['plan']]) {
      await expectRefusal(stage, args, {
        status: 13,
        words: [
          "etcd-1: the distribution's etcd runs there and holds keys in /var/lib/etcd/default",
          'systemctl stop etcd',
        ],
        data: [],
      });
    }
    expect(await stage.host(1).sh('ETCDCTL_API=3 etcdctl get foo --print-value-only')).toBe('bar\n');
    await stage.host(1).sh('systemctl stop etcd; mv /var/lib/etcd/default /var/lib/etcd-unused; systemctl start etcd');
  });

  it('are refused where somebody set it up in /etc/default/etcd', async () => {
    await stage.host(2).sh('echo ETCD_HEARTBEAT_INTERVAL=200 >> /etc/default/etcd; systemctl restart etcd');
    await expectRefusal(stage, bootstrap, {
      status: 13,
      words: ["etcd-2: the distribution's etcd runs there with settings of its own in /etc/default/etcd"],
      data: [],
    });
    await stage.host(2).sh("sed -i '$d' /etc/default/etcd; systemctl restart etcd");
  });

  it('have it stopped and held as a step of the plan, and become a cluster', async () => {
    const plan = await stage.quorate(['plan']);
    expectWords(plan, ["stop the distribution's etcd.service and hold etcd-server", "the distribution's etcd runs as"]);
    await stage.bootstrap();
    await expectHealthy(stage);
    expect(await stage.host(1).sh('apt-mark showhold')).toBe('etcd-server\n');
    expect(await stage.host(1).sh('readlink /proc/$(systemctl show etcd -p MainPID --value)/exe')).toContain(
      '/usr/local/',
    );
    expect(await stage.host(1).sh('ls -d /var/lib/etcd/default')).toBe('/var/lib/etcd/default\n');
  });

  it('are healthy by themselves after a reboot of all', async () => {
    await Promise.all(stage.lab.hosts.map((host) => host.reboot()));
    await expect.poll(async () => (await stage.quorate(['status'])).status, { timeout: 60_000 }).toBe(0);
    await expectHealthy(stage);
  });
});
