/** A cluster that somebody made without TLS: adopted, and brought to mutual TLS on both ports under load, killed behind every stage; plaintext ends when asked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { answersPlainly } from '../../src/etcd/ask.ts';
import { expectDone, expectRefusal } from '../e2e/environment.ts';
import { etcdctl, foreignPki, makeForeign } from '../e2e/foreign-cluster.ts';
import { dial } from '../e2e/load/dial.ts';
import { tellFigures } from '../e2e/load/on-stage.ts';
import type { LoadReport } from '../e2e/load/order.ts';
import type { Load } from '../e2e/load/start.ts';
import { clientsOfBoth, loadOf } from '../e2e/load/two-ways.ts';
import { expectOrder } from '../e2e/member-stage.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const layouts = ['flags', 'environment', 'file'] as const;

describe.each(['3.5.35', '3.6.16'])('three members of %s without TLS', (version) => {
  let stage: Stage;
  let plain: Load | undefined;
  let secure: Load | undefined;
  beforeAll(async () => {
    stage = await openStage({ name: `plain-${version.slice(0, 3).replace('.', '')}`, version });
    await makeForeign(stage, { version, layouts, tls: false });
    await stage.host(1).sh(`${etcdctl(stage, 1, false)} put greeting hello`);
    plain = await loadOf(stage, 'plaintext');
  });
  afterAll(async () => {
    await plain?.kill();
    await secure?.kill();
    await stage?.down();
  });

  it('are described and taken in with authorities of their own, and no process is touched', async () => {
    const before = await invocations(stage);
    const adopt = ['adopt', '--out', 'adopted.yml', '--yes', '--new-identity', 'identity.txt'];
    const run = expectDone(await stage.quorate(adopt));
    expect(run.stdout).toContain('TLS among peers, one member after another');
    const { binaries } = parse(readFileSync(stage.inventory, 'utf8'));
    const adopted = parse(readFileSync(join(stage.folder, 'adopted.yml'), 'utf8'));
    expect(adopted.etcd.plaintextClients).toBe(true);
    await stage.edit(() => stringify({ ...adopted, binaries }));
    expect(await invocations(stage)).toEqual(before);
    expect((await stage.quorate(['status'])).stdout).toContain('peers of etcd-1, etcd-2, etcd-3 speak plaintext');
  });

  it.each([
    ['a part', ['apply', '--yes', '--only', 'config']],
    ['some members', ['apply', '--yes', '--member', 'etcd-1']],
    ['other certificates', ['certs', 'rotate', '--yes']],
  ])('go the whole way or none: not %s', async (_what, args) => {
    expectRefusal(await stage.quorate(args), 13);
  });

  it('go on behind each stage at which quorate is killed, and in the middle of a move', {
    timeout: 900_000,
  }, async () => {
    await plain?.phase('apply');
    const stages = await stagesOf(stage);
    expect(stages).toEqual(expect.arrayContaining(['offer-roll', 'offer-prove', 'peers-roll', 'peers-prove']));
    for (const id of stages) {
      // Behind a roll there is no proof any more, and behind the last one no run.
      if (id === 'offer-roll') await kill(stage, `${id}/${await followerOf(stage)}/unit.restart`);
      else if (id === 'peers-roll') await kill(stage, `${id}/${await followerOf(stage)}/member.update`);
      if (id !== 'offer-roll' && id !== 'peers-prove') await kill(stage, `stage:${id}`);
    }
    expectDone(await stage.quorate(['apply', '--yes']));
    const plan = await stage.quorate(['plan']);
    expect(plan.stdout).toContain('nothing to do');
    expect(`${plan.stdout}${plan.stderr}`).toContain('may speak plaintext');
    expect(await plainPorts(stage)).toEqual([2379]);
  });

  it('serve clients with and without TLS until the inventory ends that', { timeout: 900_000 }, async () => {
    expectDone(await stage.quorate(['certs', 'client', 'issue', 'load', '--out', 'load']));
    secure = await loadOf(stage, 'TLS');
    await plain?.phase('both');
    const check = await stage.quorate(['certs', 'check']);
    expect([check.status, check.stdout]).toEqual([2, expect.stringContaining('serves plaintext too')]);
    for (const name of clientsOfBoth) await plain?.retire(name);
    await stage.edit((text) => text.replace(/\n *plaintextClients: true/, ''));
    expect((await stage.quorate(['plan'])).stdout).toContain('clients that speak plaintext are refused');
    await secure.phase('close');
    await kill(stage, `roll/${await followerOf(stage)}/unit.restart`);
    expectDone(await stage.quorate(['apply', '--yes']));
    expect(await plainPorts(stage)).toEqual([]);
    expectUnharmed('plaintext', version, await plain?.end());
    expectUnharmed('TLS', version, await secure.end());
    expect(await stage.etcdctl(2, 'get greeting --print-value-only')).toBe('hello\n');
    await expectOrder(stage);
    expect((await stage.quorate(['certs', 'check'])).status).toBe(0);
  });

  it('are not opened again', async () => {
    await stage.edit((text) => text.replace(/\netcd:/, '\netcd:\n  plaintextClients: true'));
    expect(expectRefusal(await stage.quorate(['apply', '--yes']), 13)).toContain('would open plaintext again');
  });
});

describe.each([
  { tls: 'client', open: 2380 },
  { tls: 'peer', open: 2379 },
] as const)('three members with mutual TLS on their $tls port alone', ({ tls, open }) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `half-${tls}` });
    await makeForeign(stage, { version: '3.6.16', layouts, tls });
    await stage.host(1).sh(`${etcdctl(stage, 1, tls === 'client')} put greeting hello`);
  });
  afterAll(() => stage?.down());

  it('keep the authority of that port, get another for the other one, and come to TLS on both', {
    timeout: 900_000,
  }, async () => {
    expect(await plainPorts(stage)).toEqual([open]);
    const adopt = ['adopt', '--out', 'adopted.yml', '--yes', '--ca-key', join(foreignPki(stage), 'ca.key')];
    expectDone(await stage.quorate([...adopt, '--new-identity', 'identity.txt']));
    const { binaries } = parse(readFileSync(stage.inventory, 'utf8'));
    const adopted = parse(readFileSync(join(stage.folder, 'adopted.yml'), 'utf8'));
    await stage.edit(() => stringify({ ...adopted, binaries }));
    expectDone(await stage.quorate(['apply', '--yes']));
    if (tls === 'peer') {
      expect(await plainPorts(stage)).toEqual([open]);
      await stage.edit((text) => text.replace(/\n *plaintextClients: true/, ''));
      expectDone(await stage.quorate(['apply', '--yes']));
    }
    expect(await plainPorts(stage)).toEqual([]);
    expect(await stage.etcdctl(2, 'get greeting --print-value-only')).toBe('hello\n');
    await expectOrder(stage);
    expect((await stage.quorate(['certs', 'check'])).status).toBe(0);
  });
});

describe('three members of 3.4.23 without TLS', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: 'plain-34', version: '3.4.23' });
    await makeForeign(stage, { version: '3.4.23', layouts, tls: false });
  });
  afterAll(() => stage?.down());

  it('are described, and told to come to 3.5 first', async () => {
    const run = await stage.quorate(['adopt', '--out', 'adopted.yml', '--yes', '--new-identity', 'identity.txt']);
    expect(expectRefusal(run, 13)).toContain('does not serve TLS and plaintext on one port');
    expect(await stage.host(1).sh('ls /var/lib')).not.toContain('quorate');
  });
});

/** A run that is killed there; where nothing is left to do behind that point, its end. */
async function kill(stage: Stage, point: string): Promise<void> {
  const run = await stage.quorate(['apply', '--yes'], { env: { QUORATE_FAILPOINT: point } });
  expect([point, run.signal, run.signal === null ? run.stdout + run.stderr : '']).toEqual([point, 'SIGKILL', '']);
}

async function stagesOf(stage: Stage): Promise<readonly string[]> {
  const run = await stage.quorate(['plan', '--json']);
  const { stages }: { stages: readonly { id: string }[] } = JSON.parse(expectDone(run).stdout);
  return stages.map(({ id }) => id);
}

/** The first member that does not lead: others have their turns behind it. */
async function followerOf(stage: Stage): Promise<string> {
  const run = await stage.quorate(['status', '--json']);
  const { members }: { members: readonly { name: string; isLeader: boolean }[] } = JSON.parse(run.stdout);
  return members.find((each) => !each.isLeader)?.name ?? '';
}

async function invocations(stage: Stage): Promise<readonly string[]> {
  return Promise.all([1, 2, 3].map((number) => stage.host(number).sh('systemctl show -p InvocationID --value etcd')));
}

/** Ports on which any member answers without TLS. */
async function plainPorts(stage: Stage): Promise<readonly number[]> {
  const answers = await Promise.all(
    stage.lab.hosts.flatMap(({ name, ipv4 }) =>
      [2379, 2380].map(async (port) => {
        // A port with TLS says no at once: only a machine that is busy needs so long.
        const target = { host: name, stream: dial(ipv4, port), timeoutMs: 20_000 };
        return (await answersPlainly(target)) ? [port] : [];
      }),
    ),
  );
  return [...new Set(answers.flat())];
}

function expectUnharmed(who: string, version: string, report: LoadReport | undefined): void {
  if (report === undefined) throw new Error('there was no load');
  tellFigures(`${version}: from plaintext to TLS, ${who} clients`, report);
  expect(report.failures).toEqual([]);
  expect(report.total).toMatchObject({ failed: 0, stale: 0 });
  expect(report.store).toMatchObject({ lost: 0, examples: [], strangers: 0, hashesEqual: true });
  expect(report.store.looked).toBe(report.total.acknowledged);
}
