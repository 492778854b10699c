/** The load that proves certificates' verbs is itself proved: it counts failures, sees lost writes, and makes no gaps of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  GAP_LIMIT_MS,
  keptFolder,
  loadStage,
  RATE_LIMIT,
  retriesOf,
  type StageLoad,
  tellFigures,
} from '../e2e/load/on-stage.ts';
import { startSampler } from '../e2e/load/sampler.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

describe('the load', () => {
  let stage: Stage;
  let load: StageLoad | undefined;
  beforeAll(async () => {
    stage = await openStage({ name: 'proof-load' });
    await stage.bootstrap();
  });
  afterEach(() => load?.kill());
  afterAll(() => stage?.down());

  it('finds a quiet cluster without failures, retries, lost writes and gaps', async () => {
    load = await loadStage(stage);
    await load.phase('quiet');
    await sleep(8_000);
    const report = await load.end();
    tellFigures('quiet cluster', report);
    expect(report.total).toMatchObject({ failed: 0, stale: 0 });
    expect(retriesOf(report.total)).toEqual({});
    expect(report.store).toMatchObject({ lost: 0, strangers: 0, hashesEqual: true });
    expect(report.store.looked).toBe(report.total.acknowledged);
    expect(report.total.acknowledged / report.total.seconds).toBeGreaterThan(RATE_LIMIT);
    expect(report.total.longestGapMs - report.total.ownPauseMs).toBeLessThan(GAP_LIMIT_MS / 4);
  });

  it('goes on with one member stopped, and counts failures and a gap without quorum', async () => {
    load = await loadStage(stage);
    await sleep(1_000);
    await load.phase('one stopped');
    await stage.host(1).sh('systemctl stop etcd');
    await sleep(4_000);
    await load.phase('two stopped');
    await stage.host(2).sh('systemctl stop etcd');
    await sleep(8_000);
    await load.phase('mended');
    await Promise.all([1, 2].map((number) => stage.host(number).sh('systemctl start etcd')));
    await sleep(3_000);
    const report = await load.end();
    tellFigures('members stopped', report);
    const [, one, two, mended] = report.phases;
    expect(one).toMatchObject({ failed: 0, stale: 0 });
    expect(retriesOf(report.total)['refused: connect ECONNREFUSED']).toBeGreaterThan(0);
    expect(two?.failed).toBeGreaterThan(50);
    expect(two?.longestGapMs).toBeGreaterThan(5_000);
    expect(mended?.acknowledged).toBeGreaterThan(0);
    expect(report.failures[0]).toMatch(
      /^\S+: (put|get) .*: .*(no (answer|connection) in time|ECONNREFUSED|etcdserver: )/,
    );
    expect(report.store).toMatchObject({ lost: 0, strangers: 0, hashesEqual: true });
  });

  it('sees a write that is lost, and one that has another value, on every member and by both kinds of read', async () => {
    load = await loadStage(stage);
    await sleep(2_000);
    const keys = await stage.etcdctl(1, 'get /load/ --prefix --keys-only --sort-by=CREATE --order=DESCEND --limit=400');
    const [first = '', second = ''] = keys
      .split('\n')
      .filter((key) => key.includes('/persistent/'))
      .slice(10);
    expect(await stage.etcdctl(1, `del ${first}`)).toBe('1\n');
    await stage.etcdctl(1, `put ${second} other`);
    await stage.etcdctl(1, `put ${second.replace(/\d+$/, 'nobody')} stranger`);
    const { store } = await load.end();
    expect(store.lost).toBe(2 * 3 * 2);
    expect(store.strangers).toBe(3 * 2);
    expect(store.examples).toContain(`etcd-1 linearizable: ${first} is missing`);
    expect(store.examples).toContain(`etcd-3 serializable: ${second} is "other"`);
    expect(store.hashesEqual).toBe(true);
  });

  it('tells a client whose certificate nobody trusts by its alert', async () => {
    load = await loadStage(stage);
    await sleep(500);
    await load.phase('trust of a stranger');
    await writeFile(join(keptFolder(stage), 'ca.crt'), await stage.host(1).sh('cat /etc/etcd/pki/peer-ca.crt'));
    await sleep(1_000);
    const figures = await load.phase('end');
    expect(Object.keys(retriesOf(figures, 'fresh')).join()).toMatch(/^tls: /);
    expect(retriesOf(figures, 'old-trust')).toEqual({});
  });

  it('sees a pair that does not fit, and a leaf that peers do not trust, and nothing else', async () => {
    const quiet = startSampler(stage);
    await sleep(3_000);
    const before = await quiet.stop();
    expect(before.problems).toEqual([]);
    expect(before.handshakes).toBeGreaterThan(40);
    expect(before.served['etcd-2 :2380']).toEqual([expect.stringContaining('peer CA 1')]);
    const sampler = startSampler(stage);
    await stage.host(1).sh('cd /etc/etcd/pki.d/1; cp -a server.key keep; cat client.key > server.key');
    await stage.host(2).sh(`cd /etc/etcd/pki.d/1; cp -a peer.crt keep
      openssl req -x509 -key peer.key -subj /CN=stranger -days 2 -out /root/x.crt && cat /root/x.crt >peer.crt`);
    await sleep(5_000);
    await stage.host(1).sh('cd /etc/etcd/pki.d/1; mv keep server.key');
    await stage.host(2).sh('cd /etc/etcd/pki.d/1; mv keep peer.crt');
    const { problems } = await sampler.stop();
    expect([...problems].sort()).toEqual([
      'etcd-1 :2379: ends the handshake: internal error (80)',
      'etcd-2 :2380: is of stranger, which etcd-1 does not trust',
      'etcd-2 :2380: is of stranger, which etcd-3 does not trust',
    ]);
  });
});
