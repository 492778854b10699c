/** After a turn that failed: takes back what can be, and says what is true then. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts, HostFacts } from '../domain/facts.ts';
import { versionLinked } from '../domain/layout.ts';
import { compareVersions, knownMinor } from '../domain/version.ts';
import { describe } from '../plan/describe.ts';
import { awaitGate, gateObjections, withoutHost } from './gate.ts';
import { guard } from './guard.ts';
import { runOnHost } from './parallel-stage.ts';
import { type Progress, type Run, undone, viewNow } from './run.ts';
import { listBack, tellList } from './turn-list.ts';
import { changesServed, isScripted, restarts, type Turn, versionAfter } from './turn-steps.ts';
import { undoSteps } from './undo.ts';
import { lastWords } from './unit-log.ts';

interface Failed {
  readonly turn: Turn;
  /** With the facts from before the turn. */
  readonly progress: Progress;
}

/** The error that tells all: what failed, the last words of the member's log, what was taken back, and how the member is now. */
export async function takeBack(cause: QuorateError, failed: Failed, run: Run): Promise<QuorateError> {
  const { turn, progress } = failed;
  const { host } = turn;
  const { ports } = run;
  const now = await ports.look(progress.facts, [host]);
  const words = await lastWords(ports.connections[host], ports.cluster.unit);
  const outcome = await undo(failed, now, run);
  return new QuorateError('step-failed', `${host}: ${withoutHost(cause.message, host)}; ${outcome}`, {
    host,
    step: cause.step,
    detail: [...(cause.detail ?? '').trim().split('\n'), ...words.map((each) => `${host}: ${each}`)].join('\n').trim(),
    hint: 'members whose turn had not come were not touched; mend the cause and run the same command again',
    cause,
  });
}

async function undo({ turn, progress }: Failed, now: Facts, run: Run): Promise<string> {
  const { host } = turn;
  const [before, seen] = [progress.facts.hosts[host], now.hosts[host]];
  if (before === undefined || seen === undefined) {
    return `what is true of it now is unknown: ${now.unreachable[host] ?? 'it cannot be looked at'}`;
  }
  const scripted = undoSteps(turn.steps.filter(isScripted), { before, now: seen });
  // The member first: the list is no use to it while it listens elsewhere.
  const steps = [...scripted, ...listBack(turn, progress.facts, now)];
  const closed = steps.length === 0 ? undefined : await closedWay(turn, { before: progress.facts, now }, run);
  if (closed !== undefined) {
    return `nothing was taken back: ${closed}; ${await truth(turn, { before: progress.facts, now }, run)}`;
  }
  if (steps.length === 0) return `nothing was taken back; ${await truth(turn, { before: progress.facts, now }, run)}`;
  try {
    return await runBack({ ...turn, steps }, { ...progress, facts: now }, { seen, run });
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
    return `it could not be taken back: ${withoutHost(error.message, host)}`;
  }
}

/** Once the cluster's own version is a later minor, the binary of the one before does not start on it ("invalid downgrade"). */
async function closedWay(
  { host, steps }: Turn,
  { before, now }: { readonly before: Facts; readonly now: Facts },
  run: Run,
): Promise<string | undefined> {
  const version = versionAfter(steps);
  const old = before.endpoints[host]?.version || versionLinked(run.ports.cluster, before.hosts[host]);
  if (version === undefined || old === '' || knownMinor(version) === knownMinor(old)) return undefined;
  const { operator, signal, cluster } = run.ports;
  const names = cluster.controllers.map((each) => each.name);
  const told = Object.values(await operator.versions(names, await viewNow(now, run), signal));
  const flipped = told.find(
    (each) => knownMinor(each.cluster) === knownMinor(version) && compareVersions(old, version) < 0,
  );
  return flipped && `the cluster's own version is ${flipped.cluster} now, and etcd ${old} does not start with that`;
}

async function runBack(
  turn: Turn,
  progress: Progress,
  { seen, run }: { readonly seen: HostFacts; readonly run: Run },
): Promise<string> {
  const { host, steps, stage } = turn;
  const view = await viewNow(progress.facts, run);
  guard(steps, { view, mode: 'rolling', permits: run.permits });
  const what = steps.map((each) => describe(each).text).join(', ');
  run.ports.emit({ type: 'note', host, text: `its turn failed; taking back: ${what}` });
  const scripted = steps.filter(isScripted);
  const after =
    scripted.length === 0 ? seen : await runOnHost(stage, { host, steps: scripted }, { view, progress, run });
  const restored = { ...progress.facts, hosts: { ...progress.facts.hosts, [host]: after } };
  const facts = await tellList(turn, restored, run);
  const [left] = undone(steps, await viewNow(facts, run));
  if (left !== undefined) throw left;
  const before = { ...progress.facts, hosts: { ...progress.facts.hosts, [host]: seen } };
  return `taken back (${what}); ${await truth({ ...turn, steps }, { before, now: facts }, run)}`;
}

/** How the member is, as the gate sees it. */
async function truth(
  { host, steps }: Turn,
  { before, now }: { readonly before: Facts; readonly now: Facts },
  run: Run,
): Promise<string> {
  const changed = now.hosts[host]?.unit.invocationId !== before.hosts[host]?.unit.invocationId;
  const wish = { host, before, restarted: changed && restarts(steps), prove: changesServed(steps) };
  const quick = gateObjections(run.ports.cluster, now, { ...wish, restarted: false });
  const objections = restarts(steps) || quick.length === 0 ? (await awaitGate(wish, run)).objections : quick;
  return objections.length === 0 ? 'it serves again' : `it does not serve as it should: ${objections.join('; ')}`;
}
