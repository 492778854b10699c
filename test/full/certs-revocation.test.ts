/** Revocation on every minor of etcd: the next handshake is refused by every member, open connections end when asked to, and nobody else notices. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEtcd, type EtcdClient } from '../../src/etcd/client.ts';
import type { TlsMaterial } from '../../src/etcd/secure.ts';
import { testedVersions } from '../../src/lab/releases.ts';
import { expectInOrder } from '../e2e/certs-scenarios.ts';
import { expectDone } from '../e2e/environment.ts';
import { dial } from '../e2e/load/dial.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { openStage, type Stage } from '../e2e/stage.ts';

const all = [true, true, true];
const none = [false, false, false];

describe.each([...testedVersions])('etcd %s', { timeout: 600_000 }, (version) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ name: `revocation-${version.replaceAll('.', '-')}`, version });
    await stage.bootstrap();
    for (const name of ['thief', 'accomplice', 'keeper']) {
      expectDone(await stage.quorate(['certs', 'client', 'issue', name, '--out', name]));
    }
  });
  afterAll(() => stage?.down());

  it('refuses a revoked client within one handshake on every member, and no other client', async () => {
    const outcome = await underLoad(stage, `certs client revoke, ${version}, 3 members`, async (load) => {
      expect(await acceptedBy(stage, 'thief')).toEqual(all);
      await load.phase('first, which restarts members');
      expectDone(await stage.quorate(['certs', 'client', 'revoke', 'thief', '--yes']));
      expect([await acceptedBy(stage, 'thief'), await acceptedBy(stage, 'keeper')]).toEqual([none, all]);
      await load.phase('second, without a restart');
      const before = await invocations(stage);
      expectDone(await stage.quorate(['certs', 'client', 'revoke', 'accomplice', '--yes']));
      expect([await acceptedBy(stage, 'accomplice'), await acceptedBy(stage, 'keeper')]).toEqual([none, all]);
      expect(await acceptedBy(stage, 'thief')).toEqual(none);
      expect(await invocations(stage)).toEqual(before);
    });
    expectUndisturbed(outcome);
    await expectInOrder(stage);
  });

  it('keeps a revoked client that is connected until --restart', async () => {
    expectDone(await stage.quorate(['certs', 'client', 'issue', 'guest', '--out', 'guest']));
    const connections = await Promise.all(stage.lab.hosts.map((_, index) => open(stage, index + 1, 'guest')));
    const answers = (): Promise<readonly boolean[]> =>
      Promise.all(
        connections.map((each) =>
          each.get('any').then(
            () => true,
            () => false,
          ),
        ),
      );
    const run = expectDone(await stage.quorate(['certs', 'client', 'revoke', 'guest', '--yes']));
    expect(run.stdout + run.stderr).toContain('connections that are open live on');
    expect([await acceptedBy(stage, 'guest'), await answers()]).toEqual([none, all]);
    expectDone(await stage.quorate(['certs', 'client', 'revoke', 'guest', '--restart', '--yes']));
    expect(await answers()).toEqual(none);
    expect(await acceptedBy(stage, 'keeper')).toEqual(all);
    for (const each of connections) each.close();
  });
});

async function materialOf(stage: Stage, name: string): Promise<TlsMaterial> {
  const read = (file: string): Promise<string> => readFile(join(stage.folder, name, file), 'utf8');
  return { ca: await read('ca.crt'), cert: await read(`${name}.crt`), key: await read(`${name}.key`) };
}

async function open(stage: Stage, number: number, name: string): Promise<EtcdClient> {
  const { ipv4 } = stage.host(number);
  const target = { host: `etcd-${number}`, stream: dial(ipv4, 2379), identities: [ipv4], timeoutMs: 5_000 };
  return connectEtcd({ ...target, tls: await materialOf(stage, name) });
}

/** Of each member, whether it answers a client over one connection: one handshake, and never a second attempt. */
async function acceptedBy(stage: Stage, name: string): Promise<readonly boolean[]> {
  const material = await materialOf(stage, name);
  return Promise.all(stage.lab.hosts.map(({ ipv4 }) => acceptedOnce(ipv4, material)));
}

function acceptedOnce(address: string, material: TlsMaterial): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...material, host: address, port: 2379, servername: '' }, () => {
      socket.write('GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    const late = setTimeout(() => socket.destroy(new Error(`${address} neither answers nor refuses`)), 10_000);
    socket.once('data', (answer: Buffer) => {
      resolve(answer.toString('latin1').startsWith('HTTP/1.1 200'));
      socket.destroy();
    });
    socket.once('error', (error: Error & { readonly code?: string }) => {
      // What etcd says to a certificate on its list is the end of the connection, with an alert or without one.
      if (error.code === 'ECONNRESET' || /alert/.test(error.message)) resolve(false);
      else reject(error);
    });
    socket.once('close', () => {
      clearTimeout(late);
      resolve(false);
    });
  });
}

function invocations(stage: Stage): Promise<readonly string[]> {
  return Promise.all(stage.lab.hosts.map((host) => host.sh('systemctl show etcd -P InvocationID')));
}
