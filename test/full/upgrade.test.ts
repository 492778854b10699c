/** Upgrades on real members: two minors in one command under load, killed on the way; the log that 3.7 does not start with is left behind. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const names = ['etcd-1', 'etcd-2', 'etcd-3'];
const upgrade = ['upgrade', '--to', '3.7.3', '--via', '3.6.16', '--yes'];

describe('upgrade', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'upgrade', version: '3.5.35', releases: ['3.6.16', '3.7.3'] });
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('goes from 3.5 to 3.7 in one command under load, killed between the hops, and loses nothing', async () => {
    const outcome = await underLoad(stage, 'upgrade 3.5.35 → 3.6.16 → 3.7.3', async (load) => {
      await load.phase('3.5.35 → 3.6.16');
      const killed = await stage.quorate(upgrade, { env: { QUORATE_FAILPOINT: 'stage:3.6.16-roll' } });
      expect(killed).toMatchObject({ signal: 'SIGKILL', status: null });
      await load.phase('3.6.16 → 3.7.3');
      const done = expectDone(await stage.quorate(upgrade));
      expect(done.stdout + done.stderr).toMatch(/POINT OF NO RETURN at the last one/);
      expect(done.stderr).toMatch(
        /etcd 3\.7\.3 runs, and the inventory says 3\.5\.35: write cluster\.version: 3\.7\.3 there/,
      );
    });
    expectUndisturbed(outcome);
    for (const name of names) {
      expect(await stage.lab.host(name).sh('readlink /usr/local/bin/etcd')).toBe('/usr/local/lib/etcd/3.7.3/etcd\n');
    }
  });

  it('has saved a snapshot before each hop, for nobody else to read', async () => {
    const folder = join(stage.folder, '.quorate', stage.cluster, 'snapshots');
    const found = await readdir(folder);
    expect(found.some((each) => each.startsWith('upgrade-3.5.35-'))).toBe(true);
    expect(found.some((each) => each.startsWith('upgrade-3.6.16-'))).toBe(true);
    for (const each of found) expect((await stat(join(folder, each))).mode & 0o777).toBe(0o600);
  });

  it('finds nothing to do once the inventory says so, and neither does plan', async () => {
    await stage.edit((text) => text.replace('3.5.35', '3.7.3'));
    expect(expectDone(await stage.quorate(['upgrade', '--yes'])).stdout).toMatch(/etcd-1: +etcd 3\.7\.3 runs/);
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });
});
