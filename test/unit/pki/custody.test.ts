import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { createAuthorities } from '../../../src/pki/authorities.ts';
import { openCustody } from '../../../src/pki/custody.ts';
import { findIdentity, parseIdentity } from '../../../src/pki/identity.ts';
import { clusterStore, temporaryFolder } from './cluster-store.ts';
import { hasAge, inFolder } from './judges.ts';

const secret = '-----BEGIN PRIVATE KEY-----\nkept\n-----END PRIVATE KEY-----\n';

describe('custody', () => {
  test('opens what it has encrypted, and so does every other recipient', async () => {
    const [mine, other, stranger] = await Promise.all([1, 2, 3].map(() => generateX25519Identity()));
    const custody = await openCustody([mine ?? ''], [await identityToRecipient(other ?? '')]);
    const armored = await custody.encrypt(secret);
    expect(armored).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(await custody.decrypt(armored, 'x')).toBe(secret);
    expect(await (await openCustody([other ?? ''], [])).decrypt(armored, 'x')).toBe(secret);
    const failed = (await openCustody([stranger ?? ''], [])).decrypt(armored, 'ca/client-1.key.age');
    await expect(failed).rejects.toThrow('ca/client-1.key.age: your age identity does not open it');
  });

  test('warns of a single recipient only', async () => {
    const [mine = '', other = ''] = await Promise.all([1, 2].map(() => generateX25519Identity()));
    expect((await openCustody([mine], [])).warnings).toEqual([expect.stringContaining('a single age identity')]);
    expect((await openCustody([mine], [await identityToRecipient(mine)])).warnings).toHaveLength(1);
    const both = await openCustody([mine], [await identityToRecipient(other)]);
    expect(both.warnings).toEqual([]);
    expect(both.recipients).toHaveLength(2);
  });

  test('refuses recipients and identities that age does not know, without repeating a secret', async () => {
    const mine = await generateX25519Identity();
    await expect(openCustody([mine], ['age1nonsense'])).rejects.toThrow(
      'age does not accept the recipient age1nonsense',
    );
    const broken = `${mine.slice(0, -1)}${mine.endsWith('Q') ? 'P' : 'Q'}`;
    const error: unknown = await openCustody([broken], []).catch((caught: unknown) => caught);
    expect(String(error)).toContain('age does not accept the identity');
    expect(JSON.stringify([error, String(error)])).not.toContain(broken.slice(20, 40));
  });

  test.skipIf(!hasAge)('is opened by the age command, with an identity that the age command would write', async () => {
    const context = await clusterStore();
    await createAuthorities(context, 'bootstrap');
    const opened = inFolder({ identity: `# created: now\n${context.identity}\n` }, (folder) =>
      execFileSync('age', [
        '--decrypt',
        '-i',
        join(folder, 'identity'),
        join(context.store.location, 'ca/client-1.key.age'),
      ]),
    );
    expect(opened.toString()).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test.skipIf(!hasAge)('opens what the age command has encrypted to an identity of age-keygen', async () => {
    const folder = temporaryFolder();
    execFileSync('age-keygen', ['-o', join(folder, 'id')], { stdio: 'ignore' });
    const keys = parseIdentity(readFileSync(join(folder, 'id'), 'utf8'), 'id');
    const custody = await openCustody(keys, []);
    const armored = execFileSync('age', ['-a', '-r', custody.recipients[0] ?? ''], { input: secret, encoding: 'utf8' });
    expect(await custody.decrypt(armored, 'x')).toBe(secret);
  });
});

describe('the identity', () => {
  const ask = (answer: boolean) => async () => answer;

  async function withFile(mode = 0o600) {
    const home = temporaryFolder();
    const key = await generateX25519Identity();
    const file = join(home, 'id.txt');
    writeFileSync(file, `# public key: x\n${key}\n`);
    chmodSync(file, mode);
    return { home, key, file };
  }

  test('comes from --identity, then the environment, then the inventory, then the default place', async () => {
    const { home, key, file } = await withFile();
    const env = { QUORATE_IDENTITY: await generateX25519Identity(), QUORATE_IDENTITY_FILE: '/absent' };
    expect(await findIdentity({ file, env, home, policyFile: '/absent' })).toEqual({
      source: file,
      keys: [key],
      made: false,
      stored: false,
    });
    expect((await findIdentity({ env, home, policyFile: file })).source).toBe('QUORATE_IDENTITY');
    expect((await findIdentity({ env: { QUORATE_IDENTITY_FILE: file }, home, policyFile: '/absent' })).source).toBe(
      file,
    );
    expect((await findIdentity({ env: {}, home, policyFile: file })).source).toBe(file);
  });

  test('that is named and missing is never passed over or made', async () => {
    const home = temporaryFolder();
    const confirm = ask(true);
    await expect(findIdentity({ file: join(home, 'x'), env: {}, home, confirm })).rejects.toThrow('no age identity at');
    const env = { QUORATE_IDENTITY_FILE: join(home, 'x') };
    await expect(findIdentity({ env, home, confirm })).rejects.toThrow('no age identity at');
    expect(existsSync(join(home, 'x'))).toBe(false);
  });

  test('is never made off a terminal, and the refusal says both ways', async () => {
    const home = temporaryFolder();
    await expect(findIdentity({ env: {}, home })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(join(home, '.config/quorate/identity.txt')),
      hint: expect.stringMatching(/--new-identity FILE.*--identity FILE/),
    });
    expect(existsSync(join(home, '.config'))).toBe(false);
  });

  test('is made on a terminal only after a yes, at the default place, for its owner alone', async () => {
    const home = temporaryFolder();
    const env = { XDG_CONFIG_HOME: join(home, 'xdg') };
    await expect(findIdentity({ env, home, confirm: ask(false) })).rejects.toThrow('no age identity');
    const made = await findIdentity({ env, home, confirm: ask(true) });
    const path = join(home, 'xdg/quorate/identity.txt');
    expect(made).toMatchObject({ source: path, made: true });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await findIdentity({ env, home })).toEqual({ ...made, made: false });
  });

  test('is made by --new-identity and never over a file', async () => {
    const home = temporaryFolder();
    const newFile = join(home, 'deep/er/id');
    const made = await findIdentity({ newFile, env: {}, home });
    expect(await findIdentity({ file: newFile, env: {}, home })).toEqual({ ...made, made: false });
    await expect(findIdentity({ newFile, env: {}, home })).rejects.toThrow('never overwritten');
  });

  test.each([0o640, 0o604, 0o660])('is refused when its file has mode %o', async (mode) => {
    const { home, file } = await withFile(mode);
    await expect(findIdentity({ file, env: {}, home })).rejects.toMatchObject({
      message: expect.stringContaining('are too open for an age identity'),
      hint: `chmod 600 ${file}`,
    });
  });

  test.each([
    ['an SSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n', 'not an age identity'],
    ['a public key', 'age1qqqq', 'not an age identity'],
    ['an empty file', '\n# nothing\n', 'not an age identity'],
  ])('is refused when it is %s', (_, text, message) => {
    expect(() => parseIdentity(text, 'id')).toThrow(message);
  });

  test('is refused when it is a directory', async () => {
    const home = temporaryFolder();
    chmodSync(home, 0o700);
    await expect(findIdentity({ file: home, env: {}, home })).rejects.toThrow("can't be read");
  });
});
