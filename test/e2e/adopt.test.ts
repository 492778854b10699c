/** A cluster that was made by hand is taken over as it is: no process is touched, and quorate knows it from then on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdctl, foreignPki, makeForeign } from './foreign-cluster.ts';
import { openStage, type Stage } from './stage.ts';

const version = '3.6.16';

describe('a cluster of flags, an environment file and a configuration file elsewhere, with certificates of openssl', () => {
  let stage: Stage;
  let invocations: readonly string[];
  const adopted = 'adopted.yml';
  const key = (): readonly string[] => ['--ca-key', join(foreignPki(stage), 'ca.key')];
  beforeAll(async () => {
    stage = await openStage({ name: 'adopt', version });
    await makeForeign(stage, { version, layouts: ['flags', 'environment', 'file'], tls: true });
    await stage.host(1).sh(`${etcdctl(stage, 1, true)} put greeting hello`);
    invocations = await invocationIds(stage);
  });
  afterAll(() => stage?.down());

  it('is not touched without the key of its authority, and told where that may lie', async () => {
    const run = await stage.quorate(['adopt', '--out', 'without-key.yml', '--yes', '--new-identity', 'identity.txt']);
    expect(run.status, run.stderr).toBe(13);
    expect(run.stderr).toContain('the private key of the authority for clients is wanted');
    expect(await stage.host(1).sh('ls /var/lib')).not.toContain('quorate');
  });

  it('is described as it is, and taken in', async () => {
    const run = await stage.quorate(['adopt', '--out', adopted, '--yes', ...key(), '--new-identity', 'identity.txt']);
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
    for (const layout of ['flags', 'environment', 'config-file']) expect(run.stdout).toContain(layout);
    expect(run.stdout).toContain('What applying the inventory would change');
    expect(`${run.stdout}${run.stderr}`).not.toContain('never-to-be-shown');
    const text = readFileSync(join(stage.folder, adopted), 'utf8');
    expect(text).toContain('snapshot-count: 5000');
    expect(text).toContain('etcd-1.example.org');
    expect(text).not.toContain('never-to-be-shown');
    expect(await invocationIds(stage)).toEqual(invocations);
  });

  it('is known from then on: healthy, and nothing is adopted twice', async () => {
    const status = await stage.quorate(['status', '--json', '-i', adopted]);
    expect(status.status, status.stderr).toBe(0);
    expect(JSON.parse(status.stdout).state).toBe('healthy');
    const again = await stage.quorate(['adopt', '--yes', '-i', adopted]);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stdout).toContain('adopted: member');
    expect((await stage.quorate(['plan', '--exit-code', '-i', adopted])).status).toBe(2);
    expect(await invocationIds(stage)).toEqual(invocations);
  });

  it('is never built anew', async () => {
    const run = await stage.quorate(['bootstrap', '--yes', '-i', adopted]);
    expect(run.status, `${run.stdout}${run.stderr}`).toBe(0);
    expect(await invocationIds(stage)).toEqual(invocations);
    expect(await stage.host(2).sh(`${etcdctl(stage, 2, true)} get greeting --print-value-only`)).toBe('hello\n');
  });
});

async function invocationIds(stage: Stage): Promise<readonly string[]> {
  return Promise.all([1, 2, 3].map((number) => stage.host(number).sh('systemctl show -p InvocationID --value etcd')));
}
