/** Requests signed by keys on a host: the script that is sent, run by a shell here. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { type ExternalStep, performExternal, signOnHost } from '../../../src/main/external-steps.ts';
import { readRequest } from '../../../src/pki/csr.ts';
import { memberProfile } from '../../../src/pki/profile.ts';
import { readPublicKey } from '../../../src/pki/public-key.ts';
import { requestPem, unsignedRequest } from '../../../src/pki/signing-request.ts';
import type { Connection } from '../../../src/transport/transport.ts';
import { createModel } from '../../fakes/model.ts';
import { run, shells, temporaryFolder } from '../apply/shell.ts';
import { clusterStore } from '../pki/cluster-store.ts';
import { hasOpenssl } from '../pki/judges.ts';
import { keyPair } from '../pki/material.ts';
import { opensslMade } from '../pki/openssl-authority.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const member = { name: 'etcd-1', sans: { dns: ['etcd-1'], ip: ['10.0.0.1'] } };

function hostOf(shell: string, path?: string): Connection {
  return {
    host: 'etcd-1',
    run: async ({ script }) => {
      const answer = await run(shell, path === undefined ? script : `PATH=${path}\n${script}`);
      return { ...answer, status: answer.status ?? 1, signal: undefined };
    },
    start: () => Promise.reject(new Error('nothing is started here')),
    tunnel: () => Promise.reject(new Error('there are no tunnels here')),
    close: () => Promise.resolve(),
  };
}

describe.runIf(hasOpenssl).each(shells)('a request that is signed where its key is, by %s', (shell) => {
  it.each<KeyAlgorithm>(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'])('is sound for %s', async (algorithm) => {
    const { privateKey, spki } = keyPair(algorithm);
    const folder = temporaryFolder();
    const keyFile = join(folder, "it's server.key");
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const profile = memberProfile('server', member, { organization: 'Example', algorithm });
    const unsigned = unsignedRequest(profile, readPublicKey(spki, algorithm));
    const wish = { keyFile, data: unsigned.info, hash: unsigned.hash };
    const signatures = await signOnHost(hostOf(shell), [wish, wish]);
    expect(signatures).toHaveLength(2);
    const pem = requestPem(unsigned, signatures[1] ?? Buffer.alloc(0));
    expect(() => readRequest(pem, 'the request')).not.toThrow();
    writeFileSync(join(folder, 'csr'), pem);
    execFileSync('openssl', ['req', '-verify', '-noout', '-in', join(folder, 'csr')], { stdio: 'pipe' });
  });

  it('is refused where the host has no openssl, with what to install', async () => {
    const asked = signOnHost(hostOf(shell, '/nonexistent'), [
      { keyFile: '/k', data: Buffer.from('x'), hash: 'sha256' },
    ]);
    await expect(asked).rejects.toMatchObject({ code: 'refused', hint: expect.stringContaining('install it') });
  });

  it('fails where the key is not there', async () => {
    const asked = signOnHost(hostOf(shell), [{ keyFile: '/none.key', data: Buffer.from('x'), hash: 'sha256' }]);
    await expect(asked).rejects.toMatchObject({ code: 'step-failed' });
  });
});

describe.runIf(hasOpenssl)('an authority that is taken in', () => {
  it('is the one of the plan, or the plan is stale: somebody else took one in meanwhile', async () => {
    const context = { ...(await clusterStore({ policy: { external: ['client'] } })), now: () => Date.now() + 600_000 };
    const certificate = opensslMade().certificate;
    const step = (authority: string): ExternalStep => {
      return { kind: 'authority.import', id: 'x', host: 'operator', authority, certificate, chain: '', why: 'test' };
    };
    await expect(
      performExternal(step('client-2'), createModel(clusterOf('3.6.16')).view(), context),
    ).rejects.toMatchObject({
      code: 'stale-plan',
      message: 'the authority became client-1, and the plan names client-2',
    });
  });
});
