/** What stands beside signing requests, as people, tools and openssl read it. */
import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ManifestRequest, manifestFiles } from '../../../src/commands/external-manifest.ts';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { externalProblems } from '../../../src/pki/external.ts';
import { adminProfile, memberProfile } from '../../../src/pki/profile.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { requestPem, unsignedRequest } from '../../../src/pki/signing-request.ts';
import { hasOpenssl } from '../pki/judges.ts';
import { keyPair } from '../pki/material.ts';
import { authorityExtensions } from '../pki/openssl-authority.ts';
import { cluster as clusterOf, controller } from '../render/cluster.ts';

const cluster = clusterOf('3.6.16');
const member = controller('etcd-1', '10.0.0.1', { sans: { dns: ['etcd-1'], ip: ['10.0.0.1', 'fd00::1'] } });
const folder = mkdtempSync(join(tmpdir(), 'quorate-manifest-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function requestOf(algorithm: KeyAlgorithm, holder: 'etcd-1' | 'operator') {
  const pki = { ...cluster.pki, algorithm };
  const profile = holder === 'operator' ? adminProfile(pki) : memberProfile('server', member, pki);
  const { privateKey, spki } = keyPair(algorithm);
  const publicKey = readPublicKey(spki, algorithm);
  const unsigned = unsignedRequest(profile, publicKey);
  const pem = requestPem(unsigned, sign(unsigned.hash, unsigned.info, privateKey));
  const request: ManifestRequest = { name: `${holder}.x`, holder, authority: 'client', profile, pem };
  return { request, publicKey, profile };
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', [...args], { stdio: 'pipe', cwd: folder });
}

describe('the manifest of signing requests', () => {
  it('says of each request what is to be signed', () => {
    const files = manifestFiles(cluster, [requestOf('ecdsa-p256', 'etcd-1').request]);
    expect(Object.keys(files)).toEqual(['etcd-1.x.csr', 'etcd-1.x.ext', 'manifest.json', 'MANIFEST.txt']);
    expect(JSON.parse(files['manifest.json'] ?? '')).toMatchObject({
      cluster: 'demo',
      requests: [
        {
          ...{
            request: 'etcd-1.x.csr',
            holder: 'etcd-1',
            purpose: 'server',
            authority: 'client',
            commonName: 'etcd-1',
          },
          ...{ dns: ['etcd-1'], ip: ['10.0.0.1', 'fd00::1'], extendedKeyUsage: ['serverAuth', 'clientAuth'] },
        },
      ],
    });
    expect(files['MANIFEST.txt']).toContain('names    etcd-1, 10.0.0.1, fd00::1');
  });

  it.runIf(hasOpenssl).each([
    ['ecdsa-p256', 'etcd-1'],
    ['rsa-2048', 'etcd-1'],
    ['ecdsa-p384', 'operator'],
  ] as const)('has openssl sign what is taken in: %s, %s', (algorithm, holder) => {
    const { request, publicKey, profile } = requestOf(algorithm, holder);
    for (const [name, text] of Object.entries(manifestFiles(cluster, [request]))) {
      writeFileSync(join(folder, name), text);
    }
    writeFileSync(join(folder, 'ca.ext'), authorityExtensions.join('\n'));
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.csr', '-subj', '/CN=Corp');
    openssl(
      'x509',
      '-req',
      '-in',
      'ca.csr',
      '-signkey',
      'ca.key',
      '-days',
      '900',
      '-extfile',
      'ca.ext',
      '-out',
      'ca.crt',
    );
    // The first command of MANIFEST.txt.
    const text = manifestFiles(cluster, [request])['MANIFEST.txt'] ?? '';
    const line = text.split('\n').find((each) => each.includes('openssl x509')) ?? '';
    execFileSync('sh', ['-c', line.replaceAll('NAME', request.name)], { cwd: folder, stdio: 'pipe' });
    const read = (name: string): string => execFileSync('cat', [join(folder, name)], { encoding: 'utf8' });
    const authority = { certificate: read('ca.crt'), cross: undefined };
    const pem = read(`${request.name}.crt`);
    expect(externalProblems({ pem, profile, publicKey }, authority, Date.now() + 2000)).toEqual([]);
  });
});
