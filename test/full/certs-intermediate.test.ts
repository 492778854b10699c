/** An intermediate authority that was made elsewhere signs from the start: members, quorate and etcdctl trust it alone, not its root. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { expectDone } from '../e2e/environment.ts';
import { openStage, type Stage } from '../e2e/stage.ts';
import { authorityExtensions, type Made, opensslMade } from '../unit/pki/openssl-authority.ts';

describe('an imported intermediate', () => {
  let stage: Stage | undefined;
  afterEach(() => stage?.down());

  it.each(['3.4.23', '3.7.3'])('signs for etcd %s', { timeout: 600_000 }, async (version) => {
    stage = await openStage({ name: `between-${version.replaceAll('.', '')}`, hosts: 1, version });
    const root = opensslMade({ subject: '/O=Elsewhere/CN=their root' });
    await importIntermediate(stage, { root, purpose: 'client' }, ['--new-identity', 'identity.txt']);
    await importIntermediate(stage, { root, purpose: 'peer' });
    await stage.bootstrap();
    await stage.etcdctl(1, 'put key value');
    await expectSound(stage);
    const before = await stage.host(1).sh('readlink /etc/etcd/pki');
    expectDone(await stage.quorate(['certs', 'rotate', '--yes']));
    expect(await stage.host(1).sh('readlink /etc/etcd/pki')).not.toBe(before);
    await expectSound(stage);
    expect(await stage.etcdctl(1, 'get key --print-value-only')).toBe('value\n');
    await expectRootLeads(stage, root);
  });
});

/** Imported with the root as its chain: the root itself comes to no host. */
async function importIntermediate(
  stage: Stage,
  { root, purpose }: { readonly root: Made; readonly purpose: string },
  more: readonly string[] = [],
): Promise<void> {
  const extensions = authorityExtensions.map((each) => each.replace('CA:TRUE', 'CA:TRUE,pathlen:0'));
  const made: Made = opensslMade({ subject: `/O=Elsewhere/CN=their ${purpose} issuer`, issuer: root, extensions });
  const write = (name: string, text: string): Promise<void> =>
    writeFile(join(stage.folder, `${purpose}-${name}`), text, { mode: 0o600 });
  await write('ca.crt', made.certificate);
  await write('ca.key', made.key);
  await write('root.crt', root.certificate);
  const files = ['cert', 'key'].flatMap((each) => [`--${each}`, `${purpose}-ca.${each === 'cert' ? 'crt' : 'key'}`]);
  const wish = ['--chain', `${purpose}-root.crt`, '--purpose', purpose];
  expectDone(await stage.quorate(['certs', 'ca', 'import', ...files, ...wish, ...more]));
}

async function expectSound(stage: Stage): Promise<void> {
  expectDone(await stage.quorate(['status']));
  const check = await stage.quorate(['certs', 'check']);
  expect(check.stdout + check.stderr).not.toContain('!');
  expect(check.status).toBe(0);
  expect(await stage.etcdctl(1, 'endpoint health 2>&1')).toContain('is healthy');
}

/** A client that trusts the root and nothing else finds the way by what is served; the host's bundle holds the intermediate alone. */
async function expectRootLeads(stage: Stage, root: Made): Promise<void> {
  const host = stage.host(1);
  expect(await host.sh('grep -c BEGIN /etc/etcd/pki/ca.crt')).toBe('1\n');
  await host.sh(`cat >/run/root.crt <<'END'\n${root.certificate}END`);
  const verdict = await host.sh(
    'openssl s_client -connect 127.0.0.1:2379 -CAfile /run/root.crt </dev/null 2>&1 | grep -m1 "Verify return code" || true',
  );
  expect(verdict).toContain('0 (ok)');
}
