/** Revocation on a real cluster: refused within one handshake on every member, by nobody else's loss. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRevocationList } from '../../src/pki/crl.ts';
import { copyOperator, openStage, type Run, type Stage } from './stage.ts';

const members = [1, 2, 3] as const;

describe('a revoked certificate', () => {
  let stage: Stage;
  /** The inventory of a copy of the operator's folder, from before anything was revoked. */
  let older: string;
  const file = (...parts: readonly string[]): string => join(stage.folder, ...parts);
  /** Whether etcdctl with a client's certificate gets an answer from each member, over a connection of its own. */
  const answers = async (name: string): Promise<readonly boolean[]> =>
    Promise.all(
      members.map(async (number) => {
        const host = stage.host(number);
        for (const suffix of ['crt', 'key']) {
          await host.putFile(`/root/${name}.${suffix}`, await readFile(file(name, `${name}.${suffix}`), 'utf8'), 0o600);
        }
        const flags = `--cacert /etc/etcd/pki/ca.crt --cert /root/${name}.crt --key /root/${name}.key --command-timeout 3s`;
        const run = `ETCDCTL_API=3 /usr/local/bin/etcdctl ${flags} --endpoints https://127.0.0.1:2379`;
        return (await host.sh(`${run} get x >/dev/null 2>&1 && echo yes || echo no`)).trim() === 'yes';
      }),
    );
  const issue = async (name: string): Promise<string> => {
    const run = await stage.quorate(['certs', 'client', 'issue', name, '--out', name, '--json']);
    expect(run.status, run.stderr).toBe(0);
    return String(JSON.parse(run.stdout).serial);
  };
  const invocations = () =>
    Promise.all(members.map((each) => stage.host(each).sh('systemctl show etcd -P InvocationID')));
  const serials = async (number: number, name = 'client') => {
    const base64 = await stage.host(number).sh(`base64 -w0 /etc/etcd/pki/${name}.crl`);
    return readRevocationList(Buffer.from(base64, 'base64')).revoked.map((each) => each.serial);
  };
  const ok = (run: Run): void => expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);

  beforeAll(async () => {
    stage = await openStage({ name: 'certs-revoke' });
    await stage.bootstrap();
    older = await copyOperator(stage, 'older');
  });
  afterAll(() => stage?.down());

  it('is refused on every member after one rolling restart, and others are not', async () => {
    const [bad, good] = [await issue('thief'), await issue('backup')];
    expect([await answers('thief'), await answers('backup')]).toEqual([
      [true, true, true],
      [true, true, true],
    ]);
    const before = await invocations();
    const run = await stage.quorate(['certs', 'client', 'revoke', 'thief', '--yes', '--why', 'laptop stolen']);
    ok(run);
    expect(run.stdout + run.stderr).toContain('connections that are open live on');
    expect(await answers('thief')).toEqual([false, false, false]);
    expect(await answers('backup')).toEqual([true, true, true]);
    for (const [index, invocation] of (await invocations()).entries()) expect(invocation).not.toBe(before[index]);
    for (const number of members) {
      const found = await serials(number);
      expect(found).toContain(bad);
      expect(found).not.toContain(good);
      expect(await stage.host(number).sh('stat -c %a:%U /etc/etcd/pki/client.crl')).toBe('644:root\n');
    }
    expect((await stage.quorate(['certs', 'client', 'list'])).stdout).toMatch(/^thief .* revoked /m);
  });

  it('is refused without a restart from then on, and revoking it again changes nothing on a host', async () => {
    await issue('second');
    const before = await invocations();
    ok(await stage.quorate(['certs', 'client', 'revoke', 'second', '--yes']));
    expect(await answers('second')).toEqual([false, false, false]);
    expect(await answers('thief')).toEqual([false, false, false]);
    expect(await answers('backup')).toEqual([true, true, true]);
    expect(await invocations()).toEqual(before);
    const links = () => Promise.all(members.map((each) => stage.host(each).sh('readlink /etc/etcd/pki')));
    const link = await links();
    ok(await stage.quorate(['certs', 'client', 'revoke', 'second', '--yes']));
    expect(await links()).toEqual(link);
    expect((await stage.quorate(['plan', '--exit-code'])).status).toBe(0);
  });

  it('is never what a member uses, nor the operator', async () => {
    const used = await stage.host(1).sh('openssl x509 -noout -serial -in /etc/etcd/pki/peer.crt | cut -d= -f2');
    const member = await stage.quorate(['certs', 'revoke', used.trim(), '--yes']);
    expect(member.status).toBe(13);
    expect(member.stderr).toContain('etcd-1 uses it: /etc/etcd/pki/peer.crt');
    const own = await stage.quorate(['certs', 'client', 'revoke', 'root', '--yes']);
    expect(own.status).toBe(13);
    expect(own.stderr).toContain("it is the operator's own");
  });

  it('of a peer is refused on the peer port, once its member has another one', async () => {
    const used = await stage.host(1).sh('openssl x509 -noout -serial -in /etc/etcd/pki/peer.crt | cut -d= -f2');
    ok(await stage.quorate(['certs', 'rotate', '--member', 'etcd-1', '--kind', 'peer', '--yes']));
    ok(await stage.quorate(['certs', 'revoke', used.trim(), '--yes', '--reason', 'superseded']));
    for (const number of members) expect(await serials(number, 'peer')).toContain(used.trim().toLowerCase());
    expect((await stage.quorate(['status'])).status).toBe(0);
  });

  it('stays on a list that was broken with the operator: it never lands', async () => {
    await issue('third');
    const list = file('.quorate', stage.cluster, 'crl', 'client-1.crl');
    const sound = await readFile(list);
    for (const broken of [Buffer.alloc(0), sound.subarray(0, -3), Buffer.from('-----BEGIN X509 CRL-----\n')]) {
      await writeFile(list, broken);
      const run = await stage.quorate(['certs', 'client', 'revoke', 'third', '--yes']);
      expect(run.status).toBe(13);
      expect(run.stderr).toContain('is no revocation list in DER');
      expect(await answers('backup')).toEqual([true, true, true]);
    }
    await writeFile(list, sound);
    ok(await stage.quorate(['certs', 'revoke', '--yes']));
    expect(await answers('third')).toEqual([false, false, false]);
  });

  it('is not taken back by a state directory that is older than the cluster', async () => {
    const none = [false, false, false];
    const before = await Promise.all(members.map((each) => serials(each)));
    const check = await stage.quorate(['certs', 'check', '-i', older]);
    expect(check.status).toBe(3);
    expect(check.stdout).toMatch(/revocations\s+that\s+the\s+state\s+directory\s+does\s+not\s+know/);
    for (const verb of [
      ['certs', 'rotate', '--yes'],
      ['apply', '--yes'],
    ]) {
      const run = await stage.quorate([...verb, '-i', older]);
      expect(run.status, run.stdout + run.stderr).toBe(13);
      expect(run.stderr).toContain('restore the newer state directory');
    }
    expect(await Promise.all(members.map((each) => serials(each)))).toEqual(before);
    ok(await stage.quorate(['certs', 'revoke', '--yes', '-i', older]));
    for (const [index, number] of members.entries()) {
      expect(await serials(number)).toEqual(expect.arrayContaining([...(before[index] ?? [])]));
    }
    expect([await answers('thief'), await answers('second'), await answers('third')]).toEqual([none, none, none]);
    expect(await answers('backup')).toEqual([true, true, true]);
    expect((await stage.quorate(['certs', 'check', '-i', older])).stdout).not.toContain('does not know');
  });
});
