/** apply on hosts: settings roll while clients write and read, a bad value is taken back, a killed run goes on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killAt } from './certs-scenarios.ts';
import { expectUndisturbed, underLoad } from './load/scenario.ts';
import { openStage, type Stage } from './stage.ts';

const CONFIG = '/etc/etcd/etcd-config.yml';
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ name: 'apply' });
  await stage.bootstrap();
  await stage.edit((text) => `${text}etcd:\n  quota-backend-bytes: 4294967296\n`);
});
afterAll(() => stage?.down());

/** Of every member: its process, and the hash of its configuration. */
function states(): Promise<readonly string[]> {
  const script = `systemctl show -p InvocationID --value etcd; sha256sum <${CONFIG}`;
  return Promise.all(stage.lab.hosts.map((host) => host.sh(script)));
}

async function expectNothingLeft(): Promise<void> {
  const again = await stage.quorate(['plan', '--exit-code']);
  expect([again.status, again.stderr]).toEqual([0, '']);
}

/** The turns come in the order of the inventory, the leader's last. */
async function firstRestart(): Promise<string> {
  const { members } = JSON.parse((await stage.quorate(['status', '--json'])).stdout);
  const first = members.find((each: { isLeader: boolean }) => !each.isLeader);
  return `roll/${first.name}/unit.restart`;
}

it('goes on after a kill behind the first turn, and restarts nobody twice; no write is lost', async () => {
  const before = await states();
  const outcome = await underLoad(stage, 'apply, killed once', async () => {
    await killAt(stage, ['apply'], await firstRestart());
    const between = await states();
    const run = await stage.quorate(['apply', '--yes']);
    expect([run.status, run.stderr]).toEqual([0, expect.stringContaining('verified: nothing to do')]);
    const after = await states();
    for (const [index, state] of between.entries()) {
      if (state !== before[index]) expect(after[index]).toBe(state);
      else expect(after[index]).not.toBe(state);
    }
  });
  expectUndisturbed(outcome);
  for (const host of stage.lab.hosts)
    expect(await host.sh(`cat ${CONFIG}`)).toContain('quota-backend-bytes: 4294967296');
  await expectNothingLeft();
});

it('takes a value back that etcd does not start with, and touches no other member', async () => {
  const before = await states();
  await stage.edit((text) => `${text}  auth-token: "jwt,pub-key=/none,priv-key=/none,sign-method=RS256"\n`);
  const run = await stage.quorate(['apply', '--yes']);
  expect([run.status, run.stderr]).toEqual([14, expect.stringMatching(/taken back .*it serves again/s)]);
  expect(run.stderr).toContain('members whose turn had not come were not touched');
  const after = await states();
  const changed = after.filter((state, index) => state !== before[index]);
  expect(changed).toHaveLength(1);
  const hash = (state: string | undefined): string | undefined => state?.trim().split('\n')[1];
  expect(after.map(hash)).toEqual(before.map(hash));
  await stage.edit((text) => text.replace(/ {2}auth-token: .*\n/, ''));
  await expectNothingLeft();
});
