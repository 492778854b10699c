import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fingerprint,
  judgeHostKey,
  type KnownHost,
  knownHostsName,
  matchesHost,
  parseKnownHosts,
} from '../../../src/transport/known-hosts.ts';

let folder: string;
const publicKeys = new Map<string, string>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-known-'));
  for (const [name, type] of [
    ['one', 'ed25519'],
    ['two', 'ed25519'],
    ['ecdsa', 'ecdsa'],
  ] as const) {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'a comment', '-f', join(folder, name)]);
    publicKeys.set(name, readFileSync(join(folder, `${name}.pub`), 'utf8').trim());
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const publicKey = (name: string): string => publicKeys.get(name) ?? '';
const blob = (name: string): Buffer => Buffer.from(publicKey(name).split(' ')[1] ?? '', 'base64');

function judge(text: string, address: string, port: number, key: string): string {
  const entries = parseKnownHosts(text, 'known_hosts');
  const name = knownHostsName(address, port);
  const matching = entries.filter((entry: KnownHost) => matchesHost(entry.hosts, name));
  const portless = entries.filter((entry: KnownHost) => name !== address && matchesHost(entry.hosts, address));
  const verdict = judgeHostKey(blob(key), matching, portless);
  return 'known' in verdict ? `${verdict.kind} ${verdict.known.file}:${verdict.known.line}` : verdict.kind;
}

describe('known_hosts', () => {
  it('knows a plain entry, whatever the case of the name', () => {
    expect(judge(`Etcd-1.Example ${publicKey('one')}`, 'etcd-1.EXAMPLE', 22, 'one')).toBe('known');
  });

  it('says where the old key of a changed host stands', () => {
    const text = `# comment\n\nother ${publicKey('two')}\nhost,10.0.0.1 ${publicKey('one')}\n`;
    expect(judge(text, '10.0.0.1', 22, 'two')).toBe('changed known_hosts:4');
  });

  it('accepts any of several keys of one host', () => {
    const text = `host ${publicKey('one')}\nhost ${publicKey('two')}\n`;
    expect([judge(text, 'host', 22, 'one'), judge(text, 'host', 22, 'two')]).toEqual(['known', 'known']);
  });

  it('takes a key of another type for changed, because only known types are negotiated', () => {
    expect(judge(`host ${publicKey('ecdsa')}`, 'host', 22, 'one')).toBe('changed known_hosts:1');
  });

  it('reads the entries that ssh-keygen -H has hashed', () => {
    const file = join(folder, 'hashed');
    const lines = ['host', '10.0.0.1', '[10.0.0.2]:2222', '[fd00::1]:2222'].map(
      (name) => `${name} ${publicKey('one')}\n`,
    );
    writeFileSync(file, lines.join(''));
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('host ');
    expect(judge(text, 'host', 22, 'one')).toBe('known');
    expect(judge(text, '10.0.0.1', 22, 'two')).toBe('changed known_hosts:2');
    expect(judge(text, '10.0.0.2', 2222, 'one')).toBe('known');
    expect(judge(text, 'FD00::1', 2222, 'one')).toBe('known');
    expect(judge(text, '10.0.0.3', 22, 'one')).toBe('unknown');
  });

  it('agrees with ssh-keygen -F about the names that an entry matches', () => {
    const file = join(folder, 'patterns');
    const fields = [
      '*.example',
      'etcd-?',
      '10.0.0.*,!10.0.0.9',
      '[10.1.0.*]:2222',
      '!host,host',
      '*',
      '!*,x',
      '[a]:22',
      'a.b',
    ];
    const names = [
      'a.example',
      'example',
      'etcd-1',
      'etcd-12',
      '10.0.0.1',
      '10.0.0.9',
      '[10.1.0.5]:2222',
      'host',
      'x',
      'axb',
      'a',
    ];
    for (const field of fields) {
      writeFileSync(file, `${field} ${publicKey('one')}\n`);
      const expected = names.filter((name) => foundBySshKeygen(name, file));
      expect([field, ...names.filter((name) => matchesHost(field, name))]).toEqual([field, ...expected]);
    }
  });

  it('falls back to the entry without a port only when nothing is said about the port', () => {
    const text = `host ${publicKey('one')}\n`;
    expect(judge(text, 'host', 2222, 'one')).toBe('known');
    expect(judge(text, 'host', 2222, 'two')).toBe('unknown');
    expect(judge(`${text}[host]:2222 ${publicKey('two')}`, 'host', 2222, 'one')).toBe('changed known_hosts:2');
  });

  it('refuses a revoked key even where it is also listed as good', () => {
    const text = `host ${publicKey('one')}\n@revoked * ${publicKey('one')}\n`;
    expect(judge(text, 'host', 22, 'one')).toBe('revoked known_hosts:2');
    expect(judge(text, 'host', 22, 'two')).toBe('changed known_hosts:1');
  });

  it('leaves out certificate authorities, unknown markers, comments and malformed lines', () => {
    const [type, base64] = publicKey('one').split(' ');
    const text = [
      `@cert-authority host ${publicKey('one')}`,
      `@other host ${publicKey('one')}`,
      `# host ${publicKey('one')}`,
      `host ${type}`,
      `host ssh-rsa ${base64}`,
      `host ${type} not*base64`,
      `host ${type} AAAA`,
      'host 1024 35 1234',
      '@revoked',
      '\u0000\u0001',
    ].join('\r\n');
    expect(parseKnownHosts(text, 'f')).toEqual([]);
    expect(judge(text, 'host', 22, 'one')).toBe('unknown');
  });

  it('survives any text', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('@revoked', '|1|', '|1|a|b', '!', '*', '[', 'ssh-rsa'),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        for (const entry of parseKnownHosts(words.join(' '), 'f')) matchesHost(entry.hosts, 'host');
        for (const hosts of words) matchesHost(hosts, 'host');
      }),
    );
  });

  it('reads lines that end like those of Windows', () => {
    expect(judge(`\thost\t${publicKey('one')}\r\n`, 'host', 22, 'one')).toBe('known');
  });

  it('prints fingerprints as ssh-keygen does', () => {
    const printed = execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'one.pub')], { encoding: 'utf8' });
    expect(printed.split(' ')[1]).toBe(fingerprint(blob('one')));
  });
});

function foundBySshKeygen(name: string, file: string): boolean {
  try {
    return execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8', stdio: 'pipe' }).includes(
      'ssh-ed25519',
    );
  } catch {
    return false;
  }
}
