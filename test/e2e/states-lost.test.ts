/** Hosts that go in the middle of a run, and runs that meet each other. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealthy, expectRefusal, expectWords } from './host-state.ts';
import { expectOnePki } from './pki-state.ts';
import { bootstrapArguments, copyOperator, killMembers, openStage, type Stage } from './stage.ts';

const again = bootstrapArguments(true);

describe('a host that loses its power', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-lost' });
  });
  afterAll(() => stage?.down());

  it('while the hosts are prepared ends the run, names it, and is caught up by the next', async () => {
    const running = stage.start(bootstrapArguments(false));
    await until(stage, 2, '[ -e /usr/local/lib/etcd ]');
    await stage.host(2).powerCut();
    const run = await running.ended;
    expect([12, 14], run.stderr).toContain(run.status);
    expectWords(run, [/etcd-2: .*(connection|lost|reached|answer)/]);
    const down = await stage.quorate(again);
    expect(down.status).toBe(12);
    expectWords(down, ['etcd-2']);
    await stage.host(2).start();
  });

  it('while the members start is told at once, and the cluster forms when it is back', async () => {
    const running = stage.start(again);
    await until(stage, 3, 'ls /var/lib/etcd/member/wal/*.wal');
    const began = Date.now();
    await stage.host(3).powerCut();
    const run = await running.ended;
    expect([12, 14], run.stderr).toContain(run.status);
    expectWords(run, ['etcd-3']);
    // Four to seven seconds here; three keepalives unanswered take forty, and nothing else may be waited for.
    expect(Date.now() - began).toBeLessThan(45_000);
    await stage.host(3).start();
    const mended = await stage.quorate(again);
    expect(mended.status, mended.stderr).toBe(0);
    await expectHealthy(stage);
    await expectOnePki(stage);
  });
});

/** Until a command succeeds on a host. */
async function until(stage: Stage, number: number, command: string): Promise<void> {
  await expect
    .poll(async () => (await stage.host(number).exec(command)).status, { timeout: 60_000, interval: 20 })
    .toBe(0);
}

describe('two runs at once', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'bad-locks' });
  });
  afterAll(() => stage?.down());

  it('one wins, and the other is told who holds the lock', async () => {
    await makeState(stage);
    const other = await copyOperator(stage, 'other');
    const first = stage.start(again);
    await untilLocked(stage, 1, first.pid);
    // It holds the lock, and stands still for as long as others are told so.
    process.kill(first.pid, 'SIGSTOP');
    const second = await stage.quorate([...again, '-i', other]);
    expectWords(second, [
      new RegExp(`etcd-1: locked by \\S+ \\(pid ${first.pid}\\) since 20\\S+ \\(bootstrap\\); its connection is alive`),
      'quorate unlock -i FILE',
    ]);
    expect(second.status).toBe(16);
    const unlock = await stage.quorate(['unlock']);
    expect(unlock.status).toBe(16);
    expectWords(unlock, [/etcd-1: locked by .*: its connection is alive/, 'the lock is held on']);
    process.kill(first.pid, 'SIGCONT');
    const won = await first.ended;
    expect(won.status, won.stderr).toBe(0);
    await expectHealthy(stage);
  });

  it('an inventory that lists only two of the three is refused, and told of the third', async () => {
    const other = await fewerHosts(stage, 'fewer');
    const refused = await expectRefusal(stage, [...again, '-i', other], {
      status: 13,
      words: [/this cluster has members that the inventory does not list: etcd-1 \(https:\/\/[\d.]+:2380\)/],
      data: [],
    });
    expect(refused.stdout).not.toContain('nothing to do');
  });

  it('a run that reaches other hosts meets the lock on those that both reach', async () => {
    await startOver(stage);
    const other = await fewerHosts(stage, 'two');
    const first = stage.start(again);
    await untilLocked(stage, 3, first.pid);
    process.kill(first.pid, 'SIGSTOP');
    const second = await stage.quorate([...again, '-i', other]);
    process.kill(first.pid, 'SIGCONT');
    expect(second.status, second.stderr).toBe(16);
    expectWords(second, [new RegExp(`etcd-2: locked by \\S+ \\(pid ${first.pid}\\)`)]);
    const won = await first.ended;
    expect(won.status, won.stderr).toBe(0);
    await expectHealthy(stage);
  });

  it('a run takes over the lock of one that was killed in the middle of a stage', async () => {
    await startOver(stage);
    const first = stage.start(again);
    await until(stage, 1, 'ls /var/lib/quorate/lock/run.*');
    first.kill('SIGKILL');
    await first.ended;
    const next = await stage.quorate(again);
    expectWords(next, ['etcd-1: took over the lock of a run that is gone']);
    expect(next.status, next.stderr).toBe(0);
    await expectHealthy(stage);
    await expectOnePki(stage);
  });

  it('unlock releases the lock of a run that is gone, and finds none afterwards', async () => {
    await startOver(stage);
    await stage.quorate(again, { env: { QUORATE_FAILPOINT: 'stage:configure' } });
    const began = Date.now();
    await expect.poll(async () => (await stage.quorate(['unlock'])).status, { timeout: 10_000 }).toBe(0);
    expect(Date.now() - began).toBeLessThan(5_000);
    const found = await stage.quorate(['unlock']);
    expectWords(found, ['etcd-1: not locked', 'etcd-2: not locked', 'etcd-3: not locked']);
  });
});

/** Identity and state directory, and nothing on the hosts yet: what two operators share. */
async function makeState(stage: Stage): Promise<void> {
  const run = await stage.quorate(bootstrapArguments(false), { env: { QUORATE_FAILPOINT: 'stage:operator' } });
  expect(run.signal, run.stderr).toBe('SIGKILL');
}

/** By this process: a lock that an earlier run left may be there before. */
async function untilLocked(stage: Stage, number: number, pid: number): Promise<void> {
  await until(stage, number, `grep -q '(pid ${pid})' /var/lib/quorate/lock/owner`);
}

/** A copy of the operator's folder whose inventory lacks the first host. */
async function fewerHosts(stage: Stage, name: string): Promise<string> {
  const other = await copyOperator(stage, name);
  const text = await readFile(other, 'utf8');
  await writeFile(other, text.replace(/^ {2}etcd-1: .*\n/m, ''));
  return other;
}

async function startOver(stage: Stage): Promise<void> {
  await killMembers(stage);
  const run = await stage.quorate(['reset', '--yes-destroy', stage.cluster, '--delete-data']);
  expect(run.status, run.stderr).toBe(0);
}
