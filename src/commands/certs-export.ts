/** quorate certs export: the authorities and a client's certificate in the shape that another tool wants. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { StoreEvidence } from '../domain/certificate-evidence.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { leafOf } from '../pki/chain.ts';
import { readCertificate } from '../pki/inspect.ts';
import { spkiHash } from '../pki/public-key.ts';
import { authorityBundle } from '../plan/certificate-clients.ts';
import { type ClientMaterial, kubeadmFiles, pemFiles, secretFile } from '../render/client-files.ts';
import { flag, type Invocation, type Ports, type Verb, value } from './command.ts';
import { type NewFile, requireAbsent, writeFiles } from './new-files.ts';

const formats = ['pem', 'pkcs12', 'secret', 'kubeadm'] as const;
type Format = (typeof formats)[number];

export const certsExport: Verb = async (invocation, ports) => {
  const format = chooseFormat(invocation);
  const out = value(invocation, 'out');
  if (out === undefined) {
    throw new QuorateError('usage', 'certs export: --out DIR is missing', { hint: 'a folder that only you can read' });
  }
  const cluster = await ports.clusterAt(undefined);
  const material = await findMaterial(invocation, cluster, ports);
  const made = await filesOf(format, material, { invocation, ports });
  const folder = resolve(ports.operator.directory, out);
  const files = made.map((each) => ({ ...each, path: join(folder, each.path) }));
  const force = flag(invocation, 'force');
  const paths = files.map((each) => each.path);
  await requireAbsent(paths, force, ports);
  await writeFiles(files, force, ports);
  if (ports.ui.mode === 'json') ports.ui.json({ format, client: material.name, written: paths });
  for (const path of paths) ports.ui.out(path);
  return 0;
};

function chooseFormat(invocation: Invocation): Format {
  const told = value(invocation, 'format') ?? 'pem';
  const found = formats.find((each) => each === told);
  if (found !== undefined) return found;
  throw new QuorateError('usage', `certs export: unknown format "${told}"`, { hint: `one of: ${formats.join(', ')}` });
}

/** No client: the bundle alone. The operator's own comes from the store; another's key must be shown, because it is kept nowhere here. */
async function findMaterial(invocation: Invocation, cluster: Cluster, ports: Ports): Promise<ClientMaterial> {
  const [name] = invocation.args;
  const store = await ports.storeEvidence(cluster);
  const bundle = { cluster: cluster.name, ca: authorityBundle(store, 'client'), endpoints: clientUrls(cluster) };
  if (bundle.ca === '') {
    throw new QuorateError('refused', `${store.location}: holds no authority`, { hint: 'run quorate bootstrap' });
  }
  if (name === undefined) return { ...bundle, name: undefined, certificate: undefined, key: undefined };
  if (name === 'admin') return { ...bundle, name, ...(await adminOf(invocation, cluster, ports)) };
  const certificate = certificateOf(store, name);
  const keyPath = value(invocation, 'key');
  const key = keyPath === undefined ? undefined : matchingKey(await ports.files.read(keyPath), certificate, keyPath);
  return { ...bundle, name, certificate, key };
}

function clientUrls({ controllers }: Cluster): readonly string[] {
  return controllers.map((each) => each.clientUrl);
}

async function adminOf(invocation: Invocation, cluster: Cluster, ports: Ports) {
  if (!flag(invocation, 'allowRoot')) {
    throw new QuorateError(
      'refused',
      "certs export admin: its CN is root, etcd's superuser: whoever holds it may do anything",
      {
        hint: 'issue one of its own: quorate certs client issue NAME; if it must be root: --allow-root',
      },
    );
  }
  const credentials = await ports.credentials(cluster);
  if (credentials !== undefined) return { certificate: credentials.cert, key: credentials.key };
  throw new QuorateError('refused', `${cluster.name}: the state directory holds no operator's certificate yet`, {
    hint: 'bootstrap the cluster first: quorate bootstrap -i FILE',
  });
}

function certificateOf({ clients, location }: StoreEvidence, name: string): string {
  const found = clients.find((each) => each.name === name);
  if (found !== undefined) return found.certificate;
  throw new QuorateError('refused', `${location}: holds no client ${name}`, {
    hint: `issue it: quorate certs client issue ${name}; quorate certs client list shows what there is`,
  });
}

function matchingKey(pem: string, certificate: string, path: string): string {
  const wanted = readCertificate(leafOf(certificate)).spkiSha256;
  try {
    const key = createPrivateKey(pem);
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    if (spkiHash(spki) === wanted) return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    throw new QuorateError('refused', `${path}: holds no private key that can be read without a passphrase`);
  }
  throw new QuorateError('refused', `${path}: is not the key of that certificate`, {
    hint: 'the newest certificate of a name is the one in the store: issue it anew, or name its key',
  });
}

async function filesOf(
  format: Format,
  material: ClientMaterial,
  { invocation, ports }: { readonly invocation: Invocation; readonly ports: Ports },
): Promise<readonly NewFile[]> {
  if (format === 'pem') return pemFiles(material);
  const { name, certificate, key } = material;
  if (name === undefined || certificate === undefined || key === undefined) throw keyless(format, name);
  const whole = { ...material, name, certificate, key };
  if (format === 'kubeadm') return kubeadmFiles(whole);
  if (format === 'secret') return [secretFile(whole, value(invocation, 'namespace'))];
  const passphrase = passphraseOf(invocation, ports);
  const store = { key, certificate, authorities: material.ca, friendlyName: `${material.cluster} ${name}` };
  return [{ path: `${name}.p12`, mode: 0o600, content: await ports.keyStore(store, passphrase) }];
}

function keyless(format: Format, name: string | undefined): QuorateError {
  const what = name === undefined ? 'names no client' : `has no private key for ${name}: it is kept nowhere here`;
  const example = `quorate certs export ${name ?? 'NAME'} --format ${format} --key NAME.key --out DIR`;
  return new QuorateError('usage', `certs export --format ${format}: ${what}`, { hint: example });
}

function passphraseOf(invocation: Invocation, ports: Ports): string {
  const variable = value(invocation, 'passphraseEnv');
  const text = variable === undefined ? undefined : ports.operator.env[variable];
  if (text !== undefined && text !== '') return text;
  const what = variable === undefined ? 'needs a passphrase' : `${variable} is not set`;
  throw new QuorateError('usage', `certs export --format pkcs12: ${what}`, {
    hint: '--passphrase-env NAME: the environment variable that holds it',
  });
}
