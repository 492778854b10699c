import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../../src/domain/redaction.ts';

const secret = fc.string({ minLength: 6, maxLength: 60, unit: 'grapheme' }).filter((text) => text.length >= 6);
const key =
  'MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\nAwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q';
const pem = `-----BEGIN EC PRIVATE KEY-----\n${key}\n-----END EC PRIVATE KEY-----\n`;

describe('redact', () => {
  it('lets no secret of six characters or more survive', () => {
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), fc.array(fc.string()), (secrets, rest) => {
        const text = secrets.flatMap((each, index) => [each, rest[index] ?? '', each]).join('');
        const result = redact(text, secrets);
        for (const each of secrets) expect(result).not.toContain(each);
      }),
      { numRuns: 500 },
    );
  });

  it('lets no secret survive in base64, hex, JSON or a URL', () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const text = before + value + after;
        const bytes = Buffer.from(text, 'utf8');
        const longest = Buffer.from(value, 'utf8').toString('base64').replace(/=+$/, '').slice(0, -1);
        expect(redact(bytes.toString('hex'), [value])).not.toContain(Buffer.from(value, 'utf8').toString('hex'));
        expect(redact(Buffer.from(value, 'utf8').toString('base64'), [value])).not.toContain(longest);
        expect(redact(bytes.toString('base64'), [value])).toContain('<redacted>');
        expect(redact(JSON.stringify({ text }), [value])).not.toContain(JSON.stringify(value).slice(1, -1));
      }),
    );
  });

  it("finds a secret that Go's or another writer of JSON has escaped, also where that JSON is a text in JSON", () => {
    const value = 'p<ss&"wörd\u0085x';
    const go = 'p\\u003css\\u0026\\"wörd\u0085x';
    const ascii = 'p<ss&\\"w\\u00f6rd\\u0085x';
    const both = 'p\\u003css\\u0026\\"w\\u00f6rd\\u0085x';
    const ours = 'p<ss&\\"wörd\\u0085x';
    for (const text of [go, ascii, both, ours]) {
      expect(redact(`{"a":"${text}"}`, [value])).toBe('{"a":"<redacted>"}');
      expect(redact(JSON.stringify({ line: `{"a":"${text}"}` }), [value])).not.toContain('rd');
    }
  });

  it('leaves text without secrets as it is, and is idempotent', () => {
    fc.assert(
      fc.property(fc.array(secret), fc.string(), (secrets, text) => {
        const once = redact(text, secrets);
        expect(redact(once, secrets)).toBe(once);
      }),
    );
    expect(redact('etcd-1: wrote /etc/etcd/etcd-config.yml', ['hunter2hunter2'])).toBe(
      'etcd-1: wrote /etc/etcd/etcd-config.yml',
    );
  });

  it('masks secrets that are a part of the mask itself', () => {
    for (const value of ['redacted', '<redacted>', '******', 'dacted']) {
      expect(redact(`a ${value} b`, [value, 'other-secret'])).not.toContain(value);
    }
    expect(redact('s3cr3t!xyz', ['s3cr3t!', 'ed>xyz'])).not.toContain('ed>xyz');
  });

  it('masks secrets that overlap or contain each other as one', () => {
    expect(redact('x abcdefghijkl y', ['abcdefghijkl', 'cdefgh'])).toBe('x <redacted> y');
    expect(redact('x abcdefghijkl y', ['efghijkl', 'abcdefgh'])).toBe('x <redacted> y');
  });

  it('leaves short values alone', () => {
    expect(redact('ab ab', ['ab'])).toBe('ab ab');
  });

  it('masks each line of a known PEM key', () => {
    const known = [pem];
    for (const line of key.split('\n')) expect(redact(`+  ${line}\r\n`, known)).toBe('+  <redacted>\r\n');
    expect(redact('-----BEGIN CERTIFICATE-----', known)).toBe('-----BEGIN CERTIFICATE-----');
  });

  it('masks private key blocks that nobody told it of, also cut ones and those in JSON', () => {
    expect(redact(`before\n${pem}after`, [])).toBe('before\n<redacted>\nafter');
    expect(redact(`before ${pem.slice(0, 60)}`, [])).toBe('before <redacted>');
    expect(redact(JSON.stringify({ pem }), [])).toBe('{"pem":"<redacted>\\n"}');
    expect(redact(pem.replaceAll('EC ', 'ENCRYPTED '), [])).toBe('<redacted>\n');
    const certificate = pem.replaceAll('EC PRIVATE KEY', 'CERTIFICATE');
    expect(redact(certificate, [])).toBe(certificate);
  });

  it('masks age identities', () => {
    expect(redact('# key\nAGE-SECRET-KEY-1QQPQZRFR7ZZ2WCV\n', [])).toBe('# key\n<redacted>\n');
    expect(redact('age1qqpqzrfr7zz2wcv', [])).toBe('age1qqpqzrfr7zz2wcv');
  });

  it.each([
    ['initial-cluster-token: 8f2c-11', 'initial-cluster-token: <redacted>'],
    ['+initial-cluster-token: "8f2c 11"', '+initial-cluster-token: "<redacted>"'],
    ['ETCD_INITIAL_CLUSTER_TOKEN=8f2c', 'ETCD_INITIAL_CLUSTER_TOKEN=<redacted>'],
    ['--initial-cluster-token 8f2c --name a', '--initial-cluster-token <redacted> --name a'],
    ['{"token":"8f2c","uuid":"u"}', '{"token":"<redacted>","uuid":"u"}'],
    ["  token: '8f2c'", "  token: '<redacted>'"],
    ['initial-cluster-token: <token made by bootstrap>', 'initial-cluster-token: <token made by bootstrap>'],
    ['auth-token: simple', 'auth-token: simple'],
    ['unexpected token: }', 'unexpected token: }'],
  ])('masks the values of tokens: %s', (text, result) => {
    expect(redact(text, [])).toBe(result);
  });
});
