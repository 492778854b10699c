/** quorate certs client: certificates for kube-apiserver, Prometheus, backup jobs, people. */
import { join } from 'node:path';
import { parseDuration, printDuration } from '../domain/duration.ts';
import { QuorateError } from '../domain/errors.ts';
import { authorityBundle, listClients } from '../plan/certificate-clients.ts';
import { flag, type Invocation, type Verb, type VerbTable, value } from './command.ts';
import { keyFolder } from './key-folder.ts';
import { type NewFile, requireAbsent, writeFiles } from './new-files.ts';

/** Unless `--ttl` says otherwise, and never longer than the policy. */
const USUAL_MS = 90 * 86_400_000;

export const certsClientIssue: Verb = async (invocation, ports) => {
  const name = requireName(invocation);
  const cluster = await ports.clusterAt(undefined);
  const { organization, leafLifetimeDays } = cluster.pki;
  const ttl = value(invocation, 'ttl');
  const request = value(invocation, 'csr');
  const folder = join(
    keyFolder(invocation, ports, 'certs client issue'),
    ...(value(invocation, 'out') ? [] : [cluster.name]),
  );
  const path = (suffix: string): string => join(folder, `${name}.${suffix}`);
  const force = flag(invocation, 'force');
  const order = {
    name,
    commonName: value(invocation, 'cn') ?? name,
    organization: value(invocation, 'org') ?? organization,
    lifetimeMs: ttl === undefined ? Math.min(USUAL_MS, leafLifetimeDays * 86_400_000) : parseDuration(ttl, '--ttl'),
    csr: request === undefined ? undefined : await ports.files.read(request),
    allowRoot: flag(invocation, 'allowRoot'),
  };
  const authorities = authorityBundle(await ports.storeEvidence(cluster), 'client');
  const caFile = join(folder, 'ca.crt');
  const bundle = { path: caFile, mode: 0o644, content: authorities };
  const bundleThere = (await ports.files.exists(caFile)) && (await ports.files.read(caFile)) === authorities;
  const wanted = [path('crt'), ...(request === undefined ? [path('key')] : []), ...(bundleThere ? [] : [caFile])];
  await requireAbsent(wanted, force, ports);
  const issued = await ports.issueClient(cluster, order);
  const files: readonly NewFile[] = [
    ...(issued.key === undefined ? [] : [{ path: path('key'), mode: 0o600, content: issued.key }]),
    { path: path('crt'), mode: 0o644, content: issued.certificate },
    ...(bundleThere ? [] : [bundle]),
  ];
  await writeFiles(files, force, ports);
  const until = new Date(issued.notAfter).toISOString();
  if (issued.cut) ports.ui.warn(`${name}: cut to the end of the authority, ${until}`);
  const written = files.map((each) => each.path);
  const { commonName } = order;
  if (ports.ui.mode === 'json')
    ports.ui.json({ name, commonName, serial: issued.serial, notAfter: until, cut: issued.cut, written });
  ports.ui.out(`issued ${name}: CN=${commonName}, until ${until}, serial ${issued.serial}`);
  for (const each of written) ports.ui.out(each);
  return 0;
};

export const certsClientList: Verb = async (_invocation, ports) => {
  const cluster = await ports.clusterAt(undefined);
  const store = await ports.storeEvidence(cluster);
  if (store.issued === undefined) {
    throw new QuorateError('refused', store.problems[0] ?? `${store.location}: holds no cluster yet`, {
      hint: 'quorate certs check tells what can still be known',
    });
  }
  const clients = listClients(store, ports.now());
  if (ports.ui.mode === 'json') ports.ui.json({ cluster: cluster.name, clients });
  if (clients.length === 0) ports.ui.out('no certificate was issued to a client yet: quorate certs client issue NAME');
  else ports.ui.table(clientTable(clients, ports.now()));
  return 0;
};

function requireName({ args }: Invocation): string {
  const [name, ...more] = args;
  if (name !== undefined && more.length === 0) return name;
  throw new QuorateError('usage', 'certs client issue: one name is wanted', {
    hint: 'quorate certs client issue backup',
  });
}

function clientTable(clients: ReturnType<typeof listClients>, now: number): VerbTable {
  return {
    columns: [
      { title: 'client' },
      { title: 'common name' },
      { title: 'state' },
      { title: 'left', align: 'right' },
      { title: 'serial' },
      { title: 'issued', optional: true },
      { title: 'by', optional: true },
    ],
    rows: clients.map((each) => [
      each.name ?? '-',
      each.commonName,
      {
        text: each.state,
        level: ({ current: 'good', replaced: 'warn', revoked: 'bad', expired: 'faint' } as const)[each.state],
      },
      each.state === 'expired' ? '-' : printDuration(Date.parse(each.notAfter) - now),
      each.serial,
      each.when.slice(0, 10),
      each.who,
    ]),
  };
}
