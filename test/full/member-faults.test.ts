/** A host goes bad in the middle of a grow or a replacement, while clients write and read: the run stops where it is safe and says where, or goes on; the next one ends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../src/lab/host.ts';
import { expectExplained, stageBegun, tellRun, untilHealthy } from '../e2e/bad-conditions.ts';
import { expectDone, until } from '../e2e/environment.ts';
import { expectSafe, underLoad } from '../e2e/load/scenario.ts';
import { expectMembers, expectOrder, inventoryOf, membersOf } from '../e2e/member-stage.ts';
import { openStage, type Running, type Stage } from '../e2e/stage.ts';

interface Fault {
  readonly name: string;
  begin(host: LabHost): Promise<unknown>;
  end(host: LabHost): Promise<unknown>;
}

const killed: Fault = {
  name: 'its member killed by SIGKILL',
  begin: (host) => host.sh('systemctl kill -s KILL etcd || true'),
  end: async () => undefined,
};
const stopped: Fault = {
  name: 'its member stopped by SIGSTOP',
  begin: (host) => host.sh('systemctl kill -s STOP etcd || true'),
  end: (host) => host.sh('systemctl kill -s CONT etcd || true'),
};
const cut: Fault = {
  name: 'its peer link cut',
  begin: (host) => host.cutPort(2380),
  end: (host) => host.openPorts(),
};
const full: Fault = {
  name: 'its disk full',
  begin: (host) => host.sh('cat /dev/zero >/var/lib/etcd/ballast 2>/dev/null || true'),
  end: (host) => host.sh('rm -f /var/lib/etcd/ballast; systemctl reset-failed etcd || true; systemctl restart etcd'),
};
const deaf: Fault = {
  name: 'its sshd stopped',
  begin: (host) => host.sh('systemctl stop ssh; pkill -KILL sshd || true'),
  end: (host) => host.sh('systemctl start ssh'),
};

/** A disk of its own below the data, with more than the GiB that a new member must find: what fills it fills nothing else. */
const smallDisk = `systemctl stop etcd 2>/dev/null; mkdir -p /run/small /var/lib/etcd
mount -t tmpfs -o size=1500m,mode=700 tmpfs /run/small; cp -a /var/lib/etcd/. /run/small/
chown --reference=/var/lib/etcd /run/small; mount --bind /run/small /var/lib/etcd`;

const three = ['etcd-1', 'etcd-2', 'etcd-3'];

describe('a host that goes bad in the middle', { timeout: 600_000 }, () => {
  let stage: Stage;
  let whole = '';
  beforeAll(async () => {
    stage = await openStage({ name: 'member-faults', hosts: 4 });
    await stage.edit((text) => {
      whole = text;
      return inventoryOf(text, three);
    });
    await stage.bootstrap();
    await stage.host(2).sh(`${smallDisk}; systemctl start etcd`);
    await stage.host(4).sh(smallDisk);
    await untilHealthy(stage);
  });
  afterAll(() => stage?.down());

  const have = async (names: readonly string[]): Promise<void> => {
    // What members left behind adds up, and the disk that is to be filled is small.
    for (const host of stage.lab.hosts) await host.sh('rm -rf /var/lib/etcd/aside.*');
    await stage.edit(() => inventoryOf(whole, names));
  };

  /** The ID of who comes, once it is in the list. */
  const idOf = async (name: string): Promise<string | undefined> => (await membersOf(stage)).get(name);

  interface Meeting {
    readonly verb: readonly string[];
    readonly fault: Fault;
    readonly host: LabHost;
    /** The stage at whose begin the host goes bad. */
    readonly at: string;
    readonly comes: string;
    /** The controllers of the inventory once it is done, where they are others. */
    readonly end?: readonly string[];
    /** How long the operator looks on before the first interrupt. */
    readonly waits: number;
  }

  /** The run ends well, or says why it does not go on; then the host is mended, and the same command ends it with the same member. */
  async function meet({ verb, fault, host, at, comes, end, waits }: Meeting): Promise<void> {
    const running = stage.start([...verb, '--patience', '1m', '--yes']);
    await cameTo(running, at);
    await fault.begin(host);
    const interrupt = setTimeout(() => running.kill('SIGINT'), waits);
    try {
      const run = await running.ended;
      clearTimeout(interrupt);
      tellRun(`${verb.join(' ')}, ${host.name} with ${fault.name} in ${at}`, run);
      if (run.status !== 0) expectExplained(run, host.name);
    } finally {
      await fault.end(host);
    }
    await untilServes(host.name, comes);
    const begun = await idOf(comes);
    const again = await stage.quorate([...verb, '--yes']);
    tellRun('the next run', again);
    expectDone(again);
    if (begun !== undefined) expect(await idOf(comes)).toBe(begun);
    if (end !== undefined) await have(end);
    await untilHealthy(stage);
  }

  async function cameTo(running: Running, at: string): Promise<void> {
    if (await stageBegun(stage, running, at)) return;
    throw new Error(`the run did not come to ${at}:\n${running.output()}`);
  }

  /** A member that had trouble serves again; one that is on its way need not. */
  async function untilServes(name: string, comes: string): Promise<void> {
    if (name === comes) return;
    const health = async () =>
      (await stage.lab.host(name).exec(['bash', '--login', '-c', 'etcdctl endpoint health'])).status === 0
        ? true
        : undefined;
    await until(`${name} serves`, health, 60_000);
  }

  it.each([
    { fault: killed, at: 'join-etcd-4', waits: 90_000 },
    { fault: stopped, at: 'join-etcd-4', waits: 5_000 },
    // A learner that comes no nearer is given up after a minute.
    { fault: cut, at: 'start-etcd-4', waits: 150_000 },
    { fault: full, at: 'start-etcd-4', waits: 10_000 },
    { fault: deaf, at: 'join-etcd-4', waits: 90_000 },
  ])('grow, the newcomer with $fault.name in $at', async ({ fault, at, waits }) => {
    await have([...three, 'etcd-4']);
    const members = { asked: ['etcd-1', 'etcd-3'], atEnd: three };
    const outcome = await underLoad(stage, { name: `grow, ${fault.name}`, members }, () =>
      meet({ verb: ['member', 'add', 'etcd-4'], fault, host: stage.host(4), at, comes: 'etcd-4', waits }),
    );
    expectSafe(outcome);
    await expectMembers(stage, [...three, 'etcd-4']);
    await have(three);
    await stage.edit(() => inventoryOf(whole, three, ['etcd-4']));
    expectDone(await stage.quorate(['apply', '--remove', 'etcd-4', '--yes']));
    await have(three);
    await expectOrder(stage);
  });

  const replacements = [
    { fault: killed, at: (comes: string) => `join-${comes}` },
    { fault: stopped, at: (comes: string) => `join-${comes}` },
    { fault: cut, at: (comes: string) => `add-${comes}` },
    { fault: full, at: (comes: string) => `start-${comes}` },
    { fault: deaf, at: (comes: string) => `join-${comes}` },
  ].map((each, index) => {
    const [goes, comes] = index % 2 === 0 ? ['etcd-3', 'etcd-4'] : ['etcd-4', 'etcd-3'];
    return { ...each, goes, comes };
  });

  it.each(replacements)('replace, another member with $fault.name', async ({ fault, at, goes, comes }) => {
    await have(['etcd-1', 'etcd-2', 'etcd-3', 'etcd-4']);
    expectDone(await stage.quorate(['member', 'move-leader', 'etcd-1', '--yes']));
    const end = ['etcd-1', 'etcd-2', comes];
    const members = { asked: ['etcd-1'], atEnd: end };
    const verb = ['member', 'replace', goes, '--with', comes];
    const outcome = await underLoad(stage, { name: `replace, ${fault.name}`, members }, async () => {
      const running = stage.start([...verb, '--patience', '1m', '--yes']);
      await cameTo(running, at(comes));
      await fault.begin(stage.host(2));
      try {
        const run = await running.ended;
        tellRun(`${verb.join(' ')}, etcd-2 with ${fault.name}`, run);
        if (run.status !== 0) expectExplained(run, 'etcd-2');
      } finally {
        await fault.end(stage.host(2));
      }
      await untilServes('etcd-2', comes);
      const begun = await idOf(comes);
      if ((await idOf(goes)) !== undefined || begun === undefined) {
        const again = await stage.quorate([...verb, '--yes']);
        tellRun('the next run', again);
        expectDone(again);
      }
      if (begun !== undefined) expect(await idOf(comes)).toBe(begun);
    });
    expectSafe(outcome);
    // Where it had come to its end, this finds nothing to do.
    expectDone(await stage.quorate([...verb, '--yes']));
    await have(end);
    await untilHealthy(stage);
    await expectMembers(stage, end);
    await expectOrder(stage);
  });

  /** Its third member beside etcd-1 and etcd-2, and who of the row is none. */
  async function thirdAndOther(): Promise<readonly [string, string]> {
    return (await idOf('etcd-4')) === undefined ? ['etcd-3', 'etcd-4'] : ['etcd-4', 'etcd-3'];
  }

  async function takeAway(name: string): Promise<void> {
    const others = [...three, 'etcd-4'].filter((each) => each !== name);
    await stage.edit(() => inventoryOf(whole, others, [name]));
    expectDone(await stage.quorate(['apply', '--remove', name, '--yes']));
    await have(others);
    await expectOrder(stage);
  }

  it.each([
    { fault: cut, change: 'replace' },
    { fault: stopped, change: 'add' },
    { fault: killed, change: 'add' },
  ])('$change, the leader with $fault.name', async ({ fault, change }) => {
    await have([...three, 'etcd-4']);
    const [third, comes] = await thirdAndOther();
    const end = change === 'add' ? [...three, 'etcd-4'] : ['etcd-1', 'etcd-2', comes];
    const verb = change === 'add' ? ['member', 'add', comes] : ['member', 'replace', third, '--with', comes];
    expectDone(await stage.quorate(['member', 'move-leader', 'etcd-2', '--yes']));
    const load = { name: `${change}, the leader, ${fault.name}`, members: { asked: ['etcd-1'], atEnd: ['etcd-1'] } };
    const outcome = await underLoad(stage, load, () =>
      meet({ verb, fault, host: stage.host(2), at: `join-${comes}`, comes, end, waits: 90_000 }),
    );
    expectSafe(outcome);
    await expectMembers(stage, end);
    if (change === 'add') await takeAway(comes);
    else await expectOrder(stage);
  });

  it('a run that was killed before the others’ files is ended by the next one, which names nobody', async () => {
    await have([...three, 'etcd-4']);
    const [, comes] = await thirdAndOther();
    const killedRun = await stage.quorate(['member', 'add', '--yes'], {
      env: { QUORATE_FAILPOINT: `stage:mark-${comes}` },
    });
    expect([killedRun.signal, killedRun.stderr]).toEqual(['SIGKILL', expect.any(String)]);
    const written = "grep '^initial-cluster:' /etc/etcd/etcd-config.yml";
    expect(await stage.host(1).sh(written)).not.toContain(`${comes}=`);
    expectDone(await stage.quorate(['member', 'add', '--yes']));
    await expectMembers(stage, [...three, 'etcd-4']);
    await takeAway(comes);
  });
});
