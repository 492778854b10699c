/** States of etcd itself, and of the operator's disk, in which verbs must be of use: nothing of it is undone or made worse. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectDone, expectRefusal, until } from '../e2e/environment.ts';
import { openStage, type Run, type Stage } from '../e2e/stage.ts';

/** A value of a megabyte under each of so many keys; the number of those that etcd took. */
function fill(count: number): string {
  return `head -c 1000000 /dev/zero | tr '\\0' x >/root/value; taken=0
for each in $(seq ${count}); do /usr/local/bin/etcdctl put fill/$each </root/value >/dev/null 2>&1 || break; taken=$each; done; echo $taken`;
}

describe('a cluster', () => {
  let stage: Stage;
  /** etcdctl on the first host as the operator, whose certificate is that of etcd's user root. */
  const asRoot = async (command: string): Promise<string> => {
    expectDone(await stage.quorate(['env', '--out', 'keys']));
    const read = (name: string): Promise<string> => readFile(join(stage.folder, 'keys', stage.cluster, name), 'utf8');
    const host = stage.host(1);
    await host.putFile('/root/r/ca.crt', await read('ca.crt'), 0o644);
    await host.putFile('/root/r/client.crt', await read('client.crt'), 0o644);
    await host.putFile('/root/r/client.key', await read('client.key'), 0o600);
    const flags = '--cacert /root/r/ca.crt --cert /root/r/client.crt --key /root/r/client.key';
    return host.sh(`/usr/local/bin/etcdctl ${flags} --endpoints https://127.0.0.1:2379 ${command}`);
  };
  const inLogin = (script: string): Promise<string> => stage.host(1).sh(['bash', '--login', '-c', script]);
  /** Runs a verb, after which every member is the process that it was, of the same files. */
  const touchesNobody = async (verb: readonly string[], hosts = stage.lab.hosts): Promise<Run> => {
    const state =
      'systemctl show -p InvocationID,ActiveState etcd; sha256sum /etc/etcd/etcd-config.yml; ls -l /usr/local/bin/etcd /etc/etcd/pki';
    const states = (): Promise<readonly string[]> => Promise.all(hosts.map((host) => host.sh(state)));
    const before = await states();
    const run = await stage.quorate([...verb, '--yes']);
    expect(await states()).toEqual(before);
    return run;
  };
  const set = (key: string, value: number): Promise<void> =>
    stage.edit((text) => `${text.replace(new RegExp(`  ${key}: .*\n`), '')}  ${key}: ${value}\n`);

  beforeAll(async () => {
    stage = await openStage({ name: 'states-etcd', version: '3.5.35', releases: ['3.6.16'] });
    await stage.edit((text) => `${text}etcd:\n  quota-backend-bytes: 33554432\n`);
    await stage.bootstrap();
  });
  afterAll(() => stage?.down());

  it('acceptance 16: is not upgraded where the disk for its snapshot is full, and older snapshots stay', async () => {
    expect((await inLogin(fill(2))).trim()).toBe('2');
    const snapshots = join(stage.folder, '.quorate', stage.cluster, 'snapshots');
    await mkdir(snapshots, { recursive: true });
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', snapshots]);
    try {
      await writeFile(join(snapshots, 'older.db'), 'of another day');
      const run = await touchesNobody(['upgrade', '--to', '3.6.16']);
      const said = expectRefusal(run, 14);
      expect(said).toContain(snapshots);
      expect(said).toContain('no space left on the device');
      expect(await readdir(snapshots)).toEqual(['older.db']);
    } finally {
      await execa('umount', [snapshots]);
    }
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });

  it('acceptance 17: is named where its quota is used up, and doctor’s remedy ends it', async () => {
    expect(Number(await inLogin(fill(60)))).toBeLessThan(60);
    const status = await stage.quorate(['status']);
    expect([status.status, status.stdout]).toEqual([2, expect.stringContaining('NOSPACE')]);
    const doctor = await stage.quorate(['doctor']);
    expect([doctor.status, doctor.stdout]).toEqual([3, expect.stringContaining('alarm-nospace')]);
    expect(doctor.stdout).toContain('etcdctl alarm disarm');
    // Members restart all the same: nobody is kept from a larger quota.
    await set('quota-backend-bytes', 67108864);
    expectDone(await stage.quorate(['apply', '--yes']));
    await inLogin(`etcdctl del --prefix fill/ >/dev/null
etcdctl compact --physical $(etcdctl get fill -w json | sed 's/.*"revision":\\([0-9]*\\).*/\\1/') >/dev/null
etcdctl defrag --cluster >/dev/null; etcdctl alarm disarm`);
    expectDone(await stage.quorate(['status']));
    expect(await inLogin('etcdctl put again works')).toBe('OK\n');
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });

  it('acceptance 18: is left as it is where its quorum is lost, and the survivor gives the snapshot that comes first', async () => {
    await Promise.all([2, 3].map((number) => stage.host(number).powerCut()));
    const before = await stage.host(1).sh('systemctl show -p InvocationID --value etcd');
    expect((await stage.quorate(['status'])).status).toBe(3);
    const doctor = await stage.quorate(['doctor']);
    expect([doctor.status, doctor.stdout]).toEqual([3, expect.stringContaining('no-quorum')]);
    expect(doctor.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'snapshot is the safest copy: etcdctl snapshot save on such a host',
    );
    await set('snapshot-count', 30_000);
    const verbs = [
      ['apply'],
      ['restart'],
      ['upgrade', '--to', '3.6.16'],
      ['member', 'remove', 'etcd-3'],
      ['certs', 'rotate-ca'],
    ];
    for (const verb of verbs) {
      const run = await touchesNobody(verb, [stage.host(1)]);
      expect([12, 13], run.stdout + run.stderr).toContain(run.status);
    }
    expect(await inLogin('etcdctl snapshot save /root/first.db 2>/dev/null')).toContain('/root/first.db');
    await Promise.all([2, 3].map((number) => stage.host(number).start()));
    await until(
      'the cluster is healthy',
      async () => (await stage.quorate(['status'])).status === 0 || undefined,
      60_000,
    );
    expect(await stage.host(1).sh('systemctl show -p InvocationID --value etcd')).toBe(before);
    await stage.edit((text) => text.replace(/ {2}snapshot-count: .*\n/, ''));
    expectDone(await stage.quorate(['plan', '--exit-code']));
  });

  it('acceptance 21: with authentication on is looked at, configured and given certificates by the operator’s own', async () => {
    await asRoot('role add root');
    await asRoot('user add root --no-password');
    await asRoot('user grant-role root root');
    await asRoot('auth enable');
    const denied = await stage.host(1).exec(['bash', '--login', '-c', 'etcdctl put another member']);
    expect(denied.status).not.toBe(0);
    for (const verb of [['status'], ['plan', '--exit-code'], ['certs', 'check']]) expectDone(await stage.quorate(verb));
    await set('snapshot-count', 20_000);
    expectDone(await stage.quorate(['apply', '--yes']));
    expectDone(await stage.quorate(['certs', 'rotate', '--yes']));
    expectDone(await stage.quorate(['upgrade', '--to', '3.6.16', '--yes']));
    const verify = await stage.quorate(['verify']);
    expect({ status: verify.status, failed: verify.stdout.match(/^.*(?:critical|failed).*$/gm) }).toEqual({
      status: expect.toSatisfy((status: number) => status < 3),
      failed: null,
    });
    expect(await asRoot('get again --print-value-only')).toBe('works\n');
    await asRoot('auth disable');
  });
});
