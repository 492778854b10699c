/** The text of an adopted cluster's inventory: the description with the comments that its reader needs. Pure. */
import { stringify } from 'yaml';
import type { Description } from './describe.ts';

/** What the draft says of how hosts are reached and what quorate keeps: carried over as it stands there. */
export type Carried = Readonly<Record<string, unknown>>;

const comments: Readonly<Record<string, string>> = {
  cluster: 'The version that runs now. Change it (and binaries) to upgrade: quorate upgrade.',
  controllers: 'The members as they are known to the cluster.',
  paths: 'Where the data lies, and where quorate puts its own files.',
  service: 'The unit and the account that run etcd.',
  etcd: 'What was set, and etcd’s own defaults where quorate has others: the cluster stays as it is. Lines may be taken out one by one for\n# quorate’s defaults, whose reasons are in inventories/example.yml.',
  pki: 'single: one authority signs for clients and peers, as here until now.',
  binaries:
    'Those that run now. quorate installs none while the source is system: set {source: release} before an upgrade.',
  acceptHazards: 'Known of this version, which runs already: upgrade, then take them out.',
};

const untilTls =
  '# plaintextClients is quorate’s own: plaintext is served beside TLS until that line is taken out, once every client uses TLS.';

/** YAML that parseInventory takes. */
export function inventoryText({ sections, tls }: Description, carried: Carried): string {
  const plaintext = tls.client === 'none' || tls.peer === 'none';
  const pki = plaintext ? {} : sections['pki'];
  const joined: Readonly<Record<string, unknown>> = {
    ...carried,
    ...sections,
    pki: { ...Object(carried['pki']), ...Object(pki) },
    etcd: { ...Object(sections['etcd']), ...accessOf(carried['etcd']) },
  };
  const order = [
    'cluster',
    'ssh',
    'controllers',
    'paths',
    'service',
    'etcd',
    'pki',
    'binaries',
    'state',
    'acceptHazards',
  ];
  const blocks = order.flatMap((key) => {
    const value = joined[key];
    if (value === undefined || isEmptyValue(value)) return [];
    const comment = key === 'etcd' && tls.client === 'none' ? `${comments[key]}\n${untilTls}` : comments[key];
    const body = stringify({ [key]: value }, { lineWidth: 0, defaultStringType: 'PLAIN', defaultKeyType: 'PLAIN' });
    return [`${comment === undefined ? '' : `# ${comment}\n`}${body}`];
  });
  return [
    '# A cluster that was made elsewhere, as quorate found it. `quorate plan` shows what applying this would change.',
    'apiVersion: quorate/v1',
    '',
    blocks.join('\n'),
  ].join('\n');
}

/** How quorate talks to etcd is the draft's to say. */
function accessOf(etcd: unknown): { readonly access?: unknown } {
  const access: unknown = Object(etcd).access;
  return access === undefined ? {} : { access };
}

function isEmptyValue(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
