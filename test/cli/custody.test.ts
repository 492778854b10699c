/** Who can open the private keys of a state directory, by the verbs that change it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, it } from 'vitest';
import { quorate, temporaryFolder } from './quorate.ts';

const passphrase = 'the quick brown fox jumps';

function inventory(recipients: readonly string[]): string {
  return `apiVersion: quorate/v1
cluster: {name: demo, version: 3.6.16}
pki: {recipients: [${recipients.join(', ')}]}
controllers:
  a: {address: 10.0.0.1}
`;
}

it('rekeying keeps the identity behind a passphrase while it opens anything, and names no fewer than the inventory', async () => {
  const directory = temporaryFolder();
  const file = join(directory, 'quorate.yml');
  const colleague = await identityToRecipient(await generateX25519Identity());
  writeFileSync(file, inventory([]));
  const subject = ['-subj', '/CN=outside CA', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key'];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', 'ca.crt', '-days', '3650', ...subject], {
    cwd: directory,
    stdio: 'ignore',
  });
  const run = async (words: readonly string[], env: Record<string, string> = {}) => {
    const ended = await quorate([...words, '-i', file], { directory, env });
    return { ...ended, told: `${ended.stdout}${ended.stderr}` };
  };
  const imported = ['certs', 'ca', 'import', '--cert', 'ca.crt', '--key', 'ca.key', '--purpose', 'client'];
  const made = await run([...imported, '--new-identity', 'id.txt', '--yes']);
  expect(made.status, made.told).toBe(0);
  const sealing = { QUORATE_NEW_PASSPHRASE: passphrase };
  const sealed = await run(['certs', 'ca', 'rekey-custody', '--passphrase', '--identity', 'id.txt', '--yes'], sealing);
  expect(sealed.status, sealed.told).toBe(0);

  writeFileSync(file, inventory([colleague]));
  const opening = { QUORATE_PASSPHRASE: passphrase };
  const added = await run(['certs', 'ca', 'rekey-custody', '--yes'], opening);
  expect(added.status, added.told).toBe(0);
  const stored = join(directory, '.quorate/demo/custody/identity.age');
  expect(readFileSync(stored, 'utf8')).toContain('BEGIN AGE ENCRYPTED FILE');
  const again = await run(['certs', 'ca', 'rekey-custody', '--yes'], opening);
  expect(again.status, again.told).toBe(0);

  const fewer = await run(
    ['certs', 'ca', 'rekey-custody', '--to-identity', 'next.txt', '--recipient', 'age1other', '--yes'],
    opening,
  );
  expect(fewer.status).toBe(13);
  expect(fewer.told).toContain(`pki.recipients still names ${colleague}`);
}, 120_000);
