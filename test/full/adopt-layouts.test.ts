/** Clusters in the layouts of Debian's package and of kubeadm: the one comes to quorate's own layout under load, the other is looked at, and handed over in units. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { expectDone } from '../e2e/environment.ts';
import { foreignPki } from '../e2e/foreign-cluster.ts';
import { debianEtcdctl, makeDebian, makePods, podEtcdctl, takeOutOfPod } from '../e2e/foreign-layouts.ts';
import { expectHealthy, expectRefusal, expectWords } from '../e2e/host-state.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectOrder } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const takeIn = (stage: Stage): readonly string[] => [
  ...['adopt', '--yes', '--ca-key', join(foreignPki(stage), 'ca.key'), '--new-identity', 'identity.txt'],
];

/** What `adopt` wrote is the stage's inventory from then on, with the lab's release. */
async function wear(stage: Stage, file: string, binaries?: object): Promise<void> {
  const adopted = parse(readFileSync(join(stage.folder, file), 'utf8'));
  await stage.edit(() => stringify(binaries === undefined ? adopted : { ...adopted, binaries }));
}

function processes(stage: Stage): Promise<readonly string[]> {
  return Promise.all(stage.lab.hosts.map((host) => host.sh('pgrep -x etcd')));
}

describe("Debian's etcd-server, set up in /etc/default/etcd", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'adopt-deb', version: '3.4.23', packages: ['etcd-server', 'etcd-client'] });
    await makeDebian(stage);
    await stage.host(1).sh(`${debianEtcdctl(stage)} put greeting hello`);
  });
  afterAll(() => stage?.down());

  it('is adopted as it is, and told what the first apply changes', async () => {
    const before = await processes(stage);
    const run = expectDone(await stage.quorate([...takeIn(stage), '--out', 'adopted.yml']));
    expectWords(run, ['distribution', 'etcd.service (etcd)', 'hold etcd-server']);
    expect(await processes(stage)).toEqual(before);
    await wear(stage, 'adopted.yml');
    const { paths, etcd } = parse(readFileSync(stage.inventory, 'utf8'));
    expect([paths.dataDir, etcd['heartbeat-interval']]).toEqual(['/var/lib/etcd/default', 200]);
    expect((await stage.quorate(['plan', '--exit-code'])).status).toBe(2);
  });

  it("comes to its own layout under load: the package's unit runs nowhere, the package is held, and no host has two", async () => {
    const outcome = await underLoad(stage, "apply, adopted from Debian's package", async () => {
      expectDone(await stage.quorate(['apply', '--yes']));
    });
    expectUndisturbed(outcome);
    await expectOwn();
    await expectOrder(stage);
    expect(await stage.etcdctl(2, 'get greeting --print-value-only')).toBe('hello\n');
  });

  it('is healthy by itself after a reboot of all, and after the package has been installed anew', async () => {
    await Promise.all(stage.lab.hosts.map((host) => host.reboot()));
    await stage.host(3).sh('dpkg-reconfigure -f noninteractive etcd-server');
    await expect.poll(async () => (await stage.quorate(['status'])).status, { timeout: 90_000 }).toBe(0);
    await expectOwn();
    await expectHealthy(stage);
  });

  /** One etcd a host, in quorate's unit, and the package held. */
  async function expectOwn(): Promise<void> {
    for (const host of stage.lab.hosts) {
      expect(await host.sh('pgrep -cx etcd; apt-mark showhold; systemctl show -p FragmentPath --value etcd')).toBe(
        '1\netcd-server\n/etc/systemd/system/etcd.service\n',
      );
    }
  }
});

describe("kubeadm's static pods", () => {
  const version = '3.5.35';
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'adopt-pods', version });
    await makePods(stage, version);
    await stage.host(1).sh(`${podEtcdctl(stage)} put greeting hello`);
  });
  afterAll(() => stage?.down());

  it('are described, and not taken in; no verb changes them', async () => {
    const before = await processes(stage);
    const data = ['/etc/kubernetes'];
    const words = ['kubeadm', 'static-pod (root)', 'by the kubelet, as static pods', /by hand|as a unit/];
    await expectRefusal(stage, [...takeIn(stage), '--out', 'pods.yml'], { status: 13, words, data });
    const { cluster, controllers } = parse(readFileSync(join(stage.folder, 'pods.yml'), 'utf8'));
    expect([cluster.version, Object.keys(controllers)]).toEqual([version, ['etcd-1', 'etcd-2', 'etcd-3']]);
    for (const verb of [
      ['bootstrap', '--yes', '--new-identity', 'other.txt'],
      ['apply', '--yes'],
    ])
      await expectRefusal(stage, [...verb, '-i', 'pods.yml'], { status: 13, words: [], data });
    expect(await processes(stage)).toEqual(before);
  });

  it('taken out of their pods one after another, they are adopted, and come to its own layout under load', async () => {
    for (const host of stage.lab.hosts) {
      await takeOutOfPod(stage, host);
      await expect
        .poll(async () => (await stage.host(1).exec(`${podEtcdctl(stage)} endpoint health --cluster`)).status, {
          timeout: 30_000,
        })
        .toBe(0);
    }
    const { binaries } = parse(readFileSync(stage.inventory, 'utf8'));
    expectDone(await stage.quorate([...takeIn(stage), '--out', 'units.yml']));
    await wear(stage, 'units.yml', binaries);
    const outcome = await underLoad(stage, 'apply, adopted from static pods', async () => {
      expectDone(await stage.quorate(['apply', '--yes']));
    });
    expectUndisturbed(outcome);
    await expectOrder(stage);
    expect(await stage.etcdctl(2, 'get greeting --print-value-only')).toBe('hello\n');
  });
});
