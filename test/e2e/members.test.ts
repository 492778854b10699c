/** Members come, are replaced and go on hosts, while clients write and read: nothing is lost, and a run that was killed goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectDone } from './environment.ts';
import { expectUndisturbed, underLoad } from './load/scenario.ts';
import { expectMembers, expectOrder, formedOfFirst, inventoryOf, membersOf } from './member-stage.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let whole = '';
beforeAll(async () => {
  stage = await openStage({ name: 'members' });
  whole = await formedOfFirst(stage, 2);
  await stage.edit(() => whole);
});
afterAll(() => stage?.down());

it('apply grows the cluster under load, is killed behind the start of the third, and goes on with the same ID: no write is lost', async () => {
  const members = { asked: ['etcd-1', 'etcd-2'], atEnd: ['etcd-1', 'etcd-2', 'etcd-3'] };
  const act = async (): Promise<void> => {
    const killed = await stage.quorate(['apply', '--yes'], {
      env: { QUORATE_FAILPOINT: 'stage:come-start-etcd-3' },
    });
    expect([killed.signal, killed.stderr]).toEqual(['SIGKILL', expect.any(String)]);
    const begun = [...(await membersOf(stage)).values()].sort();
    expect(begun).toHaveLength(3);
    const run = expectDone(await stage.quorate(['member', 'add', 'etcd-3', '--yes']));
    expect(run.stderr).toContain('verified: nothing to do');
    expect([...(await membersOf(stage)).values()].sort()).toEqual(begun);
  };
  expectUndisturbed(await underLoad(stage, { name: 'apply, 2 → 3 members, killed once', members }, act));
  await expectMembers(stage, ['etcd-1', 'etcd-2', 'etcd-3']);
  await expectOrder(stage);
});

it('one whose disk was wiped under it is replaced on its host, by a new ID, and the others keep theirs', async () => {
  const before = await membersOf(stage);
  await stage.host(2).sh('systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf /var/lib/etcd/member');
  expect((await stage.quorate(['plan'])).stderr).toContain('quorate member replace etcd-2');
  expectDone(await stage.quorate(['member', 'replace', 'etcd-2', '--yes']));
  const after = await membersOf(stage);
  expect(after.get('etcd-2')).not.toBe(before.get('etcd-2'));
  expect([after.get('etcd-1'), after.get('etcd-3')]).toEqual([before.get('etcd-1'), before.get('etcd-3')]);
  await expectMembers(stage, ['etcd-1', 'etcd-2', 'etcd-3']);
  await expectOrder(stage);
});

it('the leader leaves by name alone: it leads no more, its unit is off, its data aside; the last voters stay', async () => {
  expectDone(await stage.quorate(['member', 'move-leader', 'etcd-3', '--yes']));
  await stage.edit(() => inventoryOf(whole, ['etcd-1', 'etcd-2'], ['etcd-3']));
  const unnamed = await stage.quorate(['apply', '--yes']);
  expect([unnamed.status, unnamed.stderr]).toEqual([13, expect.stringContaining('apply --remove etcd-3')]);
  const run = expectDone(await stage.quorate(['apply', '--remove', 'etcd-3', '--yes']));
  expect(run.stderr).toContain('verified: nothing to do');
  expectDone(await stage.quorate(['plan', '--exit-code']));
  await stage.edit(() => inventoryOf(whole, ['etcd-1', 'etcd-2']));
  await expectMembers(stage, ['etcd-1', 'etcd-2']);
  await expectOrder(stage);
  const left = 'systemctl is-enabled etcd; systemctl is-active etcd; ls -d /var/lib/etcd.*; ls /var/lib/quorate';
  expect(await stage.host(3).sh(`${left}; true`)).toMatch(
    /^disabled\n(inactive|failed)\n\/var\/lib\/etcd\.\d{8}T\d{6}Z\n(?!.*marker)/s,
  );
  const all = await stage.quorate(['member', 'remove', 'etcd-1', 'etcd-2', '--yes']);
  expect([all.status, all.stderr]).toEqual([13, expect.stringContaining('last member')]);
});
