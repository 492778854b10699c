import { randomBytes } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyAlgorithm } from '../../../src/domain/cluster.ts';
import { renewAuthorityCertificate } from '../../../src/pki/authority-certificate.ts';
import { parseChain, tryParseChain } from '../../../src/pki/chain.ts';
import { certificateDrift } from '../../../src/pki/drift.ts';
import { parseCertificate } from '../../../src/pki/inspect.ts';
import { signerOf } from '../../../src/pki/issue.ts';
import { keyAlgorithms, readPublicKey } from '../../../src/pki/public-key.ts';
import { verifyChain } from '../../../src/pki/verify-chain.ts';
import { certtoolVerify, hasCerttool, hasOpenssl, opensslVerify } from './judges.ts';
import {
  authority,
  crossOf,
  dayMs,
  keyPair,
  leaf,
  now,
  policy,
  serverProfile,
  signWith,
  type TestAuthority,
} from './material.ts';

const algorithms = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const satisfies readonly KeyAlgorithm[];
/** Each made once: RSA keys take long. */
const keys = Object.fromEntries(algorithms.map((each) => [each, [keyPair(each), keyPair(each)] as const]));
const stranger = authority();
const permits = serverProfile.sans;
const lacks = { dns: ['etcd-1', 'example.com'], ip: serverProfile.sans.ip };

interface Scenario {
  readonly oldAlgorithm: (typeof algorithms)[number];
  readonly newAlgorithm: (typeof algorithms)[number];
  readonly oldLife: 'sound' | 'expired';
  readonly oldDepth: 0 | 1;
  readonly oldNames: 'any' | 'permits' | 'lacks';
  readonly newNames: 'any' | 'permits' | 'lacks';
  readonly leafLife: 'sound' | 'expired' | 'future';
  readonly behind: 'nothing' | 'cross' | 'forged cross' | 'a stranger';
  readonly trusted: readonly ('old' | 'new' | 'stranger')[];
}

const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  oldAlgorithm: fc.constantFrom(...algorithms),
  newAlgorithm: fc.constantFrom(...algorithms),
  oldLife: mostly<Scenario['oldLife']>('sound', 'expired'),
  oldDepth: mostly<Scenario['oldDepth']>(1, 0),
  oldNames: mostly<Scenario['oldNames']>('any', 'permits', 'lacks'),
  newNames: mostly<Scenario['newNames']>('any', 'permits', 'lacks'),
  leafLife: mostly<Scenario['leafLife']>('sound', 'expired', 'future'),
  behind: mostly<Scenario['behind']>('cross', 'nothing', 'forged cross', 'a stranger'),
  trusted: mostly<Scenario['trusted']>(['old'], ['new'], ['old', 'new'], ['stranger'], ['stranger', 'old']),
});

function namesOf(names: Scenario['oldNames']) {
  return { any: undefined, permits, lacks }[names];
}

/** What a rotation leaves behind, by the scenario: PEM of the leaf, of what stands behind it, and of what is trusted. */
function build(scenario: Scenario) {
  const old = limitedTo(oldAuthority(scenario), scenario.oldDepth);
  const [, newKeys] = keys[scenario.newAlgorithm] ?? [];
  const nameConstraints = namesOf(scenario.newNames);
  const begun = now - 26 * dayMs;
  const successor = authority({
    algorithm: scenario.newAlgorithm,
    now: begun,
    nameConstraints,
    ...(newKeys && { keys: newKeys }),
  });
  const cross = crossOf(successor, withoutLimits(old), { now: now - 25 * dayMs, nameConstraints });
  const issued = { sound: now, expired: now - 20 * dayMs, future: now + 5 * dayMs }[scenario.leafLife];
  const made = leaf(withoutLimits(successor), serverProfile, { now: issued, leafLifetimeDays: 10 });
  const behind = { nothing: '', cross, 'forged cross': forge(cross), 'a stranger': stranger.pem }[scenario.behind];
  const roots = { old: old.pem, new: successor.pem, stranger: stranger.pem };
  return { leaf: made, behind, trusted: scenario.trusted.map((each) => roots[each]) };
}

function oldAuthority({ oldAlgorithm, oldLife, oldNames }: Scenario): TestAuthority {
  const [oldKeys] = keys[oldAlgorithm] ?? [];
  return authority({
    algorithm: oldAlgorithm,
    now: now - 30 * dayMs,
    caLifetimeDays: oldLife === 'expired' ? 20 : 3650,
    nameConstraints: namesOf(oldNames),
    ...(oldKeys && { keys: oldKeys }),
  });
}

/** The same authority with another path length, as an imported one may have it. */
function limitedTo(ca: TestAuthority, pathLength: number): TestAuthority {
  const { facts } = ca.signer;
  if (facts.pathLength === pathLength) return ca;
  const sign = signWith(ca.keys.privateKey);
  const algorithm = keyAlgorithms.find((each) => each === facts.algorithm) ?? 'ecdsa-p256';
  const lifeDays = Math.round((facts.notAfter - facts.notBefore) / dayMs);
  const { pem } = renewAuthorityCertificate({
    current: { ...facts, pathLength },
    publicKey: readPublicKey(ca.keys.spki, algorithm),
    policy: { ...policy, caLifetimeDays: lifeDays, nameConstraints: undefined },
    sign,
    serial: randomBytes(20),
    now: facts.notBefore,
  });
  return { ...ca, pem, signer: signerOf(pem, sign) };
}

/** Signs what it should not. */
function withoutLimits(ca: TestAuthority): TestAuthority {
  const facts = { ...ca.signer.facts, nameConstraints: undefined, pathLength: undefined };
  return { ...ca, signer: { ...ca.signer, facts } };
}

function forge(pem: string): string {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
  return `-----BEGIN CERTIFICATE-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function ours({ leaf: { pem }, behind, trusted }: ReturnType<typeof build>): readonly string[] {
  const anchors = trusted.map((each) => parseCertificate(each));
  return verifyChain(parseChain(pem + behind), anchors, Date.now()).reasons.map((each) => each.text);
}

describe('our judgement of a chain', () => {
  test.skipIf(!hasOpenssl)('is that of openssl verify -x509_strict', { timeout: 60_000 }, () => {
    const verdicts = new Set<boolean>();
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const built = build(scenario);
        const said = ['sslserver', 'sslclient'] as const;
        const theirs = said.map((purpose) =>
          opensslVerify(built.leaf.pem, built.trusted.join(''), purpose, { untrusted: built.behind }),
        );
        const mine = ours(built);
        verdicts.add(mine.length === 0);
        for (const each of theirs) expect({ mine, sound: mine.length === 0 }).toEqual({ mine, sound: each === '' });
      }),
      { numRuns: 120 },
    );
    expect(verdicts.size).toBe(2);
  });

  test.skipIf(!hasCerttool)('is that of certtool --verify', { timeout: 60_000 }, () => {
    const verdicts = new Set<boolean>();
    fc.assert(
      fc.property(scenarios, (scenario) => {
        // Of two ways, GnuTLS judges the one that is shown alone.
        fc.pre(!(scenario.trusted.includes('old') && scenario.trusted.includes('new')));
        const built = build(scenario);
        const mine = ours(built);
        verdicts.add(mine.length === 0);
        const theirs = certtoolVerify(built.leaf.pem + built.behind, built.trusted.join(''));
        expect({ mine, theirs, sound: mine.length === 0 }).toEqual({ mine, theirs, sound: theirs === '' });
      }),
      { numRuns: 60 },
    );
    expect(verdicts.size).toBe(2);
  });

  test('is that of a client of Node’s TLS in a handshake', { timeout: 60_000 }, async () => {
    const verdicts = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const built = build(scenario);
        const mine = ours(built);
        verdicts.add(mine.length === 0);
        const theirs = await handshake(built);
        expect({ mine, theirs, sound: mine.length === 0 }).toEqual({ mine, theirs, sound: theirs === '' });
      }),
      { numRuns: 40 },
    );
    expect(verdicts.size).toBe(2);
  });
});

/** Why a client that trusts these does not take the server's chain; '' when it does. */
async function handshake({ leaf: made, behind, trusted }: ReturnType<typeof build>): Promise<string> {
  const key = made.keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ key, cert: made.pem + behind }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  try {
    return await new Promise<string>((resolve) => {
      const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: [...trusted], servername: 'etcd-1' }, () => {
        socket.end();
        resolve('');
      });
      socket.on('error', (error) => resolve(error.message));
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('drift of a chain', () => {
  const old = authority();
  const successor = authority();
  const cross = crossOf(successor, old);
  const server = leaf(successor);
  const trusted = old.pem + successor.pem;
  const wanted = { profile: serverProfile, authority: successor.pem, cross, trusted };

  test('is none for a leaf with the cross certificate that is wanted behind it', () => {
    expect(certificateDrift(server.pem + cross, wanted, now)).toEqual([]);
    expect(certificateDrift(server.pem, { ...wanted, cross: undefined }, now)).toEqual([]);
  });

  test('tells a cross certificate that is absent, not wanted, or another', () => {
    expect(certificateDrift(server.pem, wanted, now)).toEqual(['the cross certificate does not stand behind it']);
    expect(certificateDrift(server.pem + cross, { ...wanted, cross: undefined }, now)).toEqual([
      'another certificate stands behind it',
    ]);
    expect(certificateDrift(server.pem + crossOf(successor, old), wanted, now)).toEqual([
      'something else than the cross certificate stands behind it',
    ]);
  });

  test('tells a leaf of the outgoing authority as that, and no more', () => {
    const { facts } = old.signer;
    expect(certificateDrift(leaf(old).pem, wanted, now)).toEqual([`issued by ${facts.subject}, which signs no more`]);
    expect(certificateDrift(leaf(old).pem, { ...wanted, trusted: undefined }, now)).toEqual([
      `issued by ${facts.subject}, not by ${successor.signer.facts.subject}`,
    ]);
  });

  test('verifies through the cross certificate where the old authority alone is trusted', () => {
    const anchors = [parseCertificate(old.pem)];
    expect(verifyChain(parseChain(server.pem + cross), anchors, now)).toMatchObject({
      reasons: [],
      path: [{ facts: { pathLength: 0 } }, { facts: old.signer.facts }],
    });
    expect(verifyChain(parseChain(server.pem), anchors, now).reasons).toMatchObject([{ kind: 'issuer' }]);
  });

  test('tells a cross certificate that has expired, where no other way leads', () => {
    const ended = authority({ now: now - 30 * dayMs, caLifetimeDays: 20 });
    const begun = authority({ now: now - 26 * dayMs });
    const chain = parseChain(leaf(begun).pem + crossOf(begun, ended, { now: now - 25 * dayMs }));
    const kinds = (ca: TestAuthority) =>
      verifyChain(chain, [parseCertificate(ca.pem)], now).reasons.map((each) => each.kind);
    expect(kinds(ended)).toEqual(['chain', 'authority-expired']);
    expect(kinds(begun)).toEqual([]);
  });

  test('is unreadable with rubbish behind it', () => {
    expect(
      tryParseChain(`${server.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
    ).toBeUndefined();
    expect(certificateDrift(`${server.pem}${cross.replace(/\n.{8}/, '\nAAAAAAAA')}`, wanted, now)).toEqual([
      'the certificate cannot be read',
    ]);
  });
});
