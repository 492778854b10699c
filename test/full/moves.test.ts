/** Members get other addresses and names on hosts, while clients write and read: they keep ID and data, and no write is lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectDone } from '../e2e/environment.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { expectOrder, membersOf } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ name: 'moves' });
  await stage.bootstrap();
});
afterAll(() => stage?.down());

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

async function listed(): Promise<readonly Listed[]> {
  const run = expectDone(await stage.quorate(['member', 'list', '--json']));
  const { members }: { members: readonly Listed[] } = JSON.parse(run.stdout);
  return members.map(({ id, name, peerUrls }) => ({ id, name, peerUrls }));
}

/** The process of each host. */
function processes(): Promise<readonly string[]> {
  return Promise.all(stage.lab.hosts.map((host) => host.sh('systemctl show -p InvocationID --value etcd')));
}

it('one moves to another address and peer port and is killed behind the list; the next run goes on, and nobody else restarts', async () => {
  const [ids, before] = [await membersOf(stage), await processes()];
  const { ipv4 } = stage.host(2);
  const members = { asked: ['etcd-1', 'etcd-3'], atEnd: ['etcd-1', 'etcd-3'] };
  const moved = ipv4.replace(/\.(\d+)$/, (_, last) => `.${Number(last) + 100}`);
  await stage.host(2).sh(`ip addr add ${moved}/24 dev host0`);
  await stage.edit((text) =>
    text.replace(
      `etcd-2: { address: "${ipv4}" }`,
      `etcd-2: { address: "${ipv4}", privateAddress: "${moved}", ports: { peer: 12380 } }`,
    ),
  );
  const outcome = await underLoad(
    stage,
    { name: 'apply, one member at another address, killed once', members },
    async () => {
      const killed = await stage.quorate(['apply', '--yes'], {
        env: { QUORATE_FAILPOINT: 'roll/etcd-2/member.update' },
      });
      expect([killed.signal, killed.stderr]).toEqual(['SIGKILL', expect.any(String)]);
      expect((await listed()).map((each) => each.peerUrls)).toContainEqual([`https://${moved}:12380`]);
      expect(await processes()).toEqual(before);
      const run = expectDone(await stage.quorate(['apply', '--yes']));
      expect(run.stderr).toContain('verified: nothing to do');
    },
  );
  expectUndisturbed(outcome);
  expect(await membersOf(stage)).toEqual(ids);
  const after = await processes();
  expect(after.map((each, index) => each === before[index])).toEqual([true, false, true]);
  for (const host of stage.lab.hosts)
    expect(await host.sh("grep '^initial-cluster:' /etc/etcd/etcd-config.yml")).toContain(
      `etcd-2=https://${moved}:12380`,
    );
  await expectOrder(stage);
  // It dials the others from whichever of its addresses the kernel chooses.
  const own = `grep -F -e '"remote-addr":"${ipv4}:' -e '"remote-addr":"${moved}:'`;
  for (const number of [1, 3])
    expect(await stage.host(number).sh(`journalctl -u etcd -o cat | ${own} || true`)).toBe('');
});

it('one gets another name: the same ID, one restart of its own, and the list tells the name', async () => {
  const [ids, before] = [await membersOf(stage), await processes()];
  await stage.edit((text) => text.replace(/^ {2}etcd-3: /m, '  node-c: '));
  const plan = expectDone(await stage.quorate(['plan']));
  expect(plan.stdout + plan.stderr).toContain('node-c: is called etcd-3 until it restarts');
  expectDone(await stage.quorate(['apply', '--yes']));
  const now = new Map((await listed()).map((each) => [each.name, each.id]));
  expect(now.get('node-c')).toBe(ids.get('etcd-3'));
  const after = await processes();
  expect(after.map((each, index) => each === before[index])).toEqual([true, true, false]);
  expect(await stage.etcdctl(1, 'member list')).toContain('node-c');
  expectDone(await stage.quorate(['plan', '--exit-code']));
});

it('clients get another port: refused at once, then served beside the former one, which goes last; who names both never fails', async () => {
  const before = await processes();
  const ports = (wanted: string): Promise<void> =>
    stage.edit((text) => `${text.replace(/^ports: .*\n/m, '')}ports: ${wanted}\n`);
  await ports('{ client: 12379 }');
  const refused = await stage.quorate(['apply', '--yes']);
  expect([refused.status, refused.stderr]).toEqual([13, expect.stringContaining('formerClient: 2379')]);
  expect(await processes()).toEqual(before);
  for (const wanted of ['{ client: 12379, formerClient: 2379 }', '{ client: 12379 }']) {
    const members = { asked: ['etcd-1', 'etcd-3'], atEnd: ['etcd-1', 'etcd-3'] };
    const load = { name: `apply, ports: ${wanted}`, members, clientPorts: [2379, 12379] };
    // Its certificate is issued while quorate finds the members where they listen.
    await ports('{ client: 12379, formerClient: 2379 }');
    const outcome = await underLoad(stage, load, async () => {
      await ports(wanted);
      expectDone(await stage.quorate(['apply', '--yes']));
    });
    expectUndisturbed(outcome);
    expectDone(await stage.quorate(['plan', '--exit-code']));
  }
  expect(await stage.etcdctl(1, 'member list')).toContain(`https://${stage.host(1).ipv4}:12379`);
});

it('names that change places, and an address that the host does not have, are refused before anything is changed', async () => {
  const before = await processes();
  await stage.edit((text) =>
    text.replace('  etcd-1: ', '  etcd-X: ').replace('  node-c: ', '  etcd-1: ').replace('  etcd-X: ', '  node-c: '),
  );
  const swapped = await stage.quorate(['apply', '--yes']);
  expect([swapped.status, swapped.stderr]).toEqual([13, expect.stringContaining('is the name of member')]);
  await stage.edit((text) =>
    text.replace('  etcd-1: ', '  etcd-X: ').replace('  node-c: ', '  etcd-1: ').replace('  etcd-X: ', '  node-c: '),
  );
  await stage.edit((text) =>
    text.replace(/etcd-1: \{ address: "([\d.]+)" \}/, 'etcd-1: { address: "$1", privateAddress: "198.51.100.7" }'),
  );
  const absent = await stage.quorate(['apply', '--yes']);
  expect([absent.status, absent.stderr]).toEqual([13, expect.stringContaining('which the host does not have')]);
  expect(await processes()).toEqual(before);
});
