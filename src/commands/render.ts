/** quorate render: what would land on each host, offline, less keys, certificates and token. */
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { ATTEMPT_FILE, MARKER_FILE, pkiLink } from '../domain/layout.ts';
import { type Verb, value } from './command.ts';

export const render: Verb = async (invocation, ports) => {
  const out = value(invocation, 'out');
  if (out === undefined)
    throw new QuorateError('usage', 'render: --out DIR is missing', { hint: 'quorate render --out DIR' });
  const cluster = await ports.cluster();
  const hosts = await ports.render(cluster);
  const written: string[] = [];
  for (const [host, files] of Object.entries(hosts)) {
    for (const file of files) {
      const path = join(out, host, file.path);
      await ports.files.write(path, file.content, { mode: Number.parseInt(file.mode, 8), replace: true });
      written.push(path);
    }
  }
  const left = [
    `${pkiLink(cluster)}/*.key: made on each host`,
    `${pkiLink(cluster)}/*.crt: issued for those keys`,
    `the cluster's token: made by bootstrap (${ATTEMPT_FILE}, ${MARKER_FILE} and initial-cluster-token)`,
  ];
  if (ports.ui.mode === 'json') ports.ui.json({ written, notRendered: left });
  for (const path of written) ports.ui.out(path);
  for (const line of left) ports.ui.note(`not rendered: ${line}`);
  return 0;
};
