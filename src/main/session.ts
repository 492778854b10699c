/** An open session with the hosts of a cluster: connects, observes, shows plans, and runs them under the lock. */
import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from '../apply/execute.ts';
import type { HeldLock, LockLook } from '../apply/lock.ts';
import type { Session, SessionWish } from '../commands/command.ts';
import type { Cluster } from '../domain/cluster.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { hostsOf } from '../domain/membership.ts';
import type { PkiView } from '../domain/pki-view.ts';
import type { Plan } from '../domain/plan.ts';
import { preflight } from '../domain/preflight.ts';
import { awaitsLeader } from '../domain/voters.ts';
import { forbiddenStreams } from '../etcd/reach.ts';
import { identityOf } from '../plan/identity.ts';
import { planToJson, sameSteps } from '../plan/saved-plan.ts';
import type { View } from '../plan/view.ts';
import { openAll, type Transports } from '../transport/open.ts';
import type { Ui } from '../ui/output.ts';
import { signOnHost } from './external-steps.ts';
import { inquiryOf } from './inquiry.ts';
import { openRun } from './interrupts.ts';
import { type Looked, lockAndLook, lockHosts, requireLockable, unlockHosts } from './locking.ts';
import { hostProbe, lookAgain, lookAtAll } from './look.ts';
import { planView } from './plan-view.ts';
import { runPorts } from './run-ports.ts';
import type { SessionInput } from './session-input.ts';

/**
 * Connects to every host at once and looks at it.
 * @throws QuorateError unreachable, untrusted: every host that failed, where all are required
 */
export async function openSession(input: SessionInput): Promise<Session> {
  const { cluster, wish, ui, process } = input;
  const transports = await openAll(hostsOf(cluster), {
    env: process.env,
    acceptNewHostKeys: input.acceptNewHostKeys,
    askSecret: ui.terminal.interactive
      ? (question) => ui.askSecret({ question, instead: 'it in the environment variable that the inventory names' })
      : undefined,
  });
  try {
    requireHosts(cluster, transports.failures, wish);
    const first = await lookSettled(input, transports);
    requireHosts(cluster, first.failures, wish);
    return sessionOf(input, transports, first);
  } catch (error) {
    await transports.close();
    throw error;
  }
}

interface Look {
  readonly view: View;
  readonly failures: readonly QuorateError[];
}

function sessionOf(input: SessionInput, transports: Transports, first: Look): Session {
  const { cluster, ui, wish } = input;
  let seen = first;
  let atEnd: Facts | undefined;
  let releasing: Promise<void> = Promise.resolve();
  return {
    get view() {
      return seen.view;
    },
    get failures() {
      return [...transports.failures, ...seen.failures];
    },
    inquiry: inquiryOf({
      ...{ cluster, connections: transports.connections, view: () => seen.view, redact: input.redact },
      ...{ credentials: () => input.operator.credentialsIfAny(), now: () => input.process.now() },
    }),
    preflight: async () => {
      checkHosts(cluster, seen.view.facts, ui);
      const forbidden = await forbiddenStreams(cluster, transports.connections);
      if (forbidden.length > 0) throw combineErrors(`sshd forbids forwarding on ${forbidden.length} hosts`, forbidden);
    },
    refresh: async () => {
      if (atEnd === undefined) await releasing;
      seen = await (atEnd === undefined ? look(input, transports) : lookAtEndpoints(input, transports, atEnd));
      atEnd = undefined;
      return seen.view;
    },
    show: async (plan, to) => ui.plan(await planView(plan, seen.view, input.verbose), to),
    toJson: planToJson,
    apply: async (plan, replan) => {
      requireLockable(plan, seen.view, transports.connections);
      await releasing;
      const onRelease = (released: Promise<void>): void => {
        releasing = released;
      };
      atEnd = await run(plan, { input, transports, onRelease }, async (looked) => {
        seen = await look(input, transports, looked);
        requireHosts(cluster, seen.failures, wish);
        requireSame(plan, replan(seen.view));
        return seen.view.facts;
      });
    },
    sign: (host, texts) => {
      const connection = transports.connections.get(host);
      if (connection === undefined) throw new QuorateError('unreachable', `${host}: is not connected`, { host });
      return signOnHost(connection, texts);
    },
    unlock: () => unlockHosts(seen.view.facts, transports.connections),
    close: async () => {
      await releasing;
      await transports.close();
    },
  };
}

function requireHosts(cluster: Cluster, failures: readonly QuorateError[], wish: SessionWish): void {
  // Who is to leave may be gone already.
  const missing = failures.filter(({ host }) => cluster.controllers.some(({ name }) => name === host));
  if (!wish.requireAll || missing.length === 0) return;
  const summary = `${missing.length} of ${cluster.controllers.length} hosts cannot be reached`;
  throw combineErrors(summary, missing);
}

function checkHosts(cluster: Cluster, facts: Facts, ui: Ui): void {
  const problems = preflight(cluster, facts);
  for (const each of problems.filter(({ level }) => level === 'warn')) ui.warn(each.message);
  const refused = problems
    .filter(({ level }) => level === 'refuse')
    .map(({ host, message, hint }) => new QuorateError('refused', message, { host, hint }));
  if (refused.length > 0) throw combineErrors(`${refused.length} things stand in the way`, refused);
}

async function look(input: SessionInput, transports: Transports, looked?: Looked): Promise<Look> {
  const { cluster, desired, operator, process } = input;
  const { facts, failures } = await lookAtAll({
    ...{ cluster, desired, transports, now: process.now },
    credentials: async () => (input.wish.endpoints ? operator.credentialsIfAny() : undefined),
    v2Log: input.wish.versions,
    looked,
  });
  // Behind what `looked` has waited for: another run may have changed the store until then.
  return { view: viewOf(input, facts, await operator.pki()), failures };
}

/** Elections of etcd take one or two seconds, rarely more. */
const ELECTION_MS = 10_000;
const AGAIN_MS = 250;

async function lookSettled(input: SessionInput, transports: Transports): Promise<Look> {
  const { cluster, process, wish } = input;
  const deadline = process.now() + ELECTION_MS;
  for (;;) {
    const seen = await look(input, transports);
    if (wish.settled !== true || process.now() > deadline || !awaitsLeader(cluster, seen.view.facts)) return seen;
    await sleep(AGAIN_MS);
  }
}

/** Endpoints anew, and hosts as their last scripts left them. */
async function lookAtEndpoints(input: SessionInput, transports: Transports, known: Facts): Promise<Look> {
  const { cluster, desired, operator, process } = input;
  const pki = await operator.pki();
  const credentials = async () => (input.wish.endpoints ? operator.credentialsIfAny() : undefined);
  const facts = await lookAgain({ cluster, desired, transports, credentials, now: process.now }, known, []);
  return { view: viewOf(input, facts, pki), failures: [] };
}

function viewOf(input: SessionInput, facts: Facts, pki: PkiView): View {
  const { cluster, desired, process, render } = input;
  const checksums = input.operator.checksums();
  return {
    cluster,
    facts,
    pki,
    identity: identityOf(cluster, pki.identity, facts),
    desired,
    checksums,
    now: process.now(),
    ...(render === undefined ? {} : { render }),
    ...(input.atVersion === undefined ? {} : { atVersion: input.atVersion }),
  };
}

/** What was shown and confirmed is what runs: the hosts may have changed since, or another run have ended meanwhile. */
function requireSame(shown: Plan, fresh: Plan): void {
  if (sameSteps(shown, fresh)) return;
  throw new QuorateError('stale-plan', 'the hosts have changed since the plan was shown; nothing was done', {
    hint: 'run the same command again and look at the new plan',
  });
}

interface Surroundings {
  readonly input: SessionInput;
  readonly transports: Transports;
  /** Told when the lock is given back: what only looks need not wait for that. */
  readonly onRelease: (released: Promise<void>) => void;
}

/** Facts that the last stage took of every host at its end; undefined where it did not run on all of them. */
async function run(
  plan: Plan,
  { input, transports, onRelease }: Surroundings,
  lookUnderLock: (looked: Looked) => Promise<Facts>,
): Promise<Facts | undefined> {
  const { cluster, ui, process } = input;
  const since = process.now();
  await input.operator.prepare(plan);
  const { lock, seen: facts } = await lockAll(plan, { input, transports }, lookUnderLock);
  const progress = await ui.openProgress();
  const interrupts = openRun(ui, process);
  let outcome: 'done' | 'failed' | 'interrupted' = 'failed';
  try {
    progress.handle({ type: 'run-start', title: `${plan.verb} ${cluster.name}`, stages: plan.stages.length });
    const ports = runPorts({
      ...{ input, transports, interrupts, lock },
      view: (facts, pki) => viewOf(input, facts, pki),
      emit: (event) => progress.handle(event),
    });
    const end = await execute(plan, facts, lock.token, ports);
    outcome = 'done';
    return [...transports.connections.keys()].every((host) => end.latest.includes(host)) ? end.facts : undefined;
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'interrupted') outcome = 'interrupted';
    throw error;
  } finally {
    progress.handle({ type: 'run-end', elapsedMs: process.now() - since, outcome });
    await progress.end();
    interrupts.close();
    onRelease(lock.release());
  }
}

/** Every host locked, and looked at under the lock. */
function lockAll(
  plan: Plan,
  { input, transports: { connections } }: Pick<Surroundings, 'input' | 'transports'>,
  lookUnderLock: (looked: Looked) => Promise<Facts>,
) {
  const { ui, process, command, wish } = input;
  const lock = async (onLooked: LockLook['onLooked']): Promise<HeldLock> => {
    const look = { script: (host: string) => hostProbe(input, host, { v2Log: wish.versions }), onLooked };
    const held = await lockHosts(connections, plan, { process, command, look });
    for (const host of held.takenOver) ui.note(`${host}: took over the lock of a run that is gone`);
    return held;
  };
  return lockAndLook([...connections.keys()], lock, lookUnderLock);
}
