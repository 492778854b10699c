/** A member whose data differs: etcd's own check raises the alarm CORRUPT, `verify` names the member, and `member replace` mends it and takes the alarm back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectDone, until } from '../e2e/environment.ts';
import { expectMembers, expectOrder, membersOf } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ name: 'member-corrupt' });
  await stage.edit((text) => `${text}etcd:\n  corrupt-check-time: 5s\n`);
  await stage.bootstrap();
});
afterAll(() => stage?.down());

const all = ['etcd-1', 'etcd-2', 'etcd-3'];
const [db, config] = ['/var/lib/etcd/member/snap/db', '/etc/etcd/etcd-config.yml'];

it('is named by verify, and replaced by the data of the others, which take writes again', {
  timeout: 300_000,
}, async () => {
  expectDone(await stage.quorate(['member', 'move-leader', 'etcd-1', '--yes']));
  const before = await membersOf(stage);
  await stage.etcdctl(1, 'put victim AAAABBBBCCCCDDDD');
  await stage.etcdctl(1, 'put after it');
  // A bit that flips on the disk, and a member that is not let look at its start.
  await stage.host(3).sh(`systemctl stop etcd; sed -i s/AAAABBBBCCCCDDDD/AAAABBBBCCCCDDDX/g ${db}; chown etcd:etcd ${db}
    sed -i s/InitialCorruptCheck=true/InitialCorruptCheck=false/ ${config}; systemctl start etcd`);
  const alarm = await until('the alarm is raised', async () => {
    const listed = await stage.etcdctl(1, 'alarm list');
    return listed.includes('CORRUPT') ? listed : undefined;
  });
  expect(alarm).toContain('CORRUPT');
  const told = await stage.quorate(['verify', '--read-only']);
  expect([told.status, told.stdout]).toEqual([3, expect.stringMatching(/alarms +critical +.*CORRUPT on etcd-3/)]);
  expect(told.stdout).toMatch(/divergence +critical +etcd-3 differs from the majority/);
  expect((await stage.quorate(['doctor'])).stdout).toContain('member replace');
  expectDone(await stage.quorate(['member', 'replace', 'etcd-3', '--yes']));
  expect(await stage.etcdctl(1, 'alarm list')).toBe('');
  const after = await membersOf(stage);
  expect(after.get('etcd-3')).not.toBe(before.get('etcd-3'));
  expect([after.get('etcd-1'), after.get('etcd-2')]).toEqual([before.get('etcd-1'), before.get('etcd-2')]);
  expect(await stage.etcdctl(3, 'get victim --print-value-only')).toBe('AAAABBBBCCCCDDDD\n');
  await stage.etcdctl(3, 'put after mending');
  await expectMembers(stage, all);
  await expectOrder(stage);
  const { checks } = JSON.parse((await stage.quorate(['verify', '--json'])).stdout);
  // The elections are those that this test costs.
  expect(
    checks.filter((each: { id: string; state: string }) => each.state !== 'ok' && each.id !== 'leader-churn'),
  ).toEqual([]);
});
