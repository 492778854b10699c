/** Calls to etcd that it may refuse for a moment: which refusals pass, how long they are waited for, and what they mean when they do not. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts, MemberFact } from '../domain/facts.ts';
import { labelOf, quorumList } from '../domain/membership.ts';
import type { Step } from '../domain/step.ts';
import { votersOf } from '../domain/voters.ts';
import { EtcdError } from '../etcd/etcd-error.ts';
import { describe } from '../plan/describe.ts';
import { leads } from './leadership.ts';
import { type Run, stopIfAsked } from './run.ts';

/**
 * etcd changes members only while connections have held for 5 s (server.go, HealthInterval), and forgets a member that just died not at once
 * (reference/etcd-operations.md, section 4).
 */
const PATIENCE_MS = 30_000;
const RETRY_MS = 500;

export interface Insistence {
  /** `via`: the host whose member is asked. */
  call(via: string): Promise<void>;
  done(list: readonly MemberFact[]): boolean;
  readonly patienceMs?: number;
}

/**
 * Calls until the list shows the change; a call whose answer was lost is found done by the list.
 * @throws QuorateError refused with what etcd says and what it means, interrupted
 */
export async function insist(
  step: Step,
  facts: Facts,
  run: Run,
  { call, done, patienceMs = PATIENCE_MS }: Insistence,
): Promise<Facts> {
  const { ports } = run;
  const begun = ports.now();
  let seen = facts;
  let told = '';
  for (let refusals = 0; ; ) {
    const refusal = await attempt(call, seen, refusals);
    seen = await ports.look(seen, []);
    const list = quorumList(seen, undefined);
    if (list !== undefined && done(list)) return seen;
    if (refusal !== undefined && !passes(refusal, step)) throw refusal;
    if (asksAround(step) && refusal !== undefined && reasonOf(refusal).includes(UNHEALTHY)) refusals += 1;
    if (ports.now() - begun >= patienceMs) throw explain(step, seen, { run, refusal, patienceMs });
    const reason = refusal === undefined ? '' : reasonOf(refusal);
    if (reason !== '' && reason !== told) {
      ports.emit({ type: 'note', host: step.host, text: `${reason}: waiting for that to pass` });
      told = reason;
    }
    stopIfAsked(`the end of "${describe(step).text}"`, run);
    await ports.wait(RETRY_MS);
  }
}

/**
 * Asks the leader, else whoever serves: up to 3.5.27 and 3.6.5 a follower cannot promote where authentication is on. After `refusals`, that many further on in their row.
 */
async function attempt(call: Insistence['call'], facts: Facts, refusals: number): Promise<QuorateError | undefined> {
  const answering = Object.values(facts.endpoints).filter((each) => each.failure === undefined && each.linearizable);
  const leaderFirst = answering.toSorted(
    (left, right) => Number(leads(facts, right.host)) - Number(leads(facts, left.host)),
  );
  const via = leaderFirst[refusals % leaderFirst.length];
  if (via === undefined) return new QuorateError('unreachable', 'no member answers through the quorum');
  try {
    await call(via.host);
    return undefined;
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
    return error;
  }
}

/**
 * Whether the next member is asked once one has called the cluster unhealthy: each says that of its own connections (server.go, mayAddMember), and may go on to take a peer
 * for dead over which messages pass (etcd issue 14523). Never for a removal: a member that takes the one that goes for dead would let it go without counting who is left
 * (mayRemoveMember), where a learner that comes has no vote.
 */
function asksAround({ kind }: Step): boolean {
  return kind === 'member.add';
}

function reasonOf(error: QuorateError): string {
  return error instanceof EtcdError ? error.reason : error.message;
}

const UNHEALTHY = 'etcdserver: unhealthy cluster';

/** etcd's own words (api/v3rpc/rpctypes/error.go, the same from 3.4 to 3.7). */
const passing: readonly string[] = [
  UNHEALTHY,
  'etcdserver: too many learner members in cluster',
  'etcdserver: can only promote a learner member which is in sync with leader',
  'etcdserver: re-configuration failed due to not enough started members',
  'etcdserver: no leader',
  'etcdserver: leader changed',
];
/** What an earlier call did, whose answer was lost: the list that is looked at may lag a moment. */
const doneBefore: Readonly<Partial<Record<Step['kind'], string>>> = {
  'member.add': 'etcdserver: Peer URLs already exists',
  'member.remove': 'etcdserver: member not found',
};

/** Whether it may be otherwise in a moment; what is not etcd's own answer (a connection that broke) tells nothing of whether it was done. */
function passes(error: QuorateError, { kind }: Step): boolean {
  if (!(error instanceof EtcdError) || error.failure !== 'etcd') return true;
  const all = [...passing, ...(doneBefore[kind] === undefined ? [] : [doneBefore[kind]])];
  return all.some((each) => error.reason.includes(each)) || /timed out/.test(error.reason);
}

function explain(
  step: Step,
  facts: Facts,
  {
    run,
    refusal,
    patienceMs,
  }: { readonly run: Run; readonly refusal: QuorateError | undefined; readonly patienceMs: number },
): QuorateError {
  const { text } = describe(step);
  const seconds = Math.round(patienceMs / 1000);
  const reason = refusal === undefined ? 'the list does not show it' : reasonOf(refusal);
  return new QuorateError('refused', `${text}: etcd refuses for ${seconds} s: ${reason}`, {
    step: step.id,
    hint: hintFor(step, reason, { facts, run }),
    cause: refusal,
  });
}

function hintFor(step: Step, reason: string, { facts, run }: { readonly facts: Facts; readonly run: Run }): string {
  const { cluster } = run.ports;
  const list = quorumList(facts, undefined) ?? [];
  if (reason.includes('too many learner')) {
    const learners = list.filter((each) => each.learner).map((each) => labelOf(cluster, facts, each));
    return `${learners.join(', ')} is a learner, and etcd takes one at a time: quorate member promote ${learners[0] ?? 'NAME'} -i FILE, or quorate member remove ${learners[0] ?? 'NAME'} -i FILE`;
  }
  if (reason.includes('in sync with leader')) {
    return 'it is left as a learner, which has no vote; see that the peer ports are open both ways and run the same command again: it goes on';
  }
  const down = votersOf(cluster, facts)
    .filter((each) => !each.healthy)
    .map((each) => each.name);
  if (down.length === 0 && asksAround(step) && reason.includes(UNHEALTHY)) {
    return 'each of them was asked and says that of its own connections to the others: where these work (quorate status -i FILE), it is a flaw of etcd (issue 14523) that a restart ends: quorate restart -i FILE';
  }
  if (down.length === 0)
    return 'look at the journals for peers that cannot be reached: quorate logs -i FILE --level warn';
  return `${down.join(', ')} ${down.length === 1 ? 'is' : 'are'} down: bring that back, or replace it first: quorate member replace ${down[0]} -i FILE`;
}
