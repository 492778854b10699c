/** Rolling stages on a real cluster: the order, the guard, the gate, and the way back. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Session } from '../../src/commands/command.ts';
import { QuorateError } from '../../src/domain/errors.ts';
import { type Plan, type Stage as PlanStage, stage as planStage } from '../../src/domain/plan.ts';
import { type Draft, OPERATOR } from '../../src/domain/step.ts';
import { openContext } from '../../src/main/context.ts';
import { openOperator } from '../../src/main/open-operator.ts';
import { thisProcess } from '../../src/main/process.ts';
import { openSession } from '../../src/main/session.ts';
import { planBase } from '../../src/plan/view.ts';
import { loadStage, type StageLoad, tellFigures } from './load/on-stage.ts';
import { openStage, type Stage } from './stage.ts';

const names = ['etcd-1', 'etcd-2', 'etcd-3'];

describe('a rolling stage', () => {
  let stage: Stage;
  let load: StageLoad | undefined;
  beforeAll(async () => {
    stage = await openStage({ name: 'rolling' });
    await stage.bootstrap();
    vi.stubEnv('HOME', stage.folder);
  });
  afterEach(() => load?.kill());
  afterAll(async () => {
    vi.unstubAllEnvs();
    await stage?.down();
  });

  async function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
    const options = { inventory: stage.inventory, quiet: true, input: false };
    const request = { verb: 'rolling-test', invocation: { args: [], options }, load: async () => async () => 0 };
    const { ui, ports } = await openContext(request);
    const cluster = await ports.cluster();
    const process = thisProcess();
    const identity = { file: join(stage.folder, 'identity.txt'), newFile: undefined };
    const session = await openSession({
      ...{ cluster, ui, process, desired: {}, wish: { endpoints: true, requireAll: true } },
      operator: await openOperator(cluster, identity, { process, ui }),
      ...{ acceptNewHostKeys: false, command: 'rolling test', verbose: false, redact: (text) => text },
    });
    return use(session).finally(() => session.close());
  }

  /** What running these stages ended with; undefined where it went well. */
  async function run(...stages: readonly PlanStage[]): Promise<QuorateError | undefined> {
    return withSession(async (session) => {
      const plan: Plan = { ...planBase(session.view, 'test'), stages, warnings: [], reasons: [] };
      try {
        await session.apply(plan, () => plan);
        return undefined;
      } catch (error) {
        if (error instanceof QuorateError) return error;
        throw error;
      }
    });
  }

  async function restarts(hosts: readonly string[]): Promise<readonly Draft[]> {
    return withSession(async ({ view }) =>
      hosts.map((host): Draft => {
        const ends = view.facts.hosts[host]?.unit.invocationId ?? '';
        return { kind: 'unit.restart', host, unit: view.cluster.unit, wish: {}, ends, outage: false, why: 'test' };
      }),
    );
  }

  async function leader(): Promise<string> {
    return withSession(async ({ view: { facts } }) => {
      const found = names.find((name) => facts.endpoints[name]?.leaderId === facts.endpoints[name]?.memberId);
      return found ?? '';
    });
  }

  /** Microseconds since the machine's start, the same on every lab host. */
  async function startedAt(name: string): Promise<number> {
    const host = stage.lab.host(name);
    return Number(await host.sh('systemctl show -p ActiveEnterTimestampMonotonic --value etcd'));
  }

  const proof = (): PlanStage =>
    planStage('prove', 'prove', 'operator', [
      { kind: 'certificates.prove', host: OPERATOR, members: names, what: 'certificates are served', why: 'test' },
    ]);

  it('restarts followers before the leader, and no write fails', async () => {
    const led = await leader();
    const before = new Map(await Promise.all(names.map(async (name) => [name, await startedAt(name)] as const)));
    load = await loadStage(stage);
    await load.phase('rolling restart');
    const error = await run(planStage('roll', 'restart', 'rolling', await restarts(names)), proof());
    expect(error?.message).toBeUndefined();
    const report = await load.end();
    tellFigures('rolling restart', report);
    expect(report.total).toMatchObject({ failed: 0, stale: 0 });
    expect(report.store).toMatchObject({ lost: 0, strangers: 0, hashesEqual: true });
    const after = new Map(await Promise.all(names.map(async (name) => [name, await startedAt(name)] as const)));
    for (const name of names) expect(after.get(name)).toBeGreaterThan(before.get(name) ?? 0);
    expect(names.toSorted((a, b) => (after.get(a) ?? 0) - (after.get(b) ?? 0)).at(-1)).toBe(led);
  });

  it('is refused while a member does not answer, and restarts nobody', async () => {
    const led = await leader();
    const [stopped = '', other = ''] = names.filter((name) => name !== led);
    const before = await startedAt(other);
    const drafts = await restarts([other, led]);
    await stage.lab.host(stopped).sh('systemctl kill --signal STOP etcd');
    try {
      const error = await run(planStage('roll', 'restart', 'rolling', drafts));
      expect(error).toMatchObject({
        code: 'refused',
        message: `stopping ${other} would leave 1 of 3 voters healthy, and 2 are needed`,
      });
    } finally {
      await stage.lab.host(stopped).sh('systemctl kill --signal CONT etcd');
    }
    expect(await startedAt(other)).toBe(before);
  });

  it('takes a bundle back that etcd does not start with, and says what is true', async () => {
    const led = await leader();
    const [host = ''] = names.filter((name) => name !== led);
    await stage.lab.host(host).sh(`cp -a /etc/etcd/pki.d/1 /etc/etcd/pki.d/2
printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n' >> /etc/etcd/pki.d/2/peer-ca.crt`);
    const drafts: readonly Draft[] = [
      { kind: 'pki.switch', host, link: '/etc/etcd/pki', target: 'pki.d/2', why: 'test' },
      ...(await restarts([host])),
    ];
    const error = await run(planStage('roll', 'restart', 'rolling', [...drafts, ...(await restarts([led]))]));
    expect(error?.message).toMatch(
      /taken back \(\/etc\/etcd\/pki → pki\.d\/1, restart etcd\.service\); it serves again$/,
    );
    expect(error).toMatchObject({ code: 'step-failed', host });
    expect(error?.detail).toContain('malformed');
    expect(await stage.lab.host(host).sh('readlink /etc/etcd/pki; systemctl is-active etcd')).toBe('pki.d/1\nactive\n');
    expect((await run(proof()))?.message).toBeUndefined();
    await stage.lab.host(host).sh('rm -rf /etc/etcd/pki.d/2');
  });

  it('takes a leaf back that peers do not trust, without a restart', async () => {
    const [host = ''] = names;
    const before = await startedAt(host);
    await stage.lab.host(host).sh(`cp -a /etc/etcd/pki.d/1 /etc/etcd/pki.d/2 && cd /etc/etcd/pki.d/2
cat server.crt > peer.crt && cat server.key > peer.key`);
    const drafts: readonly Draft[] = [
      { kind: 'pki.switch', host, link: '/etc/etcd/pki', target: 'pki.d/2', why: 'test' },
    ];
    const error = await run(planStage('roll', 'switch', 'rolling', drafts));
    expect(error?.message).toMatch(
      /peer port 2380 serves a certificate that etcd-2, as it runs, does not trust: .*; taken back/,
    );
    expect(error?.message).toMatch(/it serves again$/);
    expect(await stage.lab.host(host).sh('readlink /etc/etcd/pki')).toBe('pki.d/1\n');
    expect(await startedAt(host)).toBe(before);
  });
});
