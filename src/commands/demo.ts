/** quorate lab demo: from nothing to a TLS cluster on three throw-away hosts, and the commands to try next. */
import { bootstrap } from './bootstrap.ts';
import type { Verb } from './command.ts';
import { status } from './status.ts';

const NAME = 'demo';

export const demo: Verb = async (_invocation, ports) => {
  const lab = await ports.lab();
  const found = await lab.up(NAME, { hosts: 3, etcd: undefined });
  const known = await ports.files.exists(found.identity);
  const options = { inventory: found.inventory, yes: true };
  const first = known ? options : { ...options, newIdentity: found.identity };
  const forming = ports.withOptions(first);
  // A run has one JSON document: that of the status.
  await bootstrap({ args: [], options: first }, { ...forming, ui: { ...forming.ui, json: () => undefined } });
  const code = await status({ args: [], options }, ports.withOptions(options));
  const [host = ''] = found.hosts.map((each) => each.name);
  const inventory = `.lab/${NAME}/quorate.yml`;
  for (const line of [
    '',
    'try next:',
    `  node bin/quorate.js status -i ${inventory}`,
    `  node bin/quorate.js plan -i ${inventory}`,
    `  node bin/quorate.js lab ssh ${NAME} ${host} sudo bash --login -c "'etcdctl endpoint health'"`,
    `  eval "$(node bin/quorate.js env -i ${inventory} --out .lab/${NAME}/env)" && etcdctl member list`,
    '  npm run demo:down',
  ]) {
    ports.ui.out(line);
  }
  return code;
};
