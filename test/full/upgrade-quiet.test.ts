/** The longest way up in one command, on a cluster that is hardly written to: the log that 3.7 does not start with is all there, and the release that is left is refused. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectDone } from '../e2e/environment.ts';
import { expectOrder } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ name: 'quiet', version: '3.4.23', releases: ['3.5.35', '3.6.16', '3.7.3'] });
  await stage.bootstrap();
});
afterAll(() => stage?.down());

it('acceptance 14: a release that must not stay is left, 3.4.23 → 3.5 → 3.6 → 3.7 in one command and with a handful of writes', {
  timeout: 600_000,
}, async () => {
  await stage.edit((text) => text.replace(/^acceptHazards: .*\n/m, '').replace('3.4.23', '3.7.3'));
  for (let key = 0; key < 10; key += 1) await stage.etcdctl(1, `put /kept/${key} value`);
  const plan = expectDone(await stage.quorate(['plan', 'upgrade', '--via', '3.5.35', '3.6.16']));
  expect(words(plan.stdout).match(/POINT OF NO RETURN/g)).toHaveLength(3);
  const run = expectDone(await stage.quorate(['upgrade', '--via', '3.5.35', '3.6.16', '--yes']));
  expect(words(run.stdout + run.stderr)).toMatch(
    /every member has a raft snapshot past entry \d+ \(\d+ writes to quorate\/raft-snapshot\)/,
  );
  for (const host of stage.lab.hosts) {
    expect(await host.sh('readlink /usr/local/bin/etcd')).toBe('/usr/local/lib/etcd/3.7.3/etcd\n');
    expect(await host.sh('systemctl show -p NRestarts --value etcd')).toBe('0\n');
  }
  expect(await stage.etcdctl(2, 'get /kept --prefix --count-only -w fields')).toContain('"Count" : 10');
  expect((await readdir(join(stage.folder, '.quorate', stage.cluster, 'snapshots'))).length).toBeGreaterThanOrEqual(3);
  await expectOrder(stage);
});

/** Lines are wrapped to the terminal's width. */
function words(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
