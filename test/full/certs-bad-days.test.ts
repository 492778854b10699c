/** Bad days: `certs check` names what is wrong, and the verb that is for it mends it, with the data as it was; those that stop a cluster on the first minor too. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testedVersions } from '../../src/lab/releases.ts';
import { expireAuthorities, expireLeaves } from '../e2e/aged-pki.ts';
import { untilHealthy } from '../e2e/bad-conditions.ts';
import { expectInOrder } from '../e2e/certs-scenarios.ts';
import { expectDone, until } from '../e2e/environment.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

interface BadDay {
  readonly name: string;
  happen(stage: Stage): Promise<unknown>;
  /** What `certs check` says: `WHERE CODE`. */
  readonly findings: readonly string[];
  readonly mend: readonly string[];
}

const restart = (stage: Stage, numbers: readonly number[]): Promise<unknown> =>
  Promise.all(numbers.map((number) => stage.host(number).exec('systemctl restart --no-block etcd')));

const all = [1, 2, 3] as const;

const days: readonly BadDay[] = [
  {
    name: 'the certificates of one member have expired',
    happen: (stage) => expireLeaves(stage, [2]),
    findings: ['etcd-2 server.crt expired', 'etcd-2 peer.crt expired', 'etcd-2 :2379 expired', 'etcd-2 :2380 expired'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: 'the certificates of one member have expired, and it was restarted',
    happen: async (stage) => {
      await expireLeaves(stage, [3]);
      await restart(stage, [3]);
    },
    findings: ['etcd-3 server.crt expired', 'etcd-3 peer.crt expired'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: 'all certificates have expired, and connections still live',
    happen: (stage) => expireLeaves(stage),
    findings: [...all.map((number) => `etcd-${number} server.crt expired`), 'operator admin expired'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: 'all certificates have expired, and all members were restarted',
    happen: async (stage) => {
      await expireLeaves(stage);
      await restart(stage, all);
    },
    findings: [...all.map((number) => `etcd-${number} server.crt expired`), 'operator admin expired'],
    mend: ['certs', 'rescue'],
  },
  {
    name: 'the authorities have expired, and all members were restarted',
    happen: expireAuthorities,
    findings: ['authority client-1 expired', 'authority peer-1 expired', 'etcd-1 peer.crt expired'],
    mend: ['certs', 'rescue'],
  },
  {
    name: 'a private key is lost',
    happen: (stage) => stage.host(2).sh('rm /etc/etcd/pki/peer.key'),
    findings: ['etcd-2 peer.crt key-missing'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: "the operator's certificate is lost",
    happen: async (stage) => {
      const clients = join(stage.folder, '.quorate', stage.cluster, 'clients');
      for (const file of ['admin.crt', 'admin.key.age']) await rm(join(clients, file));
    },
    findings: ['operator admin absent'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: 'the folders of one host are deleted',
    happen: (stage) => stage.host(1).sh('rm -r /etc/etcd/pki.d /etc/etcd/pki'),
    findings: ['etcd-1 server.crt absent', 'etcd-1 peer.crt absent', 'etcd-1 ca.crt absent', 'etcd-1 :2379 handshake'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: 'the folders of one host are deleted, and it was restarted',
    happen: async (stage) => {
      await stage.host(1).sh('rm -r /etc/etcd/pki.d /etc/etcd/pki');
      await restart(stage, [1]);
    },
    findings: ['etcd-1 server.crt absent', 'etcd-1 peer.crt absent', 'etcd-1 ca.crt absent'],
    mend: ['certs', 'rotate', '--due'],
  },
  {
    name: 'the policy asks for other keys',
    happen: (stage) => stage.edit((text) => text.replace(/^pki:\n/m, '$&  algorithm: ecdsa-p384\n')),
    findings: ['etcd-1 server.crt key', 'etcd-2 peer.crt key', 'etcd-3 client.crt key'],
    mend: ['certs', 'rotate', '--due'],
  },
];

const [oldest, , usual] = testedVersions;
const stopping = days.filter((each) => each.mend.includes('rescue'));
const arenas = [
  { version: usual, its: days },
  { version: oldest, its: stopping },
];

describe.each(arenas)('with etcd $version on a day on which', ({ version, its }) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `bad-days-${version.replaceAll('.', '-')}`, version });
    await stage.bootstrap();
    await stage.etcdctl(1, 'put precious value');
  });
  afterAll(() => stage?.down());

  it.each(its)('$name, check names it and its verb mends it', { timeout: 300_000 }, async (day) => {
    await day.happen(stage);
    await until('check names it', async () => {
      const found = await findingsOf(stage);
      return day.findings.every((each) => found.includes(each)) ? true : undefined;
    });
    expectDone(await stage.quorate([...day.mend, '--yes']));
    await untilHealthy(stage);
    // A member that did not run keeps its old folders until the new ones are proved.
    expectDone(await stage.quorate(['certs', 'rotate', '--due', '--yes']));
    await expectInOrder(stage);
    expect(await stage.etcdctl(2, 'get precious --print-value-only')).toBe('value\n');
    for (const number of all) await stage.etcdctl(number, 'put each works');
  });
});

async function findingsOf(stage: Stage): Promise<readonly string[]> {
  const run = await stage.quorate(['certs', 'check', '--json']);
  const rows: readonly { readonly where: string; readonly findings: readonly { readonly code: string }[] }[] =
    JSON.parse(run.stdout).certificates;
  return rows.flatMap((row) => row.findings.map((finding) => `${row.where} ${finding.code}`));
}
