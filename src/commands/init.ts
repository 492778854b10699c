/** quorate init: a commented inventory for these hosts; asks on a terminal, never overwrites. */
import { resolve } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { parseHostArgument } from '../inventory/host-argument.ts';
import { type ScaffoldHost, scaffoldInventory } from '../inventory/scaffold.ts';
import { type HostTarget, type Invocation, type Ports, type Verb, value } from './command.ts';

export const init: Verb = async (invocation, ports) => {
  const path = resolve(ports.operator.directory, value(invocation, 'out') ?? 'quorate.yml');
  if (await ports.files.exists(path)) {
    throw new QuorateError('usage', `${path}: exists already, and is never overwritten`, {
      hint: 'name another file: quorate init --out FILE …',
    });
  }
  const targets = (await targetTexts(invocation, ports)).map(parseHostArgument);
  const found = await ports.discover(targets);
  const hosts = targets.map((target, index): ScaffoldHost => {
    const seen = found[index];
    if (seen === undefined || 'failure' in seen) {
      if (seen !== undefined) ports.ui.warn(`${seen.failure}: its name and private address are guesses`);
      return { ...target, name: guessName(target, index) };
    }
    const { hostname, addresses } = seen;
    const privateAddress = choosePrivate(target.host, addresses);
    return {
      ...target,
      name: hostname === '' ? guessName(target, index) : (hostname.split('.')[0] ?? hostname),
      privateAddress,
    };
  });
  const version = value(invocation, 'etcd');
  const text = scaffoldInventory({ cluster: value(invocation, 'name') ?? 'etcd', version, hosts });
  await ports.files.write(path, text, { mode: 0o644, replace: false });
  if (ports.ui.mode === 'json') ports.ui.json({ written: path, hosts });
  ports.ui.out(`wrote ${path}`);
  ports.ui.note(`next: quorate validate -i ${path}, then quorate plan -i ${path}`);
  return 0;
};

async function targetTexts(invocation: Invocation, ports: Ports): Promise<readonly string[]> {
  if (invocation.args.length > 0) return invocation.args;
  const answer = await ports.ui.askText({
    question: 'Hosts, separated by spaces ([user@]host[:port])',
    instead: 'the hosts as arguments: quorate init root@10.0.0.11 …',
  });
  return answer.split(/[\s,]+/).filter((each) => each !== '');
}

function guessName(target: HostTarget, index: number): string {
  return /^[a-z][a-z0-9-]*$/.test(target.host) ? target.host : `etcd-${index + 1}`;
}

/** The address that the host itself has, when it is not the one that SSH dials. */
function choosePrivate(host: string, addresses: readonly string[]): string | undefined {
  if (addresses.includes(host)) return undefined;
  return addresses.find((each) => /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(each)) ?? addresses[0];
}
