/** Helps a member that waits for another one's write before it says that it is there. */
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { leads } from './leadership.ts';
import type { Run } from './run.ts';

/** Far longer than a member takes that needs no help. */
const PAUSE_MS = 2_000;

/**
 * Asks another member for an entry that changes nothing, now and then, for as long as it is called and `host` does not answer.
 *
 * A process whose state came by a raft snapshot alone (a newcomer, or a restart right behind a snapshot) has applied no entry yet, and takes its
 * applied index for 0: once the cluster has 5,000 entries it refuses its own announcement ("too many requests") and asks again without a pause, on a
 * whole core, until an entry is committed (server.go, `publishV3` and `setAppliedIndex`; seen with 3.6.16, in the sources of 3.5.35 and 3.7.3 too). Where
 * nobody writes, that never comes.
 */
export function nudging(host: string, run: Run): (facts: Facts) => Promise<void> {
  let since = run.ports.now();
  let told = '';
  return async (facts) => {
    const now = run.ports.now();
    const via = helper(host, facts);
    if (facts.endpoints[host]?.failure === undefined || via === undefined || now - since < PAUSE_MS) return;
    since = now;
    try {
      await run.ports.members.commitNothing(via);
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      if (error.message !== told) run.ports.emit({ type: 'note', host: via, text: error.message });
      told = error.message;
    }
  };
}

/** The leader, where it is another one. */
function helper(host: string, facts: Facts): string | undefined {
  return Object.keys(facts.endpoints).find((each) => each !== host && leads(facts, each));
}
