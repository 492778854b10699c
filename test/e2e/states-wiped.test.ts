/** Data dirs that are gone: no command may take a wiped member for a new one, and what is left of the data stays as it is. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy, expectRefusal, expectWords } from './host-state.ts';
import { bootstrapArguments, openStage, type Stage } from './stage.ts';

const again = bootstrapArguments(true);
const wipe = 'find /var/lib/etcd -mindepth 1 -delete';

/** Until etcd on that host has tried and failed at least once since its boot. */
async function untilFailed(stage: Stage, number: number): Promise<void> {
  const script = "journalctl -b -u etcd --no-pager -o cat | grep -q 'Failed with result'";
  await expect.poll(async () => (await stage.host(number).exec(script)).status, { timeout: 30_000 }).toBe(0);
}

describe('a formed cluster', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-wiped' });
    await stage.bootstrap();
    await stage.etcdctl(1, 'put precious value');
  });
  afterAll(() => stage?.down());

  it('is healthy by itself after a reboot of one host', async () => {
    await stage.host(2).reboot();
    await expect.poll(async () => (await stage.quorate(['status'])).status, { timeout: 30_000 }).toBe(0);
    expect(await stage.etcdctl(2, 'get precious --print-value-only')).toBe('value\n');
    await expectHealthy(stage);
  });

  it('is refused to an operator without its state directory, and to one with that of another cluster', async () => {
    const other = join(stage.folder, '..', 'other');
    await mkdir(other);
    await copyFile(stage.inventory, join(other, 'quorate.yml'));
    const inventory = ['-i', join(other, 'quorate.yml')];
    const asStranger = await expectRefusal(stage, ['bootstrap', '--yes', '--new-identity', 'other.txt', ...inventory], {
      status: 13,
      words: [/etcd-1: belongs to a cluster with UUID [0-9a-f-]{36}/, 'restore that state directory from its backup'],
      data: [],
    });
    expect(asStranger.stdout).not.toContain('wiped');
  });

  it('with one of three data dirs wiped under it is refused, and shown as degraded', async () => {
    // Every 30 s from its start on, etcd looks for files to purge, and ends where their folder is gone.
    await stage.host(2).sh(`systemctl restart etcd; ${wipe}`);
    for (const args of [again, ['plan'], ['plan', 'bootstrap']]) {
      await expectRefusal(stage, args, {
        status: 13,
        words: [
          'etcd-2: was started before and has no data now, while etcd-1, etcd-3 have',
          'a majority still has the data: quorate member replace etcd-2',
        ],
        data: [],
      });
    }
    const running = await stage.quorate(['status']);
    expectWords(running, [
      'degraded: quorum holds',
      'etcd-2: etcd.service runs, and its data is gone from /var/lib/etcd',
    ]);
    expect(running.status).toBe(2);
    await stage.host(2).exec('systemctl restart --no-block etcd');
    await untilFailed(stage, 2);
    const status = await stage.quorate(['status']);
    expectWords(status, ['degraded: quorum holds', /etcd-2.*down/]);
    expect(status.status).toBe(2);
    expect(await stage.etcdctl(1, 'get precious --print-value-only')).toBe('value\n');
  });

  it('with two of three wiped while stopped never becomes a new one, whatever is run', async () => {
    await Promise.all([1, 2, 3].map((number) => stage.host(number).sh('systemctl stop etcd')));
    await Promise.all([1, 2].map((number) => stage.host(number).sh(wipe)));
    const words = [
      'etcd-1, etcd-2: were started before and have no data now, while etcd-3 has',
      'save a snapshot from etcd-3 first',
    ];
    const data = ['/var/lib/etcd'];
    for (const args of [again, ['plan'], ['plan', 'bootstrap']]) {
      await expectRefusal(stage, args, { status: 13, words, data });
    }
    const status = await stage.quorate(['status']);
    expect(status.status).toBe(3);
    await Promise.all([1, 2].map((number) => stage.host(number).sh('systemctl start --no-block etcd')));
    await Promise.all([1, 2].map((number) => stage.host(number).reboot()));
    for (const number of [1, 2]) await untilFailed(stage, number);
    for (const number of [1, 2]) {
      expect((await stage.host(number).exec('ls /var/lib/etcd/member/wal/*.wal')).status).not.toBe(0);
    }
    const refused = await stage.quorate(again);
    expect(refused.status).toBe(13);
    expectWords(refused, words);
  });

  it('with two of three reinstalled never becomes a new one either', async () => {
    await Promise.all([1, 2].map((number) => stage.host(number).sh('systemctl stop etcd; rm -rf /var/lib/quorate')));
    await expectRefusal(stage, again, { status: 13, words: [/etcd-1, etcd-2: have neither data nor a record/] });
  });

  it('keeps the data of the third, also when it is given up by name', async () => {
    const count = (path: string) => stage.host(3).sh(`cat ${path}/member/wal/*.wal | grep -c precious`);
    expect(Number(await count('/var/lib/etcd'))).toBeGreaterThan(0);
    expect((await stage.quorate(['reset', '--yes-destroy', stage.cluster])).status).toBe(0);
    expect(Number(await count('/var/lib/etcd.2*'))).toBeGreaterThan(0);
  });

  it('is not built anew on machines that carry nothing of it, until it is given up by name', async () => {
    await stage.bootstrap();
    const all =
      'systemctl disable --now etcd; rm -rf /var/lib/quorate /var/lib/etcd /etc/etcd /etc/systemd/system/etcd.service';
    await Promise.all(stage.lab.hosts.map((host) => host.sh(all)));
    for (const args of [again, ['plan']]) {
      await expectRefusal(stage, args, { status: 13, words: ['its hosts carry nothing of it', 'check the addresses'] });
    }
    expect((await stage.quorate(['reset', '--yes-destroy', stage.cluster])).status).toBe(0);
    await stage.bootstrap();
    await expectHealthy(stage);
  });
});
