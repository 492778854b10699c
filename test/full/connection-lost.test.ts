/** A connection whose network breaks during the push: nothing says that the other end is gone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clearHosts, expectDone, expectRefusal, until } from '../e2e/environment.ts';
import { nothingInstalled, slowLine } from '../e2e/slow-line.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const bootstrap = ['bootstrap', '--yes'];
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ name: 'connection-lost' });
  expectDone(await stage.bootstrap());
  await clearHosts(stage);
});
afterAll(() => stage?.down());

it('ends the run in a bounded time, leaves nothing half-written in use, and is made good by the next', async () => {
  const host = stage.host(2);
  const line = await slowLine(stage, 2);
  const running = stage.start(bootstrap);
  await line.pushing();
  await host.linkDown();
  const since = Date.now();
  const said = expectRefusal(await running.ended, 12);
  expect(Date.now() - since).toBeLessThan(60_000);
  expect(said).toMatch(/etcd-2: .*connection lost/);
  expect(said).toContain('running again is safe');
  expect(await host.sh(nothingInstalled)).toBe('');
  expect(await host.sh('ls /usr/local/bin/etcd 2>&1 || true')).toContain('No such file');
  await line.fast();
  await host.linkUp();
  await until(
    'a run goes through',
    async () => {
      const next = await stage.quorate(bootstrap);
      if (next.status === 16) expect(next.stderr).toContain('etcd-2: locked by');
      return next.status === 0 ? true : undefined;
    },
    150_000,
  );
  expectDone(await stage.quorate(['plan', '--exit-code']));
});
