/** Revocation lists outlive their dates and their authorities: rotations sign them anew, and a revoked client is refused all the while. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRevocationList } from '../../src/pki/crl.ts';
import { ageClientList } from '../e2e/aged-pki.ts';
import { expectDone } from '../e2e/environment.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const members = [1, 2, 3] as const;

describe('a revocation list', { timeout: 300_000 }, () => {
  let stage: Stage;
  let serial = '';
  beforeAll(async () => {
    stage = await openStage({ name: 'certs-lists' });
    await stage.bootstrap();
    const issued = expectDone(await stage.quorate(['certs', 'client', 'issue', 'thief', '--out', 'thief', '--json']));
    serial = String(JSON.parse(issued.stdout).serial);
    expectDone(await stage.quorate(['certs', 'client', 'revoke', 'thief', '--yes']));
  });
  afterAll(() => stage?.down());

  it('that is in force is nothing to tell of', async () => {
    expect(await listFindings(stage)).toEqual([]);
    await expectRefused(stage);
  });

  it('near its end is told, and signed anew without a restart', async () => {
    await ageClientList(stage);
    expect(await listFindings(stage)).toEqual(['list client-1 list-ends']);
    const before = await invocations(stage);
    expectDone(await stage.quorate(['certs', 'rotate', '--due', '--yes']));
    expect(await listFindings(stage)).toEqual([]);
    expect(await invocations(stage)).toEqual(before);
    for (const { nextUpdate } of await listsOnHosts(stage)) expect(nextUpdate - Date.now()).toBeGreaterThan(30e9);
    await expectRefused(stage);
    expect((await stage.quorate(['plan', 'certs', 'rotate', '--due', '--exit-code'])).status).toBe(0);
  });

  it('of the next authority holds what the one before has revoked', async () => {
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--authority', 'client', '--yes']));
    const stored = readRevocationList(
      await readFile(join(stage.folder, '.quorate', stage.cluster, 'crl', 'client-2.crl')),
    );
    expect(stored.revoked.map((each) => each.serial)).toContain(serial);
    for (const list of await listsOnHosts(stage)) expect(list).toEqual(stored);
    expect(await listFindings(stage)).toEqual([]);
    await expectRefused(stage);
  });

  it('that is gone from a host is told, and put back', async () => {
    await stage.host(2).sh('rm /etc/etcd/pki/client.crl');
    expect(await listFindings(stage)).toEqual(['etcd-2 client.crl list-missing']);
    expectDone(await stage.quorate(['certs', 'rotate', '--due', '--yes']));
    expect(await listFindings(stage)).toEqual([]);
    for (const number of members) await stage.etcdctl(number, `put each ${number}`);
    await expectRefused(stage);
  });
});

async function listFindings(stage: Stage): Promise<readonly string[]> {
  const run = await stage.quorate(['certs', 'check', '--json']);
  const rows: readonly { readonly where: string; readonly findings: readonly { readonly code: string }[] }[] =
    JSON.parse(run.stdout).certificates;
  return rows.flatMap((row) =>
    row.findings.filter(({ code }) => code.startsWith('list-')).map(({ code }) => `${row.where} ${code}`),
  );
}

function invocations(stage: Stage): Promise<readonly string[]> {
  return Promise.all(members.map((each) => stage.host(each).sh('systemctl show etcd -P InvocationID')));
}

function listsOnHosts(stage: Stage) {
  return Promise.all(
    members.map(async (number) => {
      const base64 = await stage.host(number).sh('base64 -w0 /etc/etcd/pki/client.crl');
      return readRevocationList(Buffer.from(base64, 'base64'));
    }),
  );
}

/** By every member, over a connection opened now; the member's own client certificate is accepted by the same port. */
async function expectRefused(stage: Stage): Promise<void> {
  const judged = members.map(async (number) => {
    const host = stage.host(number);
    for (const suffix of ['crt', 'key']) {
      const text = await readFile(join(stage.folder, 'thief', `thief.${suffix}`), 'utf8');
      await host.putFile(`/root/thief.${suffix}`, text, 0o600);
    }
    const get = (pair: string): string =>
      `ETCDCTL_API=3 /usr/local/bin/etcdctl --cacert /etc/etcd/pki/ca.crt --cert ${pair}.crt --key ${pair}.key --command-timeout 3s --endpoints https://127.0.0.1:2379 get x >/dev/null 2>&1 && echo yes || echo no`;
    return [await host.sh(get('/root/thief')), await host.sh(get('/etc/etcd/pki/client'))].map((each) => each.trim());
  });
  expect(await Promise.all(judged)).toEqual(members.map(() => ['no', 'yes']));
}
