/** Certificates' verbs as they are run in every proof: under load, killed, on every minor. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { presentCertificate } from '../../src/etcd/prove.ts';
import { connectSecurely } from '../../src/etcd/secure.ts';
import { expectDone } from './environment.ts';
import { dial } from './load/dial.ts';
import { openMaterial } from './load/material.ts';
import type { StageLoad } from './load/on-stage.ts';
import { type Outcome, underLoad } from './load/scenario.ts';
import type { Stage } from './stage.ts';

/** What a planned step is called. */
interface PlannedStage {
  readonly id: string;
  readonly steps: readonly { readonly id: string }[];
}

/** The stages that a verb would run now. */
export async function plannedStages(stage: Stage, verb: readonly string[]): Promise<readonly PlannedStage[]> {
  const run = expectDone(await stage.quorate(['plan', ...verb, '--json']));
  return JSON.parse(run.stdout).stages;
}

/** `certs rotate` of all members under load. */
export function rotateUnderLoad(stage: Stage, scenario: string): Promise<Outcome> {
  return underLoad(stage, scenario, async (load) => {
    await load.phase('rotate');
    expectDone(await stage.quorate(['certs', 'rotate', '--yes']));
    await load.phase('rotated');
    await sleep(1_500);
  });
}

/**
 * `certs rotate-ca` through all of its stages under load. The client that shows an old certificate works until trust-new, which
 * ends it; the one that trusts the old authority alone until drop-cross; every other one all the time.
 */
export function rotateCaUnderLoad(stage: Stage, scenario: string): Promise<Outcome> {
  const go = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = expectDone(await stage.quorate(['certs', 'rotate-ca', ...args, '--yes']));
    // A plan is wrapped to the terminal's width.
    return `${stdout}${stderr}`.replaceAll(/\s+/g, ' ');
  };
  return underLoad(stage, scenario, async (load) => {
    await load.phase('to leaves');
    expect(await go()).toMatch(/give these clients the new bundle before drop-cross, .*: .*\bload\b/);
    const plan = await stage.quorate(['plan', 'certs', 'rotate-ca', '--until', 'trust-new']);
    const ended = /from trust-new on, certificates of client-\d+.* are refused, and these clients hold them: load\b/;
    expect(`${plan.stdout}${plan.stderr}`.replaceAll(/\s+/g, ' ')).toMatch(ended);
    await load.phase('clients renewed');
    await load.renewClients();
    await sleep(1_500);
    await load.retire('old-certificate');
    await load.phase('to trust-new');
    expect(await go('--until', 'trust-new')).not.toMatch(ended);
    await expectEnded(stage, load);
    await sleep(1_000);
    await load.retire('old-trust');
    await load.phase('to drop-cross');
    expect(await go('--until', 'drop-cross')).toContain('clients that read only the old bundle when they started');
    await expectDropped(stage, load);
    await load.phase('rotated');
    await sleep(1_500);
  });
}

/** No member takes a certificate of the old authority any more. */
async function expectEnded(stage: Stage, { old, kept }: StageLoad): Promise<void> {
  const { cert, key } = openMaterial(old)();
  const { ca } = openMaterial(kept)();
  for (const { name, ipv4 } of stage.lab.hosts) {
    const target = { host: name, stream: dial(ipv4, 2379), timeoutMs: 5_000 };
    expect(await presentCertificate(target, { ca, cert, key })).toMatchObject({
      accepted: false,
      alert: expect.stringMatching(/unknown CA|bad certificate|certificate unknown/),
    });
  }
}

/** Nobody who trusts the old authority alone gets a connection to any member. */
async function expectDropped(stage: Stage, { old, kept }: StageLoad): Promise<void> {
  const { ca } = openMaterial(old)();
  const { cert, key } = openMaterial(kept)();
  for (const { name, ipv4 } of stage.lab.hosts) {
    const target = { host: name, stream: dial(ipv4, 2379), timeoutMs: 5_000, identities: [ipv4] };
    await expect(connectSecurely({ ...target, tls: { ca, cert, key } })).rejects.toThrow(/certificate|issuer/);
  }
}

/** Runs a verb that kills itself at `point`; fails the test where the run has no such point and comes to its end. */
export async function killAt(stage: Stage, verb: readonly string[], point: string): Promise<void> {
  const run = await stage.quorate([...verb, '--yes'], { env: { QUORATE_FAILPOINT: point } });
  expect({ point, signal: run.signal, said: run.signal === 'SIGKILL' ? '' : run.stdout + run.stderr }).toEqual({
    ...{ point, signal: 'SIGKILL', said: '' },
  });
}

export interface Killing {
  readonly verb: readonly string[];
  /** The points of a plan, in its order. */
  points(stages: readonly PlannedStage[]): readonly string[];
  /** Called before the run that is killed at `point`. */
  before?(point: string): Promise<void>;
}

/**
 * Runs a verb again and again, each time killed at the first point that is left and was not killed at yet, until it is done; the
 * points in their order. A plan that begins as the first one did is another change: the one that was killed has come to its end.
 */
export async function killThrough(stage: Stage, { verb, points, before }: Killing): Promise<readonly string[]> {
  const first = points(await plannedStages(stage, verb));
  const killed: string[] = [];
  for (let left = first; killed.length === 0 || (left.length > 0 && left[0] !== first[0]); ) {
    const next = left.find((each) => !killed.includes(each));
    if (next === undefined) {
      expectDone(await stage.quorate([...verb, '--yes']));
      break;
    }
    await before?.(next);
    await killAt(stage, verb, next);
    killed.push(next);
    left = points(await plannedStages(stage, verb));
  }
  return killed;
}

/** Members healthy, `plan` with nothing to do, and every certificate as it should be, on disk and as served. */
export async function expectInOrder(stage: Stage): Promise<void> {
  const check = await stage.quorate(['certs', 'check']);
  expect({ status: check.status, said: check.status === 0 ? '' : check.stdout + check.stderr }).toEqual({
    status: 0,
    said: '',
  });
  const plan = expectDone(await stage.quorate(['plan']));
  expect(plan.stdout).toContain('nothing to do');
  expect((await stage.quorate(['status'])).status).toBe(0);
  for (const host of stage.lab.hosts) expect((await host.sh('ls /etc/etcd/pki.d')).trim()).toMatch(/^\d+$/);
}
