/** quorate member list: who is a member by the cluster's own list, and what of it the inventory has. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts, MemberFact } from '../domain/facts.ts';
import { memberList } from '../domain/health.ts';
import { entryOf, hostOf, labelOf, neverStarted } from '../domain/membership.ts';
import { serves } from '../domain/voters.ts';
import type { Verb, VerbCell, VerbTable } from './command.ts';

export const memberListVerb: Verb = async (_invocation, ports) => {
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: false });
  try {
    const { facts } = session.view;
    const list = memberList(facts);
    if (list.length === 0) throw silent(facts, session.failures);
    const rows = list.map((each) => rowOf(each, cluster, facts)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const lacking = cluster.controllers
      .filter((each) => entryOf(facts, list, each) === undefined)
      .map((each) => each.name);
    if (ports.ui.mode === 'json') ports.ui.json({ cluster: cluster.name, members: rows, notMembers: lacking });
    else {
      ports.ui.table(tableOf(rows));
      for (const name of lacking)
        ports.ui.out(`! ${name} is in the inventory, and no member: quorate member add ${name}`);
    }
    return 0;
  } finally {
    await session.close();
  }
};

interface Row {
  /** The controller's name, else the member's own, else its ID. */
  readonly name: string;
  readonly id: string;
  readonly state: 'leader' | 'voter' | 'learner' | 'never started';
  readonly healthy: boolean;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  /** Entries behind the member that is furthest; undefined where it does not answer. */
  readonly lag: number | undefined;
  readonly inInventory: boolean;
}

function rowOf(member: MemberFact, cluster: Cluster, facts: Facts): Row {
  const controller = hostOf(cluster, facts, member);
  const endpoint = controller === undefined ? undefined : facts.endpoints[controller.name];
  const answers = endpoint !== undefined && endpoint.failure === undefined;
  const leads = answers && endpoint.leaderId === member.id;
  const furthest = Math.max(...Object.values(facts.endpoints).map((each) => each.raftAppliedIndex));
  const { id, peerUrls, clientUrls, learner } = member;
  return {
    name: labelOf(cluster, facts, member),
    id,
    state: neverStarted(member) ? 'never started' : learner ? 'learner' : leads ? 'leader' : 'voter',
    healthy: controller !== undefined && (serves(facts, controller.name) || (answers && endpoint.learner)),
    peerUrls,
    clientUrls,
    lag: answers ? furthest - endpoint.raftAppliedIndex : undefined,
    inInventory: controller !== undefined,
  };
}

function tableOf(rows: readonly Row[]): VerbTable {
  return {
    columns: [
      { title: 'member' },
      { title: 'id' },
      { title: 'state' },
      { title: 'health' },
      { title: 'lag', align: 'right', optional: true },
      { title: 'peer URLs' },
      { title: 'client URLs', optional: true },
    ],
    rows: rows.map((each): readonly VerbCell[] => [
      each.inInventory ? each.name : { text: `${each.name} (not in the inventory)`, level: 'warn' },
      each.id,
      each.state === 'leader' || each.state === 'voter' ? each.state : { text: each.state, level: 'warn' },
      each.healthy
        ? { text: 'healthy', level: 'good' }
        : { text: each.inInventory ? 'down' : 'not asked', level: 'bad' },
      each.lag === undefined ? '-' : String(each.lag),
      each.peerUrls.join(' '),
      each.clientUrls.join(' ') || '-',
    ]),
  };
}

function silent(facts: Facts, failures: readonly QuorateError[]): QuorateError {
  const said = Object.values(facts.endpoints).flatMap((each) => each.failure ?? []);
  const all = [...failures.map((each) => each.message), ...said];
  return new QuorateError(
    'unreachable',
    `no member answers: ${all.join('; ') || 'the state directory has no certificate to ask with'}`,
    {
      hint: 'quorate status -i FILE and quorate doctor -i FILE tell why',
    },
  );
}
