/** The inventories that come with quorate are valid, and example.yml tells of every key. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { effectiveEtcdKeys } from '../../../src/domain/etcd-keys.ts';
import { etcdDefaults } from '../../../src/domain/etcd-keys-defaults.ts';
import { etcdKeyRows } from '../../../src/domain/etcd-keys-table.ts';
import { inventoryJsonSchema } from '../../../src/inventory/json-schema.ts';
import { resolveCluster } from '../../../src/inventory/resolve.ts';
import { parse } from './samples.ts';

const folder = new URL('../../../inventories/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const env = {
  HOST_1: '10.0.0.1',
  HOST_2: '10.0.0.2',
  HOST_3: '10.0.0.3',
  SSH_KEY_FILE: './key',
  AGE_IDENTITY_FILE: '/run/id',
};

const members = { example: 3, 'three-node': 3, 'five-node': 5, 'single-node': 1, bastion: 3, ci: 3, lab: 3 };

describe('inventories/', () => {
  it('holds these and no others', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.yml'));
    expect(files.sort()).toEqual(
      Object.keys(members)
        .map((name) => `${name}.yml`)
        .sort(),
    );
  });

  it.each(Object.entries(members))('%s.yml is valid, and its editor knows the schema', (name, count) => {
    const text = read(`${name}.yml`);
    expect(resolveCluster(parse(text, env)).controllers).toHaveLength(count);
    expect(text.split('\n', 1)).toEqual(['# yaml-language-server: $schema=./schema.json']);
  });

  it('example.yml mentions every key', () => {
    const text = read('example.yml');
    const unmentioned = [...keysOf(inventoryJsonSchema())].filter((key) => !new RegExp(`\\b${key}\\b`).test(text));
    expect(unmentioned.filter((key) => !Object.hasOwn(etcdKeyRows, key))).toEqual([]);
  });

  it('example.yml shows the defaults that are written for etcd, each of them', () => {
    const { etcd, version } = resolveCluster(parse(read('example.yml')));
    expect(effectiveEtcdKeys(version, etcd)).toEqual(effectiveEtcdKeys(version, {}));
    const silent = Object.keys(etcdDefaults('3.6')).filter((key) => !Object.hasOwn(etcd, key));
    expect(silent).toEqual([]);
  });
});

function keysOf(schema: unknown): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const own =
    'properties' in schema && typeof schema.properties === 'object' ? Object.keys(schema.properties ?? {}) : [];
  return new Set([...own, ...Object.values(schema).flatMap((each) => [...keysOf(each)])]);
}
