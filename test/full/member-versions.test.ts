/** Members come, are replaced, move and are renamed on every minor, while clients write and read. */
import { describe, expect, it } from 'vitest';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectMembers, expectOrder, formedOfFirst, membersOf } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const all = ['etcd-1', 'etcd-2', 'etcd-3'];

describe.each(['3.4.23', '3.5.35', '3.7.3'])('etcd %s', (version) => {
  it('members are added and replaced, move and get other names: no write is lost', { timeout: 600_000 }, async () => {
    const stage = await openStage({ name: `member-${version.replaceAll('.', '-')}`, version });
    try {
      const whole = await formedOfFirst(stage, 2);
      await stage.edit(() => whole);
      await comes(stage);
      await isReplaced(stage);
      await moves(stage);
    } finally {
      await stage.down();
    }
  });

  async function comes(stage: Stage): Promise<void> {
    const members = { asked: ['etcd-1', 'etcd-2'], atEnd: all };
    const outcome = await underLoad(stage, { name: `member add, ${version}`, members }, async () => {
      expectDone(await stage.quorate(['member', 'add', '--yes']));
    });
    expectUndisturbed(outcome);
    await expectMembers(stage, all);
  }

  async function isReplaced(stage: Stage): Promise<void> {
    const before = await membersOf(stage);
    await stage.host(2).sh('systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf /var/lib/etcd/member');
    expectDone(await stage.quorate(['member', 'replace', 'etcd-2', '--yes']));
    const after = await membersOf(stage);
    expect(after.get('etcd-2')).not.toBe(before.get('etcd-2'));
    await expectMembers(stage, all);
    await expectOrder(stage);
  }

  /** Another peer port and another name at once: one turn. */
  async function moves(stage: Stage): Promise<void> {
    const before = await membersOf(stage);
    await stage.edit((text) =>
      text.replace(/ {2}etcd-3: \{ (address: "[\d.]+") \}/, '  node-c: { $1, ports: { peer: 12380 } }'),
    );
    const members = { asked: ['etcd-1', 'etcd-2'], atEnd: ['etcd-1', 'etcd-2'] };
    const outcome = await underLoad(
      stage,
      { name: `apply, another peer port and name, ${version}`, members },
      async () => {
        expectDone(await stage.quorate(['apply', '--yes']));
      },
    );
    expectUndisturbed(outcome);
    const after = await membersOf(stage);
    expect(after.get('node-c')).toBe(before.get('etcd-3'));
    expect(await stage.etcdctl(1, 'member list')).toMatch(/node-c, https:\/\/[\d.]+:12380/);
    expectDone(await stage.quorate(['plan', '--exit-code']));
    expectDone(await stage.quorate(['status']));
  }
});
