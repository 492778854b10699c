/** How a step reads in a plan, and what it risks. */
import type { Step, StepKind } from '../domain/step.ts';
import { checksBefore, goalText, heldBy, keptKeys, minorText, signers } from './step-words.ts';

/** `+` makes, `~` changes, `-` removes, `!` stops or starts something that serves. */
export interface Description {
  readonly sign: '+' | '~' | '-' | '!';
  readonly text: string;
}

/** `disruptive` steps pass the guard; `irreversible` ones need a name given by the operator. */
export type Risk = 'safe' | 'disruptive' | 'irreversible';

type Rows = {
  readonly [K in StepKind]: { readonly risk: Risk; readonly describe: (step: Step<K>) => Description };
};

const rows: Rows = {
  'store.create': { risk: 'safe', describe: () => plus('give the cluster its UUID and token in the state directory') },
  'authority.make': {
    risk: 'safe',
    describe: (step) => plus(`make the certificate authorities: ${step.purposes.join(', ')} (keys encrypted with age)`),
  },
  'authority.succeed': {
    risk: 'safe',
    describe: ({ ids }) =>
      plus(`make the next authorities ${ids.join(', ')}, and have their predecessors sign them too`),
  },
  'authority.activate': { risk: 'safe', describe: ({ ids }) => change(`sign with ${ids.join(', ')} from now on`) },
  'authority.retire': { risk: 'safe', describe: ({ ids }) => change(`trust ${ids.join(', ')} no more`) },
  'authority.uncross': {
    risk: 'safe',
    describe: ({ ids }) => change(`want certificates of ${ids.join(', ')} served without the cross certificate`),
  },
  'authority.abandon': {
    risk: 'safe',
    describe: ({ ids }) => change(`give ${ids.join(', ')} up: predecessors sign again`),
  },
  'authority.replace': {
    risk: 'safe',
    describe: ({ ids }) =>
      change(`${ids.join(', ')} ${ids.length === 1 ? 'takes' : 'take'} the place of what has expired`),
  },
  'authority.renew': {
    risk: 'safe',
    describe: ({ renewals: [first, ...more] }) => {
      const ids = [first, ...more].map((each) => each?.id).join(', ');
      return plus(`certify ${ids} anew, with ${more.length > 0 ? 'their keys and subjects' : 'its key and subject'}`);
    },
  },
  'authority.import': {
    risk: 'safe',
    describe: ({ authority }) => plus(`take in ${authority}, which signs elsewhere, and trust it from now on`),
  },
  'certificate.accept': {
    risk: 'safe',
    describe: ({ certificates }) => plus(`take in what was signed elsewhere: ${heldBy(certificates)}`),
  },
  'admin.key': { risk: 'safe', describe: () => plus("make the operator's own key (encrypted with age)") },
  'revocation.refresh': {
    risk: 'safe',
    describe: ({ uses }) => plus(`sign the revocation list${uses.length > 1 ? 's' : ''} for ${uses.join(', ')} anew`),
  },
  'admin.issue': { risk: 'safe', describe: () => plus("issue the operator's client certificate (CN=root)") },
  'goal.set': { risk: 'safe', describe: ({ goal }) => plus(`note the goal in the state directory: ${goalText(goal)}`) },
  'goal.close': { risk: 'safe', describe: ({ goal }) => change(`note that the goal is met: ${goalText(goal)}`) },
  'release.fetch': {
    risk: 'safe',
    describe: (step) => plus(`fetch etcd ${step.version} for ${step.architecture} from ${step.from}`),
  },
  'package.hold': {
    risk: 'disruptive',
    describe: ({ unit, packages }) =>
      unit === ''
        ? change(`hold ${packages.join(', ')}`)
        : bang(`stop the distribution's ${unit} and hold ${packages.join(', ')}`),
  },
  'user.ensure': { risk: 'safe', describe: (step) => plus(`system user and group ${step.user}`) },
  'directory.ensure': {
    risk: 'safe',
    describe: (step) => plus(`directory ${step.path} (${step.mode} ${step.owner}:${step.group})`),
  },
  'binary.install': {
    risk: 'safe',
    describe: (step) => plus(`etcd ${step.version} in ${step.directory}, from ${step.from}`),
  },
  'binary.link': {
    risk: 'safe',
    describe: (step) => change(`${step.names.join(', ')} in ${step.binDir} → ${step.directory}`),
  },
  'generation.prepare': {
    risk: 'safe',
    describe: (step) => plus(`directory ${step.directory}${keptKeys(step)}`),
  },
  'key.make': {
    risk: 'safe',
    describe: (step) =>
      plus(`private keys (${step.purposes.join(', ')}: ${step.algorithm}) in ${step.directory}, made on the host`),
  },
  'cert.issue': {
    risk: 'safe',
    describe: (step) => plus(`issue ${signers(step.leaves)} certificates for ${step.member}`),
  },
  'pki.put': {
    risk: 'safe',
    describe: (step) => {
      const lists = step.crls.length > 0 ? ', revocation lists' : '';
      const { client, peer } = step.trust;
      const trusted = `clients: ${client.join(', ')}; peers: ${peer.join(', ')}`;
      return plus(`certificates${lists} and trust bundles (${trusted}) in ${step.directory}`);
    },
  },
  'pki.switch': { risk: 'safe', describe: (step) => change(`${step.link} → ${step.target}`) },
  'generation.prune': {
    risk: 'safe',
    describe: ({ folder, target, requests }) => {
      const also = requests === undefined ? '' : `, and ${requests}`;
      return { sign: '-', text: `remove every generation in ${folder} but ${target}${also}` };
    },
  },
  'file.put': {
    risk: 'safe',
    describe: (step) => change(`${step.path} (${step.mode} ${step.owner}:${step.group})`),
  },
  'file.remove': { risk: 'safe', describe: (step) => ({ sign: '-', text: `remove ${step.path}` }) },
  'record.attempt': { risk: 'safe', describe: () => plus('note that this host takes part in forming the cluster') },
  'unit.enable': { risk: 'safe', describe: (step) => change(`${step.unit} starts at boot`) },
  'unit.start': {
    risk: 'disruptive',
    describe: (step) => bang(`start ${step.unit} (initial-cluster-state ${step.state})`),
  },
  'unit.restart': {
    risk: 'disruptive',
    describe: (step) => bang(`restart ${step.unit}${step.outage ? ', together with the others' : ''}`),
  },
  'cluster.await': {
    risk: 'safe',
    describe: (step) =>
      change(
        `wait until ${step.members.length === 1 ? 'the member is' : `all ${step.members.length} members are`} healthy`,
      ),
  },
  'cluster.prove': {
    risk: 'safe',
    describe: () => change('prove identity, agreement, mutual authentication and the certificates served'),
  },
  'certificates.prove': {
    risk: 'safe',
    describe: ({ what, members }) => change(`prove on ${members.join(', ')}: ${what}`),
  },
  'revocation.prove': {
    risk: 'safe',
    describe: ({ members, uses }) =>
      change(`prove on ${members.join(', ')}: ${uses.join(' and ')} ports refuse a revoked certificate, and no other`),
  },
  'member.add': {
    risk: 'disruptive',
    describe: ({ member, peerUrl }) => bang(`add ${member} (${peerUrl}) to the cluster, as a learner`),
  },
  'member.await': {
    risk: 'safe',
    describe: ({ member }) => change(`wait until ${member} has started and caught up`),
  },
  'member.promote': { risk: 'disruptive', describe: ({ member }) => bang(`give ${member} its vote`) },
  'member.remove': {
    risk: 'disruptive',
    describe: ({ member, memberId }) => bang(`remove ${member} (${memberId}) from the cluster`),
  },
  'member.update': {
    risk: 'disruptive',
    describe: ({ host, memberId, peerUrls }) => bang(`have ${host} (${memberId}) dialled at ${peerUrls.join(', ')}`),
  },
  'leader.move': {
    risk: 'disruptive',
    describe: ({ to }) => bang(to === '' ? 'move leadership to another member' : `move leadership to ${to}`),
  },
  'data.prove': { risk: 'safe', describe: () => change('prove that all voters hold the same data') },
  'alarm.disarm': {
    risk: 'disruptive',
    describe: ({ memberId, alarm }) => bang(`take back the alarm ${alarm} of member ${memberId}, which is gone`),
  },
  'snapshot.save': {
    risk: 'safe',
    describe: ({ version }) =>
      plus(
        `save a snapshot of etcd ${version}'s data in the state directory, whole and checked (it holds every secret in etcd)`,
      ),
  },
  'version.check': {
    risk: 'safe',
    describe: ({ from, to }) => change(`prove that ${from} → ${to} may begin: ${checksBefore(to)}`),
  },
  'version.await': {
    risk: 'safe',
    describe: ({ version }) => change(`wait until the cluster's own version is ${minorText(version)}`),
  },
  'raft.snapshot': {
    risk: 'safe',
    describe: ({ members }) =>
      change(`write until ${members.join(', ')} have a raft snapshot past every entry that there is now`),
  },
  'downgrade.enable': {
    risk: 'safe',
    describe: ({ minor }) => change(`let the cluster go down to ${minor}, and wait until all data has its form`),
  },
  'downgrade.cancel': { risk: 'safe', describe: () => change('let the cluster go down no more') },
  'formation.note': {
    risk: 'safe',
    describe: () => plus('note in the state directory that the cluster has been formed'),
  },
  'formation.forget': {
    risk: 'irreversible',
    describe: () => bang('forget in the state directory that the cluster has been formed'),
  },
  'marker.put': {
    risk: 'safe',
    describe: ({ adopted }) =>
      plus(
        adopted === undefined
          ? 'mark: this cluster has been healthy'
          : `mark: member ${adopted.memberId} of cluster ${adopted.clusterId}`,
      ),
  },
  'unit.stop': { risk: 'irreversible', describe: (step) => bang(`stop ${step.unit}`) },
  'unit.disable': { risk: 'irreversible', describe: (step) => change(`${step.unit} no longer starts at boot`) },
  'data.own': {
    risk: 'disruptive',
    describe: (step) => change(`stop it, and give ${step.path}/${step.entry} to ${step.user}`),
  },
  'data.aside': {
    risk: 'irreversible',
    describe: ({ path, entry }) => bang(`move the data in ${path}/${entry} aside`),
  },
  'data.delete': {
    risk: 'irreversible',
    describe: ({ path, entry }) => bang(`DELETE ${path}/${entry} and all data in it`),
  },
  'path.remove': { risk: 'irreversible', describe: (step) => ({ sign: '-', text: `remove ${step.paths.join(', ')}` }) },
};

export function describe(step: Step): Description {
  return describeRow(step);
}

export function riskOf(step: Step): Risk {
  return rows[step.kind].risk;
}

function describeRow<K extends StepKind>(step: Step<K>): Description {
  return rows[step.kind].describe(step);
}

function plus(text: string): Description {
  return { sign: '+', text };
}

function change(text: string): Description {
  return { sign: '~', text };
}

function bang(text: string): Description {
  return { sign: '!', text };
}
