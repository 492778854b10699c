/** What hosts will be after stages that have not run yet, so that the stages behind them can be planned as data. Pure. */
import { createHash } from 'node:crypto';
import type { Facts, FileFact, HostFacts } from '../domain/facts.ts';
import type { Use } from '../domain/pki-view.ts';
import type { Stage } from '../domain/plan.ts';
import type { RunWish } from '../domain/run-record.ts';
import type { Step } from '../domain/step.ts';
import { trustBundle } from './certificates.ts';
import { fillToken } from './need.ts';
import type { View } from './view.ts';

/** The view after files, binaries and restarts of these stages; other steps leave it as it is. */
export function foresee(view: View, stages: readonly Stage[]): View {
  const steps = stages.flatMap((each) => each.steps);
  return { ...view, facts: steps.reduce((facts, step) => after(facts, step, view), view.facts) };
}

function after(facts: Facts, step: Step, view: View): Facts {
  const host = facts.hosts[step.host];
  if (host === undefined) return facts;
  const changed = hostAfter(host, step, view);
  return changed === host ? facts : { ...facts, hosts: { ...facts.hosts, [step.host]: changed } };
}

function hostAfter(host: HostFacts, step: Step, view: View): HostFacts {
  switch (step.kind) {
    case 'file.put': {
      const { path, mode, owner, group } = step;
      return withFiles(host, [
        [path, { kind: 'file', mode, owner, group, sha256: sha256(fillToken(step.content, view)) }],
      ]);
    }
    case 'binary.install': {
      const file = (name: string): FileFact => ({
        kind: 'file',
        mode: '0755',
        owner: 'root',
        group: 'root',
        sha256: `${name} ${step.version}`,
      });
      return withFiles(
        host,
        step.names.map((name) => [`${step.directory}/${name}`, file(name)]),
      );
    }
    case 'binary.link':
      return withFiles(
        host,
        step.names.map((name) => [`${step.binDir}/${name}`, { kind: 'link', target: `${step.directory}/${name}` }]),
      );
    case 'unit.restart':
      return { ...host, unit: { ...host.unit, activeState: 'active' }, run: runAfter(host, step, view) };
    default:
      return host;
  }
}

function runAfter(
  { run, files }: HostFacts,
  { wish, binary, trust }: Step<'unit.restart'>,
  { pki }: View,
): HostFacts['run'] {
  const file = binary === undefined ? undefined : files[binary];
  const bundle = (use: Use): string => sha256(trustBundle(pki.authorities, trust?.[use] ?? []) ?? '');
  const started: RunWish = {
    ...wish,
    ...(file?.kind === 'file' ? { binarySha256: file.sha256 } : {}),
    ...(trust === undefined ? {} : { caSha256: bundle('client'), peerCaSha256: bundle('peer') }),
  };
  const unknown = {
    invocationId: '',
    configSha256: '',
    caSha256: '',
    peerCaSha256: '',
    binarySha256: '',
    unitSha256: '',
  };
  return { ...unknown, ...run, ...started };
}

function withFiles(host: HostFacts, entries: readonly (readonly [string, FileFact])[]): HostFacts {
  return { ...host, files: { ...host.files, ...Object.fromEntries(entries) } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
