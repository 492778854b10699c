/** A cluster whose authority is elsewhere (openssl, a root and an intermediate): requests, bad answers, bootstrap, renewal with a kill in the middle. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Made, opensslMade } from '../unit/pki/openssl-authority.ts';
import { expectDone } from './environment.ts';
import { expectHealthy, expectRefusal, expectWords } from './host-state.ts';
import { installVerb, intermediate, type OutsideDesk, outsideDesk, requestVerb } from './outside-authority.ts';
import { openStage, type Stage } from './stage.ts';

describe('an authority elsewhere', () => {
  let stage: Stage;
  let desk: OutsideDesk;
  let root: Made;
  let issuer: Made;
  beforeAll(async () => {
    stage = await openStage({ name: 'certs-external' });
    await stage.edit((text) => text.replace(/^pki:\n/m, 'pki:\n  external: [client]\n'));
    desk = outsideDesk(stage);
    root = opensslMade({ subject: '/O=Corp/CN=Corp root' });
    issuer = intermediate(root, 'Corp etcd issuer');
  });
  afterAll(() => stage?.down());

  const serials = (): Promise<readonly string[]> =>
    Promise.all(
      [1, 2, 3].map((each) => stage.host(each).sh('openssl x509 -in /etc/etcd/pki/server.crt -noout -serial')),
    );

  it('is asked before there is a cluster: keys stay on the members, requests come out', async () => {
    await expectRefusal(stage, ['bootstrap', '--yes', '--new-identity', 'identity.txt'], {
      status: 13,
      words: ['signed elsewhere', 'the client authority', 'certs ca external request'],
    });
    expectDone(await stage.quorate([...requestVerb, '--new-identity', 'identity.txt']));
    const members = ['etcd-1', 'etcd-2', 'etcd-3'];
    expect(await desk.names()).toEqual([
      ...members.flatMap((each) => [`${each}.client`, `${each}.server`]),
      'operator.client',
    ]);
    const keyOf = () => desk.openssl('req', '-in', 'requests/etcd-1.server.csr', '-verify', '-noout', '-pubkey');
    const before = await keyOf();
    expectDone(await stage.quorate(requestVerb));
    expect(await keyOf()).toBe(before);
    expect(await stage.host(1).sh('openssl pkey -in /etc/etcd/pki.d/requested/server.key -pubout')).toBe(before);
  });

  it('has wrong answers refused, all of them at once, with nothing changed', async () => {
    await desk.answer(issuer, root);
    await desk.sign(issuer, ['etcd-1.server'], { change: (text) => text.replace(',IP:127.0.0.1', '') });
    await desk.sign(issuer, ['etcd-2.server'], {
      change: (text) => text.replace('serverAuth,clientAuth', 'serverAuth'),
    });
    await desk.sign(issuer, ['etcd-3.client'], { days: 0 });
    await desk.put('stranger.pem', opensslMade({ issuer, extensions: ['authorityKeyIdentifier=keyid'] }).certificate);
    await rm(desk.at('signed', 'etcd-3.server.pem'));
    const state = await readFile(desk.at('.quorate', stage.cluster, 'cluster.json'), 'utf8');
    await expectRefusal(stage, installVerb, {
      status: 13,
      words: [
        'etcd-1.server.pem: SAN 127.0.0.1 is missing',
        'etcd-2.server.pem: extended key usage clientAuth is missing',
        /etcd-3\.client\.pem: (expired|not valid)/,
        'stranger.pem: is for a key that neither',
        'etcd-3: no certificate came back for its server key',
      ],
    });
    expect(await readFile(desk.at('.quorate', stage.cluster, 'cluster.json'), 'utf8')).toBe(state);
  });

  it('signs for a cluster that bootstrap forms with it, and that openssl finds sound', async () => {
    await desk.answer(issuer, root);
    expectWords(expectDone(await stage.quorate(installVerb)), ['quorate bootstrap']);
    await stage.bootstrap();
    await stage.etcdctl(1, 'put key value');
    expect(await stage.host(1).sh('ls /etc/etcd/pki.d')).toBe('1\n');
    await writeFile(desk.at('leaf.pem'), await stage.host(1).sh('cat /etc/etcd/pki/server.crt'));
    await writeFile(desk.at('root.pem'), root.certificate);
    const files = ['-CAfile', 'root.pem', '-untrusted', 'leaf.pem', 'leaf.pem'];
    for (const purpose of ['sslserver', 'sslclient']) {
      expect(await desk.openssl('verify', '-x509_strict', '-purpose', purpose, ...files)).toContain('OK');
    }
    const check = await stage.quorate(['certs', 'check']);
    expect(check.status, check.stdout + check.stderr).toBe(0);
  });

  it('renews certificates without a restart, also after a kill in the middle', async () => {
    const process = await stage.host(2).sh('systemctl show etcd -p InvocationID');
    const before = await serials();
    expectDone(await stage.quorate(requestVerb));
    await desk.answer(issuer, root);
    const killed = await stage.quorate(installVerb, { env: { QUORATE_FAILPOINT: 'switch/etcd-2/pki.switch' } });
    expect(killed.signal).toBe('SIGKILL');
    expectDone(await stage.quorate(installVerb));
    const after = await serials();
    expect(after.every((each) => !before.includes(each))).toBe(true);
    expect(await stage.host(2).sh('systemctl show etcd -p InvocationID')).toBe(process);
    expect((await stage.host(2).sh('ls /etc/etcd/pki.d')).trim().split('\n')).toHaveLength(1);
    expect(await stage.etcdctl(3, 'get key --print-value-only')).toBe('value\n');
    await expectHealthy(stage);
  });
});
