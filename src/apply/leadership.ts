/** Moves leadership away from a member before it is restarted, so that clients do not wait for an election. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { votersOf } from '../domain/voters.ts';
import type { Run } from './run.ts';

const LOOKS = 20;
const LOOK_MS = 250;

/** Whether a member says of itself that it leads. */
export function leads({ endpoints }: Facts, host: string): boolean {
  const endpoint = endpoints[host];
  return endpoint !== undefined && endpoint.failure === undefined && endpoint.leaderId === endpoint.memberId;
}

/**
 * Gives leadership to the healthy voter that has applied most, and returns facts in which `host` leads no more. Where it does not lead, or nobody else
 * can, `facts` as they are.
 * @throws QuorateError step-failed where it still leads
 */
export async function giveUpLeadership(host: string, facts: Facts, { ports }: Run): Promise<Facts> {
  if (!leads(facts, host)) return facts;
  const heir = heirOf(facts, votersOf(ports.cluster, facts), host);
  return heir === undefined ? facts : handOver({ from: host, to: heir.host }, facts, { ports });
}

/** Moves leadership from one host's member to another's. @throws QuorateError step-failed where `from` still leads */
export async function handOver(
  { from: host, to }: { readonly from: string; readonly to: string },
  facts: Facts,
  { ports }: Pick<Run, 'ports'>,
): Promise<Facts> {
  ports.requireLock();
  ports.emit({ type: 'note', host, text: `leads: leadership goes to ${to} first` });
  const refusal = await move(host, facts.endpoints[to]?.memberId ?? '', { ports });
  let seen = facts;
  for (let look = 0; look < LOOKS; look += 1) {
    seen = await ports.look(seen, []);
    if (!leads(seen, host) && seen.endpoints[host]?.leaderId !== '0') return seen;
    await ports.wait(LOOK_MS);
  }
  throw new QuorateError('step-failed', `${host}: still leads after its leadership was moved to ${to}`, {
    host,
    hint: 'nothing was changed on it; run the same command again',
    cause: refusal,
  });
}

/** Leadership may have gone elsewhere meanwhile: then the call is refused, and facts decide. */
async function move(host: string, target: string, { ports }: Pick<Run, 'ports'>): Promise<QuorateError | undefined> {
  try {
    await ports.moveLeader(host, target);
    return undefined;
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
    return error;
  }
}

function heirOf({ endpoints }: Facts, voters: ReturnType<typeof votersOf>, host: string) {
  return voters
    .filter((each) => each.healthy && each.name !== host)
    .flatMap(({ name }) => endpoints[name] ?? [])
    .toSorted((a, b) => b.raftAppliedIndex - a.raftAppliedIndex)[0];
}
