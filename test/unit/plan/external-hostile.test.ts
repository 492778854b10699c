/** Folders that come back from an authority elsewhere, made by openssl, with one thing wrong in each. */
import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import { requestFolder } from '../../../src/domain/layout.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import type { LeafPurpose } from '../../../src/domain/step.ts';
import { planExternalInstall } from '../../../src/plan/external-install.ts';
import type { OfferedFile } from '../../../src/plan/external-match.ts';
import { planExternalRequest } from '../../../src/plan/external-request.ts';
import type { View } from '../../../src/plan/view.ts';
import { adminKeyOf } from '../../fakes/certificates.ts';
import { runOn } from '../../fakes/executor.ts';
import { createModel } from '../../fakes/model.ts';
import { hasOpenssl } from '../pki/judges.ts';
import { authorityExtensions, type Made, type Making, opensslMade } from '../pki/openssl-authority.ts';
import { cluster as clusterOf } from '../render/cluster.ts';

const plain = clusterOf('3.6.16');
const cluster = { ...plain, pki: { ...plain.pki, external: ['client'] as const } };
const days = 90;
const dayMs = 86_400_000;
const usages = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'authorityKeyIdentifier=keyid',
];

interface Order {
  readonly holder: string;
  readonly purpose: LeafPurpose;
  readonly publicKey: string;
  readonly names: string;
}

/** What a sound authority makes of an order, but for `change`. */
/** PEM of any label: what it holds is nobody's. */
function armored(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

function signed(issuer: Made, { holder, purpose, publicKey, names }: Order, change: Making = {}): string {
  const common = holder === 'operator' ? 'root' : purpose === 'client' ? `quorate-${holder}` : holder;
  const both = purpose === 'client' ? 'extendedKeyUsage=clientAuth' : 'extendedKeyUsage=serverAuth,clientAuth';
  const extensions = [...usages, both, ...(names === '' ? [] : [`subjectAltName=${names}`])];
  return opensslMade({ subject: `/CN=${common}`, issuer, publicKey, extensions, days, ...change }).certificate;
}

describe.runIf(hasOpenssl)('a folder that came back', () => {
  let view: View;
  let root: Made;
  let issuer: Made;
  let orders: readonly Order[];
  let leaves: readonly OfferedFile[];
  const bundle = (): OfferedFile => ({ name: 'bundle.pem', text: issuer.certificate + root.certificate });

  beforeAll(async () => {
    const model = createModel(cluster);
    await runOn(model, planExternalRequest(model.view(), { members: [] }));
    // openssl signs as of now, and some of it later.
    view = { ...model.view(), now: Date.now() + 600_000 };
    root = opensslMade({ subject: '/CN=Corp root' });
    issuer = opensslMade({ subject: '/CN=Corp issuer', issuer: root });
    const members = cluster.controllers.flatMap(({ name, sans }) =>
      (['server', 'client'] as const).map((purpose): Order => {
        const publicKey = model.host(name).texts[`${requestFolder(cluster)}/${purpose}.pub`] ?? '';
        const names = [...sans.dns.map((each) => `DNS:${each}`), ...sans.ip.map((each) => `IP:${each}`)].join(',');
        return { holder: name, purpose, publicKey, names: purpose === 'server' ? names : '' };
      }),
    );
    orders = [...members, { holder: 'operator', purpose: 'client', publicKey: adminKeyOf(cluster), names: '' }];
    leaves = allOf(issuer);
  });

  const nameOf = ({ holder, purpose }: Order): string => `${holder}.${purpose}.pem`;
  const allOf = (ca: Made): readonly OfferedFile[] =>
    orders.map((each) => ({ name: nameOf(each), text: signed(ca, each) }));
  const orderOf = (name: string): Order => {
    const found = orders.find((each) => nameOf(each) === name);
    if (found === undefined) throw new Error(`nothing of the name ${name} was ordered`);
    return found;
  };
  const but = (name: string, change: Making, ca = issuer): readonly OfferedFile[] => [
    ...leaves.map((each) => (each.name === name ? { name, text: signed(ca, orderOf(name), change) } : each)),
    bundle(),
  ];
  const plan = (files: readonly OfferedFile[], now = view.now): Plan =>
    planExternalInstall({ ...view, now }, { files, until: 'trust-both', allowDowntime: false });
  const told = (files: readonly OfferedFile[], now?: number): string => {
    try {
      plan(files, now);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      expect(error.code).toBe('refused');
      return (error.errors.length === 0 ? [error] : error.errors).map((each) => each.message).join('\n');
    }
    return '';
  };
  const accepted = (files: readonly OfferedFile[]): readonly string[] =>
    plan(files).stages.flatMap((stage) =>
      stage.steps.flatMap((step) =>
        step.kind === 'certificate.accept' ? step.certificates.map((each) => `${each.holder}.${each.purpose}.pem`) : [],
      ),
    );

  it('is taken whole where nothing is wrong, whatever the files are called and however their lines end', () => {
    const all = orders.map(nameOf).sort();
    expect([...accepted([...leaves, bundle()])].sort()).toEqual(all);
    const renamed = leaves.map(({ text }, index) => ({
      name: `${leaves.length - index}`,
      text: `Bag Attributes\r\n${text.replaceAll('\n', '\r\n')}`,
    }));
    expect([...accepted([...renamed, bundle()])].sort()).toEqual(all);
    expect(plan([...leaves, bundle()]).warnings.join()).not.toContain('nobody asked for');
  });

  it('is taken with names that nobody asked for and with short lives, and both are told', () => {
    const order = orderOf('etcd-1.server.pem');
    const extensions = [...usages, 'extendedKeyUsage=serverAuth,clientAuth', `subjectAltName=${order.names},DNS:other`];
    const { warnings } = plan(but('etcd-1.server.pem', { extensions }));
    expect(warnings.join('\n')).toContain('etcd-1.server.pem: has names that nobody asked for: other');
    const late = plan([...leaves, bundle()], view.now + 70 * dayMs).warnings.join('\n');
    expect(late).toContain('etcd-2.client.pem: is due at once (pki.renewBefore)');
  });

  it.each<readonly [string, Making, string]>([
    ['a usage', { extensions: [...usages, 'extendedKeyUsage=serverAuth'] }, 'extended key usage clientAuth is missing'],
    ['its names', { extensions: [...usages, 'extendedKeyUsage=serverAuth,clientAuth'] }, 'SAN 10.0.0.1 is missing'],
    ['its subject', { subject: '/CN=etcd-3' }, 'common name is etcd-3, not etcd-1'],
    [
      'an authority instead',
      { extensions: authorityExtensions },
      'etcd-1: no certificate came back for its server key',
    ],
  ])('is refused where one lacks %s', (_, change, words) => {
    expect(told(but('etcd-1.server.pem', change))).toContain(words);
  });

  it('is refused before its time and after it', () => {
    expect(told([...leaves, bundle()], view.now - 2 * dayMs)).toContain('is not valid yet');
    const late = told([...leaves, bundle()], view.now + 91 * dayMs);
    for (const name of orders.map(nameOf)) expect(late).toContain(`${name}: expired`);
  });

  it.each<readonly [string, Making, string]>([
    ['a weak key', { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] }, 'has a key of type rsa-1024'],
    [
      'no right to sign',
      { extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign', 'subjectKeyIdentifier=hash'] },
      'may not sign certificates',
    ],
    ['an end that has come', { days: 30 }, 'has expired'],
    ['a signature with SHA-1', { digest: 'sha1' }, 'is signed with MD5 or SHA-1'],
    [
      'an extension that etcd stumbles over',
      { extensions: [...authorityExtensions, '1.3.6.1.4.1.99999.1=critical,ASN1:NULL'] },
      'critical extension',
    ],
    [
      'other names than it may certify',
      { extensions: [...authorityExtensions, 'nameConstraints=critical,permitted;DNS:corp.example'] },
      'does not permit',
    ],
  ])('is refused where its authority has %s', (_, change, words) => {
    const bad = opensslMade({ subject: '/CN=Corp issuer', issuer: root, ...change });
    const files = [...allOf(bad), { name: 'bundle.pem', text: bad.certificate + root.certificate }];
    expect(told(files, view.now + 31 * dayMs)).toContain(words);
  });

  it('is refused where what signed is no authority', () => {
    const leaf = opensslMade({ subject: '/CN=Corp issuer', issuer: root, extensions: usages });
    const files = [...allOf(leaf), { name: 'bundle.pem', text: leaf.certificate + root.certificate }];
    const words = told(files);
    expect(words).toContain('bundle.pem: is for a key that neither a member nor the operator has');
    expect(words).toContain('its authority, CN=Corp issuer, is in none of the files');
  });

  it('is refused where its chain is broken: another authority of the same name, or none', () => {
    const impostor = opensslMade({ subject: '/CN=Corp issuer', issuer: root });
    const files = [...leaves, { name: 'bundle.pem', text: impostor.certificate + root.certificate }];
    expect(told(files)).toContain('etcd-1.client.pem: its authority, CN=Corp issuer, is in none of the files');
    expect(told(leaves)).toContain('is in none of the files');
  });

  it('is refused where two authorities have signed', () => {
    const other = opensslMade({ subject: '/CN=Corp issuer 2', issuer: root });
    const files = [...but('etcd-2.server.pem', {}, other), { name: 'other.pem', text: other.certificate }];
    expect(told(files)).toContain('client: certificates are of 2 authorities');
  });

  it('is refused where one authority has signed for clients and for peers', async () => {
    const all = { ...plain, pki: { ...plain.pki, external: ['client', 'peer'] as const } };
    const model = createModel(all);
    await runOn(model, planExternalRequest(model.view(), { members: [] }));
    const controller = all.controllers[0]?.name ?? '';
    const files = (['server', 'peer'] as const).map((purpose) => {
      const publicKey = model.host(controller).texts[`${requestFolder(all)}/${purpose}.pub`] ?? '';
      return { name: purpose, text: signed(issuer, { ...orderOf(`${controller}.server.pem`), publicKey }) };
    });
    const offered = { files: [...files, bundle()], until: 'trust-both', allowDowntime: false } as const;
    expect(() => planExternalInstall({ ...model.view(), now: view.now }, offered)).toThrow(
      expect.objectContaining({
        errors: expect.arrayContaining([
          expect.objectContaining({
            message: expect.stringContaining('one authority signs for clients and for peers'),
          }),
        ]),
      }),
    );
  });

  it('is refused with rubbish in it, each piece of it told, and in no time', () => {
    const rubbish = [
      { name: 'a.crt', text: '\u0000\uFFFD'.repeat(100_000) },
      { name: 'b.pem', text: armored('CERTIFICATE', 'AAAA') },
      { name: 'c.pem', text: '-----BEGIN CERTIFICATE-----\n'.repeat(100_000) },
      { name: 'd.pem', text: `-----BEGIN CERTIFICATE-----\n${'A'.repeat(8_000_000)}\n` },
      { name: 'e.key', text: armored('PRIVATE KEY', 'AAAA') },
    ];
    const started = performance.now();
    const words = told([...leaves, bundle(), ...rubbish]);
    expect(performance.now() - started).toBeLessThan(2000);
    for (const each of ['a.crt: holds no certificate', 'b.pem: holds a certificate that cannot be read']) {
      expect(words).toContain(each);
    }
    for (const name of ['c.pem', 'd.pem']) expect(words).not.toContain(name);
  });

  it('comes to an end where authorities certify each other', () => {
    const publicKey = createPublicKey(root.certificate).export({ type: 'spki', format: 'pem' }).toString();
    const back = opensslMade({ subject: '/CN=Corp root', issuer, publicKey });
    const files = [...leaves, { name: 'bundle.pem', text: root.certificate + issuer.certificate + back.certificate }];
    expect(accepted(files)).toHaveLength(orders.length);
  });
});
