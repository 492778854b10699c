/** quorate certs ca import: an authority that was made elsewhere signs from the start, or is the successor that rotate-ca puts into force. */
import { resolve } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { flag, type Invocation, type Ports, type Verb, value } from './command.ts';

/** Where other tools keep the one authority of an etcd cluster. */
const layouts = {
  kubeadm: '/etc/kubernetes/pki/etcd',
  etcdadm: '/etc/etcd/pki',
} as const;

export const certsCaImport: Verb = async (invocation, ports) => {
  const cluster = await ports.clusterAt(undefined);
  const paths = pathsOf(invocation, ports);
  const read = (path: string | undefined): Promise<string> | string =>
    path === undefined ? '' : ports.files.read(path);
  const purpose = purposeOf(invocation, cluster.pki.authorities);
  const offer = {
    certificate: await ports.files.read(paths.certificate),
    chain: await read(paths.chain),
    key: paths.key === undefined ? undefined : await ports.files.read(paths.key),
  };
  if (paths.key === undefined) await confirmKeyless(invocation, ports);
  const imported = await ports.importAuthority(cluster, { purpose, offer });
  for (const each of imported.warnings) ports.ui.warn(each);
  const { id, status, subject } = imported;
  if (ports.ui.mode === 'json')
    ports.ui.json({ cluster: cluster.name, id, status, subject, warnings: imported.warnings });
  ports.ui.out(`authority ${id}: ${subject}`);
  ports.ui.out(
    status === 'active' ? 'it signs from now on' : 'it is the successor: quorate certs rotate-ca puts it into force',
  );
  if (paths.key !== undefined)
    ports.ui.note(
      `its key is in the state directory now, encrypted; ${paths.key} is still plaintext: keep it only where it is needed`,
    );
  return 0;
};

function pathsOf(invocation: Invocation, ports: Ports) {
  const at = (name: string): string | undefined => {
    const path = value(invocation, name);
    return path === undefined ? undefined : resolve(ports.operator.directory, path);
  };
  const layout = value(invocation, 'layout');
  if (layout !== undefined) {
    const folder = at('dir') ?? folderOf(layout);
    return { certificate: at('cert') ?? `${folder}/ca.crt`, chain: at('chain'), key: at('key') ?? `${folder}/ca.key` };
  }
  const certificate = at('cert');
  if (certificate !== undefined) return { certificate, chain: at('chain'), key: at('key') };
  throw new QuorateError('usage', 'certs ca import: a certificate is wanted', {
    hint: '--cert ca.crt --key ca.key, or --layout kubeadm on a machine that has its files',
  });
}

function folderOf(layout: string): string {
  if (layout === 'kubeadm' || layout === 'etcdadm') return layouts[layout];
  throw new QuorateError('usage', `--layout ${layout}: there is no such layout`, { hint: 'kubeadm or etcdadm' });
}

/** One authority for all is what both layouts have. */
function purposeOf(invocation: Invocation, kind: 'separate' | 'single'): 'client' | 'peer' | 'both' {
  const text = value(invocation, 'purpose') ?? (kind === 'single' ? 'both' : undefined);
  if (text === 'client' || text === 'peer' || text === 'both') return text;
  const what = text === undefined ? 'what it is for is wanted' : `--purpose ${text}: there is no such purpose`;
  throw new QuorateError('usage', `certs ca import: ${what}`, {
    hint: '--purpose client, --purpose peer, or --purpose both with pki.authorities: single',
  });
}

async function confirmKeyless(invocation: Invocation, ports: Ports): Promise<void> {
  ports.ui.warn(
    'without its key quorate can sign nothing with it: certificates of it come by quorate certs ca external (pki.external)',
  );
  if (flag(invocation, 'yes')) return;
  const answer = await ports.ui.confirm({ question: 'Import it without its key?', expect: 'yes', instead: '--yes' });
  if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
}
