/** A cluster that somebody made by hand on a release that must not stay: adopted, brought to quorate's own layout under load, and upgraded away. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { expectDone, expectRefusal } from '../e2e/environment.ts';
import { etcdctl, foreignPki, makeForeign } from '../e2e/foreign-cluster.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectOrder } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const version = '3.4.23';
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ name: 'adopt-up', version, releases: ['3.5.35'] });
  await makeForeign(stage, { version, layouts: ['flags', 'environment', 'file'], tls: true });
  // Where a package puts it.
  const place =
    'mv /etc/systemd/system/etcd.service /usr/lib/systemd/system/; systemctl daemon-reload; systemctl reenable -q etcd';
  for (const host of stage.lab.hosts) await host.sh(place);
  await stage.host(1).sh(`${etcdctl(stage, 1, true)} put greeting hello`);
});
afterAll(() => stage?.down());

it('is adopted on a release that is refused, and not upgraded before it has settings and certificates of its own', async () => {
  const key = join(foreignPki(stage), 'ca.key');
  const adopt = ['adopt', '--out', 'adopted.yml', '--yes', '--ca-key', key, '--new-identity', 'identity.txt'];
  expectDone(await stage.quorate(adopt));
  const { binaries } = parse(readFileSync(stage.inventory, 'utf8'));
  const adopted = parse(readFileSync(join(stage.folder, 'adopted.yml'), 'utf8'));
  expect(adopted.cluster.version).toBe(version);
  expect(adopted.acceptHazards.length).toBeGreaterThan(0);
  await stage.edit(() => stringify({ ...adopted, binaries }));
  const upgrade = await stage.quorate(['upgrade', '--to', '3.5.35', '--yes']);
  expect(expectRefusal(upgrade, 13)).toContain("has no certificates of quorate's yet");
});

it('gets the unit of before back on a member that does not come up with the first apply', async () => {
  const { etcd } = parse(readFileSync(stage.inventory, 'utf8'));
  const bad = { ...etcd, 'auth-token': 'jwt,pub-key=/none,priv-key=/none,sign-method=RS256' };
  await stage.edit((text) => stringify({ ...parse(text), etcd: bad }));
  const failed = await stage.quorate(['apply', '--yes']);
  const said = failed.stderr.replaceAll(/\s+/g, ' ');
  expect([failed.status, said]).toEqual([14, expect.stringMatching(/taken back \(.*\); it serves again/)]);
  for (const host of stage.lab.hosts) {
    const unit = await host.sh('systemctl show -p FragmentPath,ActiveState etcd');
    expect(unit.trim().split('\n').sort()).toEqual([
      'ActiveState=active',
      expect.stringMatching(/^FragmentPath=(\/usr)?\/lib\/systemd\/system\/etcd.service$/),
    ]);
  }
  expect((await stage.quorate(['status'])).status).toBe(0);
  await stage.edit((text) => stringify({ ...parse(text), etcd }));
});

it('comes to its own layout by apply, and goes up, under load', { timeout: 600_000 }, async () => {
  const outcome = await underLoad(stage, 'adopted 3.4.23: apply, upgrade to 3.5.35', async (load) => {
    await load.phase('apply');
    expectDone(await stage.quorate(['apply', '--yes']));
    await load.phase('upgrade');
    expectDone(await stage.quorate(['upgrade', '--to', '3.5.35', '--yes']));
  });
  expectUndisturbed(outcome);
  await stage.edit((text) => stringify({ ...parse(text), acceptHazards: [] }).replace(version, '3.5.35'));
  expect(await stage.etcdctl(2, 'get greeting --print-value-only')).toBe('hello\n');
  await expectOrder(stage);
});
