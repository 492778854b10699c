/** quorate env: exports with which etcdctl works on the operator's machine, the client certificate included. */
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { quote } from '../domain/shell-quote.ts';
import { type Invocation, type Verb, value } from './command.ts';
import { keyFolder } from './key-folder.ts';

export const env: Verb = async (invocation, ports) => {
  const shell = shellOf(invocation);
  const cluster = await ports.cluster();
  const credentials = await ports.credentials(cluster);
  if (credentials === undefined) {
    throw new QuorateError('refused', `${cluster.name}: the state directory holds no client certificate yet`, {
      hint: 'bootstrap the cluster first: quorate bootstrap -i FILE',
    });
  }
  const directory = join(keyFolder(invocation, ports, 'env'), cluster.name);
  const files = {
    cacert: join(directory, 'ca.crt'),
    cert: join(directory, 'client.crt'),
    key: join(directory, 'client.key'),
  };
  await ports.files.write(files.key, credentials.key, { mode: 0o600, replace: true });
  await ports.files.write(files.cert, credentials.cert, { mode: 0o600, replace: true });
  await ports.files.write(files.cacert, credentials.ca, { mode: 0o600, replace: true });
  const variables = {
    ...(cluster.version.startsWith('3.4.') ? { ETCDCTL_API: '3' } : {}),
    ETCDCTL_ENDPOINTS: cluster.controllers.map((each) => each.clientUrl).join(','),
    ETCDCTL_CACERT: files.cacert,
    ETCDCTL_CERT: files.cert,
    ETCDCTL_KEY: files.key,
  };
  if (ports.ui.mode === 'json') ports.ui.json(variables);
  for (const [name, text] of Object.entries(variables)) ports.ui.out(exportLine(shell, name, text));
  return 0;
};

function shellOf(invocation: Invocation): 'sh' | 'fish' {
  const told = value(invocation, 'shell') ?? 'sh';
  if (told === 'fish') return 'fish';
  if (['sh', 'bash', 'zsh', 'dash', 'ksh'].includes(told)) return 'sh';
  throw new QuorateError('usage', `env: unknown shell "${told}"`, { hint: 'one of: sh, bash, zsh, fish' });
}

function exportLine(shell: 'sh' | 'fish', name: string, text: string): string {
  if (shell === 'fish') return `set -gx ${name} '${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}';`;
  return `export ${name}=${quote(text)}`;
}
