import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { packBundle } from '../../../src/main/bundle.ts';
import { createSecrets } from '../../../src/ui/secrets.ts';

describe('a support archive', () => {
  it('holds no secret: not in texts, values or names of fields, not escaped, not in base64', async () => {
    const secrets = createSecrets();
    const token = 'token-"with quotes"';
    secrets.add(token);
    const key = ['-----BEGIN', 'PRIVATE KEY-----\nAAAABBBBCCCC\n-----END', 'PRIVATE KEY-----'].join(' ');
    const base64 = Buffer.from(token).toString('base64');
    const json = {
      token,
      nested: [{ text: `a ${token} b`, [token]: 1 }],
      key,
      base64,
      config: `initial-cluster-token: other-token\n`,
    };
    const bytes = await packBundle(
      'quorate-prod',
      [
        { name: 'a.json', content: { json } },
        { name: 'b/c.log', content: `${token} ${key} ${base64}` },
      ],
      secrets,
    );
    const text = gunzipSync(bytes).toString('utf8');
    expect(text).toContain('quorate-prod/a.json');
    expect(text).toContain('quorate-prod/b/c.log');
    expect(text).toContain('a <redacted> b');
    for (const each of ['with quotes', 'AAAABBBBCCCC', base64, 'other-token']) expect(text).not.toContain(each);
  });

  it('has members below its own folder alone, each with a name of one line', async () => {
    const names = ['../../etc/passwd', '/etc/shadow', 'hosts/a/../../b', 'a\nb\u001b[2J', 'a_b_[2J', 'x\\..\\y', './z'];
    const files = names.map((name) => ({ name, content: '' }));
    const { unpackTar } = await import('modern-tar');
    const bytes = await packBundle('quorate-prod', files, createSecrets());
    const members = (await unpackTar(new Uint8Array(gunzipSync(bytes)))).map(({ header }) => header.name);
    expect(members).toEqual([
      'quorate-prod/__/__/etc/passwd',
      'quorate-prod/etc/shadow',
      'quorate-prod/hosts/a/__/__/b',
      'quorate-prod/a_b_[2J',
      'quorate-prod/a_b_[2J~2',
      'quorate-prod/x_.._y',
      'quorate-prod/_/z',
    ]);
  });
});
