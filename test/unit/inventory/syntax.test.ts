/** What is said about texts that are no YAML, or that are YAML with a trap in it. */
import { describe, expect, it } from 'vitest';
import { complaintsAbout, inventoryText } from './samples.ts';

const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghij'.split('').map(level)].join('\n');

function level(name: string, index: number): string {
  const below = Array.from({ length: 9 }, () => `*${'abcdefghij'[index]}`).join(',');
  return `${name}: &${name} [${below}]`;
}

const cases: readonly (readonly [text: string, said: readonly string[]])[] = [
  ['', ['x.yml:1:1: is empty (write one: quorate init makes it, inventories/example.yml explains it)']],
  ['# later\n', ['x.yml:1:1: is empty (write one: quorate init makes it, inventories/example.yml explains it)']],
  ['etcd\n', ['x.yml:1:1: is a single value (write a mapping)']],
  ['a:\n\tb: 1\n', ['x.yml:2:1: is indented by a tab (indent by spaces)']],
  ['a: 1\n---\nb: 1\n', ['x.yml:2:1: begins a second document (write one cluster a file, without ---)']],
  ['a: "x\n', ['x.yml:2:1: a: missing closing "quote (correct the YAML)']],
  ['a: *x\n', ['x.yml:1:4: a: *x has no anchor before it (write &x at the value it means)']],
  ['a: &x [*x]\n', ['x.yml:1:8: a[0]: *x contains itself (write the value)']],
  ['a: b\u0000\n', ['x.yml:1:5: "\\u0000" is a control character (delete it)']],
  ['\u001b[2J: 1\n', ['x.yml:1:1: "\\u001b" is a control character (delete it)']],
  [bomb, ['x.yml:1:1: expands to too much through its aliases (write the values)']],
  ['['.repeat(50_000), ['x.yml:1:25: is nested too deeply (an inventory needs no more than six levels)']],
  ['- '.repeat(50_000), ['x.yml:1:49: is nested too deeply (an inventory needs no more than six levels)']],
  ['? '.repeat(50_000), ['x.yml:1:49: is nested too deeply (an inventory needs no more than six levels)']],
  ['#'.repeat(2 ** 20 + 1), ['x.yml:1:1: has 1048577 characters (an inventory has at most 1048576)']],
];

describe('parseInventory', () => {
  for (const [text, said] of cases) {
    it(`refuses ${JSON.stringify(text.slice(0, 24))}`, () => expect(complaintsAbout(text)).toEqual(said));
  }

  it('refuses duplicate keys, and tells where the first one is', () => {
    expect(complaintsAbout(`${inventoryText()}cluster: {name: y, version: 3.6.16}\n`)).toEqual([
      'x.yml:4:1: cluster: is written twice, first in line 2 (keep one of the two)',
    ]);
  });

  it('refuses tags and other YAML versions', () => {
    expect(complaintsAbout(`%YAML 1.1\n---\n${inventoryText({ cluster: '{name: !x y, version: 3.6.16}' })}`)).toEqual([
      'x.yml:1:1: asks for another YAML than 1.2 (delete the %YAML line)',
      'x.yml:4:17: unresolved tag: !x (write the value without a tag)',
    ]);
  });

  it('follows anchors, aliases and merges, and points at where the value is written', () => {
    const text = `${inventoryText({
      controllers: '{a: {address: 10.0.0.1, ssh: &s {user: "x y"}}, b: {address: 10.0.0.2, ssh: {<<: *s, port: 23}}}',
    })}`;
    const said = 'is no user name (write a login name: root)';
    expect(complaintsAbout(text)).toEqual([
      `x.yml:3:53: controllers.a.ssh.user: "x y" ${said}`,
      `x.yml:3:53: controllers.b.ssh.user: "x y" ${said}`,
    ]);
  });

  it('takes one anchor for hundreds of controllers', () => {
    const others = Array.from(
      { length: 300 },
      (_, index) => `c${index}: {address: 10.0.1.${index % 256}, ssh: {<<: *s, port: ${index + 23}}}`,
    );
    const hosts = others.map((each, index) =>
      each.replace('address:', `privateAddress: 10.1.${index >> 8}.${index & 255}, address:`),
    );
    const text = inventoryText({ controllers: `{a: {address: 10.0.0.1, ssh: &s {user: root}}, ${hosts.join(', ')}}` });
    expect(complaintsAbout(text)).toEqual([]);
  });

  it('tells what a variable between braces needs', () => {
    const [first] = complaintsAbout(`a: {b: \${C}}\n`);
    expect(first).toContain('put a value with a variable in quotes between { } or [ ]');
  });

  it('accepts Windows line ends and a byte order mark', () => {
    expect(complaintsAbout(`\ufeff${inventoryText().replaceAll('\n', '\r\n')}`)).toEqual([]);
  });

  it('is not fooled by keys of JavaScript', () => {
    const said = complaintsAbout(inventoryText({ __proto__: '{}', constructor: '{}', ssh: '{toString: 1}' }));
    expect(said).toContain(
      'x.yml:5:7: ssh.toString: is no key of ssh (known: user, identityFiles, agent, passphraseEnv, knownHosts, connectTimeoutSeconds, port, passwordEnv, sudo, bastion)',
    );
    expect(complaintsAbout(`${inventoryText()}__proto__: {ssh: {}}\n`)).toHaveLength(1);
  });
});
