/** inventories/schema.json for editors: equal to what the code gives, and of one mind with parseInventory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { inventoryJsonSchema } from '../../../src/inventory/json-schema.ts';
import { complaintsAbout, inventoryText } from './samples.ts';

const file = new URL('../../../inventories/schema.json', import.meta.url);
const schema = JSON.parse(JSON.stringify(inventoryJsonSchema()));

function editorAccepts(text: string): boolean {
  return z.fromJSONSchema(schema).safeParse(parseYaml(text, { merge: true })).success;
}

const good: readonly Readonly<Record<string, string>>[] = [
  {},
  { ssh: '{user: ops, port: 2222, agent: false, identityFiles: a, knownHosts: [a, ~/b], sudo: {passwordEnv: X}}' },
  {
    ssh: '{bastion: {address: a, hostKey: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", bastion: {address: fd00::1}}}',
  },
  { ssh: `{port: "\${P:-22}", agent: "\${A:-true}", sudo: "\${S:-none}"}`, pki: `{algorithm: "\${K:-rsa-2048}"}` },
  {
    controllers:
      '{a: {address: a.b, privateAddress: "fd00::1", listenAddresses: ["::"], sans: ["*.a.b"], ssh: {bastion: none}}}',
  },
  {
    paths: '{dataDir: /data/etcd}',
    service: '{unit: e.service}',
    state: '{directory: ../x y}',
    ports: '{client: 4001}',
  },
  { etcd: '{access: direct, snapshot-count: 5, quota-backend-bytes: 1GiB, feature-gates: {CompactHashCheck: true}}' },
  { etcd: '{experimental-initial-corrupt-check: true}', cluster: '{name: x, version: 3.5.21}' },
  { binaries: '{source: file, path: x}' },
  { binaries: '{source: mirror, url: "http://[fd00::1]:80/x"}' },
  { pki: '{renewBefore: 30d, nameConstraints: true}' },
  { pki: '{renewBefore: 20%, nameConstraints: "false"}' },
  { pki: '{external: [client, peer]}' },
  { pki: '{external: [both], authorities: single}' },
];

/** Wrong by shape: the editor knows. */
const bad: readonly Readonly<Record<string, string>>[] = [
  { nodes: '{}' },
  { ssh: '{prt: 22}' },
  { ssh: '{port: 0}' },
  { ssh: '{agent: yes}' },
  { ssh: '{user: "a b"}' },
  { ssh: '{sudo: always}' },
  { ssh: '{hostKey: x}' },
  { cluster: '{name: X, version: 3.6.16}' },
  { cluster: '{name: x, version: 3.6}' },
  { cluster: '{name: x, version: v3.6.16}' },
  { controllers: '{A: {address: 10.0.0.1}}' },
  { controllers: '{a: {address: "a b"}}' },
  { controllers: '[]' },
  { controllers: '{a: }' },
  { etcd: '{cert-file: x}' },
  { etcd: '{hearbeat-interval: 1}' },
  { etcd: '{access: maybe}' },
  { paths: '{dataDir: var/lib}' },
  { pki: '{authorities: 2}' },
  { pki: '{external: client}' },
  { pki: '{external: [etcd]}' },
  { pki: '{renewBefore: 30}' },
  { pki: '{renewBefore: 100%}' },
  { pki: '{nameConstraints: yes}' },
  { binaries: '{source: release, url: "https://x"}' },
  { binaries: '{source: mirror}' },
  { binaries: '{source: file, path: x, via: host}' },
  { acceptHazards: '[none-such]' },
];

describe('inventories/schema.json', () => {
  it('is what the schema gives (UPDATE=1 npx vitest run test/unit/inventory/json-schema.test.ts writes it)', () => {
    const text = `${JSON.stringify(schema, null, 2)}\n`;
    if (process.env['UPDATE'] === '1') writeFileSync(file, text);
    expect(readFileSync(file, 'utf8'), 'run UPDATE=1 npx vitest run test/unit/inventory/json-schema.test.ts').toBe(
      text,
    );
  });

  it.each(good)('accepts with parseInventory: %j', (replaced) => {
    expect(complaintsAbout(inventoryText(replaced))).toEqual([]);
    expect(editorAccepts(inventoryText(replaced))).toBe(true);
  });

  it.each(bad)('refuses with parseInventory: %j', (replaced) => {
    expect(complaintsAbout(inventoryText(replaced))).not.toEqual([]);
    expect(editorAccepts(inventoryText(replaced))).toBe(false);
  });
});
