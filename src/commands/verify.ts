/** quorate verify: a battery against the live cluster. Writes nothing but the proof's own key, which it removes again. */
import { type Check, checksStatus, worstState } from '../domain/check.ts';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { type Answer, divergenceCheck, driftCheck, proofCheck } from '../domain/evidence-checks.ts';
import { printJunit } from '../domain/junit.ts';
import { stateChecks } from '../domain/state-checks.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { stateOf } from '../plan/certificate-report.ts';
import { describe } from '../plan/describe.ts';
import { planDrift } from '../plan/drift.ts';
import { flag, type Verb, type VerbCell, type VerbUi, value } from './command.ts';
import { type Examination, examine } from './examine.ts';

export const verify: Verb = async (invocation, ports) => {
  const junit = value(invocation, 'junit');
  const readOnly = flag(invocation, 'readOnly');
  const cluster = await ports.clusterAt(undefined);
  const checks = await examine(cluster, ports, (seen) => runChecks(seen, { readOnly }));
  const text = printJunit(cluster.name, checks, ports.now());
  if (junit !== undefined) await ports.files.write(junit, text, { mode: 0o644, replace: true });
  if (ports.ui.mode === 'json') ports.ui.json(toJson(cluster, checks, ports.now()));
  else show(cluster, checks, ports.ui);
  return checksStatus(checks);
};

async function runChecks(seen: Examination, { readOnly }: { readonly readOnly: boolean }): Promise<readonly Check[]> {
  const { view, health, metrics, session, notAsked } = seen;
  const elections = await countElections(seen);
  const answering = Object.values(view.facts.endpoints).flatMap((each) => (each.failure === undefined ? [each] : []));
  const voters = answering.filter((each) => !each.learner).map((each) => each.host);
  const silent = answering.length === 0 ? (notAsked ?? 'no member answers') : undefined;
  const ask = async <T>(answer: () => Promise<T>): Promise<Answer<T>> => {
    if (silent !== undefined) return { failure: silent };
    return answer().then((found) => ({ value: found }), failureOf);
  };
  const hashes = await ask(() => session.inquiry.hashes(voters));
  const proof = await ask(async () => {
    const hosts = answering.map((each) => each.host);
    return (await session.inquiry.prove(hosts, { readOnly })).map((each) => each.message);
  });
  return [
    ...stateChecks({ facts: view.facts, health, metrics, elections }),
    divergenceCheck(hashes),
    proofCheck(proof, { readOnly }),
    certificatesCheck(seen),
    driftCheck(driftOf(seen)),
  ];
}

function failureOf(error: unknown): { readonly failure: string } {
  if (error instanceof QuorateError) return { failure: error.message };
  throw error;
}

/** Elections of the last hour, as the member saw them that saw most. */
async function countElections({ session, view }: Examination): Promise<number | undefined> {
  const wish = { level: 'fatal', also: ['elected leader'], follow: false } as const;
  const since = { agoMs: 3_600_000 };
  const read = session.inquiry.journals(Object.keys(view.facts.hosts), { ...wish, since, lines: 1_000 });
  const counts = new Map<string, number>();
  for await (const { host, message } of read.lines) {
    if (message.includes('elected leader')) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return read.failures.length === Object.keys(view.facts.hosts).length ? undefined : Math.max(0, ...counts.values());
}

function certificatesCheck({ certificates: { state, rows } }: Examination): Check {
  const bad = rows.filter((row) => stateOf(row) !== 'ok');
  const details = bad.flatMap((row) => row.findings.map((finding) => `${row.where}: ${finding.text}`));
  const title = 'certificates are valid, served and trusted, and do not end soon';
  return { id: 'certificates', title, state, seen: `${rows.length - bad.length} of ${rows.length} ok`, details };
}

/** Steps that planning finds on a formed cluster; why it cannot be planned otherwise. */
function driftOf({ view, session }: Examination): Answer<readonly string[]> {
  const missing = session.failures.map((each) => each.message);
  if (missing.length > 0) return { failure: `not all hosts were seen: ${missing.join('; ')}` };
  const verdict = judgeCluster(view.cluster, view.facts, view.identity);
  if (verdict.kind === 'refused') return { failure: verdict.message };
  if (verdict.kind !== 'formed') return { failure: 'this cluster has not been formed yet' };
  const unmarked = verdict.unmarked.map((host) => `${host}: is not marked as formed`);
  const steps = planDrift(view).stages.flatMap((stage) => stage.steps);
  return { value: [...unmarked, ...steps.map((step) => `${step.host}: ${describe(step).text} (${step.why})`)] };
}

function show({ name }: Cluster, checks: readonly Check[], ui: VerbUi): void {
  ui.table({
    columns: [{ title: 'check' }, { title: 'state' }, { title: 'seen' }, { title: 'wanted', optional: true }],
    rows: checks.map(({ id, title, state, seen }): readonly VerbCell[] => [
      id,
      { text: state, level: ({ ok: 'good', warning: 'warn', critical: 'bad', skipped: 'faint' } as const)[state] },
      seen,
      title,
    ]),
  });
  for (const { id, details } of checks) for (const each of details) ui.out(`! ${id}: ${each}`);
  ui.out(`cluster ${name}: ${worstState(checks)}`);
}

function toJson({ name }: Cluster, checks: readonly Check[], now: number) {
  return { cluster: name, at: new Date(now).toISOString(), state: worstState(checks), checks };
}
