/** quorate env: exports with which etcdctl works on the operator's machine, the client certificate included. */
import { join, resolve } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { quote } from '../domain/shell-quote.ts';
import { type Invocation, type Ports, type Verb, value } from './command.ts';

export const env: Verb = async (invocation, ports) => {
  const shell = shellOf(invocation);
  const cluster = await ports.cluster();
  const credentials = await ports.credentials(cluster);
  if (credentials === undefined) {
    throw new QuorateError('refused', `${cluster.name}: the state directory holds no client certificate yet`, {
      hint: 'bootstrap the cluster first: quorate bootstrap -i FILE',
    });
  }
  const directory = join(directoryFor(invocation, ports), cluster.name);
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

/** Plaintext keys go to memory that ends with the login, or where the operator says. */
function directoryFor(invocation: Invocation, ports: Ports): string {
  const told = value(invocation, 'out');
  if (told !== undefined) return resolve(ports.operator.directory, told);
  const runtime = ports.operator.env['XDG_RUNTIME_DIR'];
  if (runtime === undefined || runtime === '') {
    throw new QuorateError(
      'usage',
      'env: XDG_RUNTIME_DIR is not set, so there is no place for a plaintext key that ends with the login',
      {
        hint: 'name one: quorate env --out DIR (a folder that only you can read)',
      },
    );
  }
  return join(runtime, 'quorate');
}

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
