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
});
