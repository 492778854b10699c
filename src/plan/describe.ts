/** How a step reads in a plan, and what it risks. */
import type { Step, StepKind } from '../domain/step.ts';

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
  'admin.issue': { risk: 'safe', describe: () => plus("issue the operator's client certificate (CN=root)") },
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
  'key.make': {
    risk: 'safe',
    describe: (step) => plus(`private keys (${step.algorithm}) in ${step.directory}, made on the host`),
  },
  'cert.issue': {
    risk: 'safe',
    describe: (step) => plus(`issue ${step.purposes.join(', ')} certificates for ${step.member}`),
  },
  'pki.put': { risk: 'safe', describe: (step) => plus(`certificates and trust bundles in ${step.directory}`) },
  'pki.switch': { risk: 'safe', describe: (step) => change(`${step.link} → ${step.target}`) },
  'file.put': {
    risk: 'safe',
    describe: (step) => change(`${step.path} (${step.mode} ${step.owner}:${step.group})`),
  },
  'record.attempt': { risk: 'safe', describe: () => plus('note that this host takes part in forming the cluster') },
  'unit.enable': { risk: 'safe', describe: (step) => change(`${step.unit} starts at boot`) },
  'unit.start': {
    risk: 'disruptive',
    describe: (step) => bang(`start ${step.unit} (initial-cluster-state ${step.state})`),
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
  'formation.note': {
    risk: 'safe',
    describe: () => plus('note in the state directory that the cluster has been formed'),
  },
  'formation.forget': {
    risk: 'irreversible',
    describe: () => bang('forget in the state directory that the cluster has been formed'),
  },
  'marker.put': { risk: 'safe', describe: () => plus('mark: this cluster has been healthy') },
  'unit.stop': { risk: 'irreversible', describe: (step) => bang(`stop ${step.unit}`) },
  'unit.disable': { risk: 'irreversible', describe: (step) => change(`${step.unit} no longer starts at boot`) },
  'data.aside': { risk: 'irreversible', describe: (step) => bang(`move ${step.path} aside`) },
  'data.delete': { risk: 'irreversible', describe: (step) => bang(`DELETE ${step.path} and all data in it`) },
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
