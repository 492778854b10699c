/** Templates: strict about variables, and every value escaped for its format. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fillTemplate, type TemplateValue } from '../../../src/render/template.ts';
import { unitWord } from '../../../src/render/unit-word.ts';
import { yamlValue } from '../../../src/render/yaml-value.ts';

const fill = (text: string, variables: Record<string, TemplateValue>) =>
  fillTemplate({ 'a.yml': text }, { name: 'a.yml', variables, escape: (value) => `<${value}>` });

describe('templates', () => {
  it('escape what they show and keep their line ends', () => {
    expect(fill('a\n<% if (it.on) { -%>\nb <%= it.x %>\n<% } -%>\nc <%~ it.x %>\n', { x: 'é$&', on: true })).toBe(
      'a\nb <é$&>\nc é$&\n',
    );
  });

  it('name file and line of an unknown variable', () => {
    expect(() => fill('one\ntwo <%= it.nope %>\n', {})).toThrow(/^a\.yml:2: unknown variable nope$/);
    expect(() => fill('<%= it.constructor %>', {})).toThrow(/^a\.yml:1: unknown variable constructor$/);
    expect(() => fill('<%= it.x.y.z %>', { x: 'a' })).toThrow(/^a\.yml:1: /);
    expect(() => fill('<%= it.x.y %>', { x: 'a' })).toThrow('a template can show text, numbers, booleans and lists');
  });

  it('name the variables that they do not use', () => {
    expect(() => fill('<%= it.a %>', { a: 1, b: 2, c: 3 })).toThrow(/^a\.yml: does not use b, c$/);
  });

  it('name what is missing or malformed', () => {
    expect(() => fillTemplate({}, { name: 'b', variables: {}, escape: String })).toThrow(
      'b: there is no such template',
    );
    expect(() => fill('x <% if ( %>', {})).toThrow(/^a\.yml: /);
  });
});

describe('yamlValue', () => {
  it('is one line that YAML 1.1 and 1.2 read back as the same value', () => {
    const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.boolean(), fc.maxSafeInteger());
    const value = fc.oneof(scalar, fc.array(scalar), fc.dictionary(fc.stringMatching(/^[a-z-]+$/), scalar));
    fc.assert(
      fc.property(value, (each) => {
        const text = yamlValue(each);
        expect(text).not.toContain('\n');
        for (const version of ['1.1', '1.2'] as const) expect(parse(`k: ${text}\n`, { version })).toEqual({ k: each });
      }),
    );
  });

  it('quotes what go-yaml takes for something else', () => {
    for (const text of ['no', 'on', 'y', '12:30:45', '1_000', '0123', '1e3', '2026-01-01', '~', '', '=', '<<']) {
      expect(yamlValue(text)).toBe(JSON.stringify(text));
    }
  });
});

describe('unitWord', () => {
  it('leaves plain paths alone and quotes the rest', () => {
    expect(['/var/lib/etcd', '/a b', '/100%', '/a"b\\c', "/it's"].map(unitWord)).toEqual([
      '/var/lib/etcd',
      '"/a b"',
      '/100%%',
      '"/a\\"b\\\\c"',
      '"/it\'s"',
    ]);
  });

  it('refuses what has no safe form', () => {
    for (const text of ['', 'a\nExecStart=/bin/sh', '$HOME', 'a\0', 'a\tb']) {
      expect(() => unitWord(text), text).toThrow('cannot stand in a systemd unit');
    }
  });
});
