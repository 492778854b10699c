/** quorate lab: throw-away hosts on this machine. */
import { QuorateError } from '../domain/errors.ts';
import { type Invocation, type Verb, value } from './command.ts';

export const labUp: Verb = async (invocation, ports) => {
  const lab = await ports.lab();
  const found = await lab.up(labName(invocation), { hosts: hostCount(invocation), etcd: value(invocation, 'etcd') });
  if (ports.ui.mode === 'json') ports.ui.json(found);
  ports.ui.table({
    columns: [{ title: 'host' }, { title: 'address' }],
    rows: found.hosts.map((each) => [each.name, each.ipv4]),
  });
  ports.ui.note(
    `inventory: ${found.inventory}; next: quorate bootstrap -i ${found.inventory} --new-identity ${found.identity}`,
  );
  return 0;
};

export const labDown: Verb = async (invocation, ports) => {
  const lab = await ports.lab();
  const result = await lab.down(labName(invocation));
  if (ports.ui.mode === 'json') ports.ui.json(result);
  ports.ui.out(result.reason);
  return 0;
};

export const labList: Verb = async (_invocation, ports) => {
  const labs = await (await ports.lab()).list();
  if (ports.ui.mode === 'json') ports.ui.json(labs);
  if (labs.length === 0) ports.ui.out('there are no labs here; make one: quorate lab up NAME');
  else {
    ports.ui.table({
      columns: [{ title: 'lab' }, { title: 'host' }, { title: 'address' }, { title: 'state' }],
      rows: labs.flatMap((lab) =>
        lab.hosts.map((host) => [lab.name, host.name, host.ipv4, host.running ? 'up' : 'off']),
      ),
    });
  }
  return 0;
};

export const labSsh: Verb = async (invocation, ports) => {
  const [name, host, ...command] = invocation.args;
  if (name === undefined || host === undefined) {
    throw new QuorateError('usage', 'lab ssh: which lab, and which host?', {
      hint: 'quorate lab ssh demo controller-1',
    });
  }
  return (await ports.lab()).ssh(name, host, command);
};

function labName(invocation: Invocation): string {
  return invocation.args[0] ?? 'lab';
}

function hostCount(invocation: Invocation): number {
  const text = value(invocation, 'hosts') ?? '3';
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 50) return count;
  throw new QuorateError('usage', `--hosts ${text}: is no number of hosts`, { hint: 'give a number from 1 to 50' });
}
