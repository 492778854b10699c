/** States of hosts in which no cluster may be built yet: each is refused before anything changes, and says what to do. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRelease } from '../../src/lab/releases.ts';
import { expectHealthy, expectRefusal } from './host-state.ts';
import { bootstrapArguments, openStage, type Stage } from './stage.ts';

const version = '3.6.16';
const bootstrap = bootstrapArguments(false);

describe('hosts that are not ready', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-foreign', version });
    const { tarball } = await ensureRelease(version);
    const etcd = execFileSync('tar', ['-xzOf', tarball, `etcd-v${version}-linux-amd64/etcd`], { maxBuffer: 2 ** 28 });
    for (const number of [1, 2]) await stage.host(number).putFile('/opt/foreign/etcd', etcd, 0o755);
  });
  afterAll(() => stage?.down());

  it('refuses beside an etcd that somebody started by hand, and leaves it running', async () => {
    const host = stage.host(2);
    await host.sh(
      'systemd-run -q --unit=by-hand /opt/foreign/etcd --data-dir /opt/foreign/data --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379',
    );
    await expect.poll(async () => (await host.exec('curl -sf http://127.0.0.1:2379/health')).stdout).toContain('true');
    await host.sh(
      `curl -sf http://127.0.0.1:2379/v3/kv/put -d '{"key":"Zm9v","value":"YmFy"}' && systemctl show by-hand -p InvocationID > /opt/invocation`,
    );
    for (const args of [bootstrap, ['plan']]) {
      await expectRefusal(stage, args, {
        status: 13,
        words: [
          /etcd-2: another etcd runs there: \/opt\/foreign\/etcd \(pid \d+\)\s+in\s+by-hand\.service/,
          'look whose data it holds before you stop it',
        ],
      });
    }
    expect(await host.sh('systemctl show by-hand -p InvocationID | cmp - /opt/invocation && echo same')).toBe('same\n');
    expect(await host.sh(`curl -sf http://127.0.0.1:2379/v3/kv/range -d '{"key":"Zm9v"}'`)).toContain('YmFy');
    await host.sh('systemctl stop by-hand');
  });

  it('refuses where another process has port 2379, and names it', async () => {
    const host = stage.host(3);
    await host.sh('systemd-run -q --unit=squatter systemd-socket-activate -l 0.0.0.0:2379 /bin/cat');
    await expectRefusal(stage, bootstrap, {
      status: 13,
      words: [/etcd-3: port 2379 is taken by systemd-socket- \(pid \d+\)/, "ss -ltnp 'sport = :2379'"],
    });
    expect(await host.sh('systemctl is-active squatter')).toBe('active\n');
    await host.sh('systemctl stop squatter');
  });

  it('refuses where a data dir holds the data of another cluster, and leaves it as it is', async () => {
    const host = stage.host(1);
    await host.sh('systemd-run -q --unit=stranger /opt/foreign/etcd --data-dir /var/lib/etcd');
    await expect.poll(() => host.exec('ls /var/lib/etcd/member/wal/*.wal').then((each) => each.status)).toBe(0);
    await host.sh('systemctl stop stranger');
    for (const args of [bootstrap, ['plan'], ['plan', 'bootstrap']]) {
      await expectRefusal(stage, args, {
        status: 13,
        words: [
          'etcd-1: /var/lib/etcd holds the data of an etcd that this inventory did not make',
          'mv /var/lib/etcd /var/lib/etcd.old',
        ],
      });
    }
    await host.sh('mv /var/lib/etcd /var/lib/etcd.old');
  });

  it('refuses when the clock of one host is 94 s off, with the value and the limit', async () => {
    await stage.host(2).fakeClock(94);
    await expectRefusal(stage, bootstrap, {
      status: 13,
      words: ['etcd-2: clock is 94 s ahead of the median (limit 30 s)', 'synchronise the clocks'],
    });
    await stage.host(2).fakeClock(0);
  });

  it('refuses when the disk of the data dir or of the binaries is full, telling both', async () => {
    await stage.host(1).limitDisk('/usr/local', 64 * 2 ** 20);
    await stage.host(3).limitDisk('/var/lib/etcd', 4 * 2 ** 20);
    await stage.host(3).fillDisk('/var/lib/etcd');
    await expectRefusal(stage, bootstrap, {
      status: 13,
      words: [
        /etcd-1: the disk is full: \d+ MB are free for \/usr\/local\/lib\/etcd \(limit 268 MB\)/,
        'etcd-3: the disk is full: 0 MB are free for /var/lib/etcd (limit 1.1 GB)',
        'df -h /var/lib/etcd',
      ],
      data: [],
    });
    await stage.host(1).unmount('/usr/local');
    await stage.host(3).unmount('/var/lib/etcd');
    await stage.host(3).sh('rmdir /var/lib/etcd');
  });

  it('names every host that is down, and changes nothing on the other', async () => {
    await Promise.all([stage.host(2).powerCut(), stage.host(3).powerCut()]);
    await expectRefusal(stage, bootstrap, {
      status: 12,
      words: ['2 of 3 hosts cannot be reached', /etcd-2: .*22/, /etcd-3: .*22/],
    });
    await Promise.all([stage.host(2).start(), stage.host(3).start()]);
  });

  it('bootstraps the same hosts once all of that is mended, and has made nothing before', async () => {
    expect(existsSync(join(stage.folder, 'identity.txt'))).toBe(false);
    expect(existsSync(join(stage.folder, '.quorate'))).toBe(false);
    await stage.bootstrap();
    await expectHealthy(stage);
  });
});
