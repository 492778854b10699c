/** What the gate asks after a member runs another version: that it does, that it is ready, and that all members hold the same data. */
import { compareHashes } from '../domain/divergence.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { serves } from '../domain/voters.ts';
import { type Run, viewNow } from './run.ts';

/** Why a member of which everything else is well is not what its new version should make of it. */
export async function versionObjections(
  host: string,
  version: string,
  { facts, run }: { readonly facts: Facts; readonly run: Run },
): Promise<readonly string[]> {
  const told = facts.endpoints[host]?.version;
  if (told !== version) return [`it runs etcd ${told}, not ${version}`];
  const { operator, signal } = run.ports;
  const view = await viewNow(facts, run);
  const answer = (await operator.versions([host], view, signal))[host];
  if (answer === undefined) return ['it does not answer to /version'];
  if (answer.ready === false) return ['its /readyz says that it is not ready'];
  return dataObjections(facts, run);
}

async function dataObjections(facts: Facts, run: Run): Promise<readonly string[]> {
  const { operator, signal } = run.ports;
  const members = Object.keys(facts.endpoints).filter((each) => serves(facts, each));
  try {
    const { state, differing } = compareHashes(await operator.hashes(members, await viewNow(facts, run), signal));
    if (state === 'differs') return [`members do not hold the same data: ${differing.join(', ')} (HashKV)`];
    return state === 'equal' ? [] : ["members' data cannot be compared: they have compacted differently"];
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
    return [`members' data cannot be compared: ${error.message}`];
  }
}
