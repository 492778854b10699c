/** Waits for a member that was added: until it has started, and until it follows the leader closely. How far it is behind is told meanwhile. */
import { QuorateError } from '../domain/errors.ts';
import type { EndpointFacts, Facts } from '../domain/facts.ts';
import { quorumList } from '../domain/membership.ts';
import type { Step } from '../domain/step.ts';
import { leads } from './leadership.ts';
import { nudging } from './nudge.ts';
import { type Run, stopIfAsked } from './run.ts';
import { lastWords } from './unit-log.ts';

const POLL_MS = 300;
const TELL_MS = 2_000;
/** As in the gate: endpoints are asked one after the other while writes go on. */
const MAX_LAG = 1_000;

/** @throws QuorateError step-failed where it has come no nearer for the step's time: it is left as it is. */
export async function awaitMember(step: Step<'member.await'>, known: Facts, run: Run): Promise<Facts> {
  const { ports } = run;
  let facts = known;
  let best = Number.POSITIVE_INFINITY;
  let [movedAt, toldAt] = [ports.now(), ports.now()];
  const nudge = nudging(step.member, run);
  for (;;) {
    facts = await ports.look(facts, []);
    const state = progressOf(facts, step.member);
    if (state.joined) return ports.look(facts, [step.member]);
    const now = ports.now();
    if (state.lag < best) [best, movedAt] = [state.lag, now];
    if (now - movedAt >= step.stallMs) throw await stalled(step, state.text, { facts, run });
    if (now - toldAt >= TELL_MS) {
      ports.emit({ type: 'note', host: step.member, text: state.text });
      toldAt = now;
    }
    await nudge(facts);
    stopIfAsked(`${step.member} has caught up`, run);
    await ports.wait(POLL_MS);
  }
}

interface Arrival {
  readonly joined: boolean;
  /** Entries behind: it comes further as long as that gets less; infinite where it does not answer. */
  readonly lag: number;
  readonly text: string;
}

function progressOf(facts: Facts, name: string): Arrival {
  const own = facts.endpoints[name];
  if (own === undefined || own.failure !== undefined) {
    return {
      joined: false,
      lag: Number.POSITIVE_INFINITY,
      text: `does not answer yet (${own?.failure ?? 'not asked'})`,
    };
  }
  const lag = furthest(facts) - own.raftAppliedIndex;
  const listed = quorumList(facts, undefined)?.some((each) => each.id === own.memberId && each.name !== '') === true;
  const knowsLeader = !/^0+$/.test(own.leaderId);
  if (knowsLeader && listed && lag <= MAX_LAG) return { joined: true, lag, text: `${lag} entries behind` };
  const why = knowsLeader ? `${lag} entries behind the leader (${megabytes(own)})` : 'knows no leader yet';
  return { joined: false, lag, text: why };
}

/** What the leader has committed, or the member that is furthest. */
function furthest(facts: Facts): number {
  const answers = Object.values(facts.endpoints).filter((each) => each.failure === undefined);
  const leader = answers.find(({ host }) => leads(facts, host));
  return leader?.raftAppliedIndex ?? Math.max(0, ...answers.map((each) => each.raftAppliedIndex));
}

function megabytes({ dbSizeBytes }: EndpointFacts): string {
  return `its database has ${(dbSizeBytes / 1_048_576).toFixed(1)} MiB`;
}

async function stalled(
  { member, id, stallMs }: Step<'member.await'>,
  state: string,
  { facts, run }: { readonly facts: Facts; readonly run: Run },
): Promise<QuorateError> {
  const { ports } = run;
  const seen = await ports.look(facts, [member]);
  const words = await lastWords(ports.connections[member], ports.cluster.unit);
  const unit = seen.hosts[member]?.unit;
  const how = unit === undefined ? '' : `; its unit is ${unit.activeState}, started again ${unit.restarts} times`;
  return new QuorateError(
    'step-failed',
    `${member}: has not caught up, and has come no nearer for ${Math.round(stallMs / 1000)} s: ${state}${how}`,
    {
      host: member,
      step: id,
      detail: words.map((each) => `${member}: ${each}`).join('\n'),
      hint: `it is left as a learner, which has no vote and risks nothing; mend the cause (are the peer ports open both ways?) and run the same command again: it goes on with the same member. Or take it back: quorate member remove ${member} -i FILE`,
    },
  );
}
