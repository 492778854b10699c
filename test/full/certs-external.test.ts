/** Authorities elsewhere over a longer time: both of them, other verbs, another authority under load, the end of one, and back to an authority of quorate's. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testedVersions } from '../../src/lab/releases.ts';
import { expectDone } from '../e2e/environment.ts';
import { expectHealthy, expectRefusal, expectWords } from '../e2e/host-state.ts';
import { keptFolder } from '../e2e/load/on-stage.ts';
import { expectUndisturbed, underLoad } from '../e2e/load/scenario.ts';
import { installVerb, intermediate, type OutsideDesk, outsideDesk, requestVerb } from '../e2e/outside-authority.ts';
import { openStage, type Stage } from '../e2e/stage.ts';
import { type Made, opensslMade } from '../unit/pki/openssl-authority.ts';

const [oldest] = testedVersions;
const newest = testedVersions.at(-1) ?? oldest;

describe.each([oldest, newest])('etcd %s with an authority elsewhere', { timeout: 600_000 }, (version) => {
  let stage: Stage;
  let desk: OutsideDesk;
  let root: Made;
  let issuer: Made;
  beforeAll(async () => {
    stage = await openStage({ name: `external-${version.replaceAll('.', '-')}`, version });
    await stage.edit((text) => text.replace(/^pki:\n/m, 'pki:\n  external: [client]\n'));
    desk = outsideDesk(stage);
    root = opensslMade({ subject: '/O=Corp/CN=Corp root' });
    issuer = intermediate(root, 'Corp etcd issuer');
    expectDone(await stage.quorate([...requestVerb, '--new-identity', 'identity.txt']));
    await desk.answer(issuer, root);
    expectDone(await stage.quorate(installVerb));
    await stage.bootstrap();
    await stage.etcdctl(1, 'put key value');
  });
  afterAll(() => stage?.down());

  /** What clients get from an authority's own tools: they trust its root. */
  const giveLoad = async (ca: Made): Promise<void> => {
    const extensions = ['basicConstraints=CA:FALSE', 'extendedKeyUsage=clientAuth', 'authorityKeyIdentifier=keyid'];
    const { certificate, key } = opensslMade({ subject: '/O=Corp/CN=load', issuer: ca, extensions, days: 30 });
    const folder = keptFolder(stage);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'load.crt'), certificate);
    await writeFile(join(folder, 'load.key'), key, { mode: 0o600 });
    await writeFile(join(folder, 'ca.crt'), root.certificate);
  };

  it('is pointed to by every verb that would need its key', async () => {
    for (const args of [
      ['certs', 'rotate', '--yes'],
      ['certs', 'rotate-ca', '--yes'],
    ]) {
      await expectRefusal(stage, args, { status: 13, words: ['elsewhere', 'certs ca external request'] });
    }
    await expectRefusal(stage, ['certs', 'client', 'issue', 'backup', '--out', 'backup'], {
      status: 13,
      words: ['client-1 signs elsewhere', 'clientAuth'],
    });
    expectWords(await stage.quorate(['certs', 'ca', 'show']), ['it signs elsewhere']);
    expectDone(await stage.quorate(['certs', 'rotate', '--kind', 'peer', '--yes']));
    await expectHealthy(stage);
  });

  it('is replaced by another in stages, and nobody who trusts both notices', async () => {
    const next = intermediate(root, 'Corp etcd issuer 2');
    const replaced = await stage.host(1).sh('openssl x509 -in /etc/etcd/pki/client.crt -noout -serial | cut -d= -f2');
    const name = `certs ca external install, another authority, ${version}`;
    const outcome = await underLoad(stage, { name, renewClients: () => giveLoad(issuer) }, async (load) => {
      await load.phase('request');
      expectDone(await stage.quorate(requestVerb));
      await desk.answer(next, root);
      await load.phase('install, until both are trusted');
      expectWords(expectDone(await stage.quorate(installVerb)), ['both authorities are trusted']);
      await load.phase('install --until leaves');
      expectWords(expectDone(await stage.quorate([...installVerb, '--until', 'leaves'])), ['--until trust-new']);
    });
    expectUndisturbed(outcome);
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--until', 'trust-new', '--yes']));
    expect(await stage.host(1).sh('openssl x509 -in /etc/etcd/pki/ca.crt -noout -subject')).toContain('issuer 2');
    expect(await stage.etcdctl(3, 'get key --print-value-only')).toBe('value\n');
    await expectHealthy(stage);
    await expectRefusal(stage, ['certs', 'revoke', replaced.trim(), '--yes'], {
      status: 13,
      words: ['client-2 signs elsewhere', 'nothing was noted'],
    });
  });

  it('gives its place to an authority of quorate', async () => {
    await stage.edit((text) => text.replace('  external: [client]\n', ''));
    const own = opensslMade({ subject: '/O=Corp/CN=Ours again' });
    await writeFile(desk.at('own.crt'), own.certificate);
    await writeFile(desk.at('own.key'), own.key, { mode: 0o600 });
    const files = ['--cert', 'own.crt', '--key', 'own.key'];
    expectDone(await stage.quorate(['certs', 'ca', 'import', ...files, '--purpose', 'client', '--yes']));
    await rm(desk.at('own.key'));
    expectDone(await stage.quorate(['certs', 'rotate-ca', '--authority', 'client', '--yes']));
    expectDone(await stage.quorate(['certs', 'client', 'issue', 'backup', '--out', 'backup']));
    expectDone(await stage.quorate(['certs', 'rotate', '--yes']));
    expect(await stage.etcdctl(2, 'get key --print-value-only')).toBe('value\n');
    await expectHealthy(stage);
  });
});
