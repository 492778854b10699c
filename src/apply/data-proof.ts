/** Proves that all voters hold the same data, and takes back alarms of a member that is gone. */
import { compareHashes } from '../domain/divergence.ts';
import { QuorateError } from '../domain/errors.ts';
import type { Facts } from '../domain/facts.ts';
import { quorumList } from '../domain/membership.ts';
import type { Step } from '../domain/step.ts';
import { serves, votersOf } from '../domain/voters.ts';
import { guard } from './guard.ts';
import { type Run, viewNow } from './run.ts';

/** An election beside a change takes seconds, and ends by itself. */
const LOOKS = 10;
const PAUSE_MS = 2_000;

/** Hashes of all voters that serve, at one revision. @throws QuorateError step-failed where they differ or cannot be compared, or a majority does not serve */
export async function proveData(known: Facts, run: Run): Promise<Facts> {
  const { facts, hosts } = await majorityServing(known, run);
  const { state, differing: names } = compareHashes(await run.ports.members.hashes(hosts));
  if (state === 'differs')
    throw differing(`${names.join(', ')} holds other data than the others at one revision`, names[0]);
  if (state === 'not-comparable') throw incomparable();
  return facts;
}

async function majorityServing(
  known: Facts,
  { ports }: Run,
): Promise<{ readonly facts: Facts; readonly hosts: readonly string[] }> {
  let facts = known;
  for (let left = LOOKS; ; left -= 1) {
    const voters = votersOf(ports.cluster, facts).map((each) => each.name);
    const hosts = voters.filter((name) => serves(facts, name));
    if (hosts.length * 2 > voters.length) return { facts, hosts };
    if (left <= 1) throw silent(facts, voters, hosts);
    await ports.wait(PAUSE_MS);
    facts = await ports.look(facts, []);
  }
}

function silent(facts: Facts, voters: readonly string[], hosts: readonly string[]): QuorateError {
  const others = voters.filter((name) => !hosts.includes(name));
  const said = others.map((name) => facts.endpoints[name]?.failure ?? `${name}: a linearizable read does not return`);
  const message = `${hosts.length} of ${voters.length} voters serve, so their data cannot be compared: ${said.join('; ')}`;
  return new QuorateError('step-failed', message, {
    hint: 'bring them back (quorate status -i FILE, quorate doctor -i FILE), then run the same command again: it goes on here',
  });
}

function differing(message: string, host?: string): QuorateError {
  return new QuorateError('step-failed', message, {
    host,
    hint: 'quorate verify -i FILE tells whose data differs; quorate member replace NAME -i FILE gives that member the data of the others',
  });
}

function incomparable(): QuorateError {
  return new QuorateError('step-failed', "members' data cannot be compared: they have compacted differently", {
    hint: 'run the same command again once compaction has ended',
  });
}

/** Only once the member is gone, and while the others agree. */
export async function disarmAlarm(step: Step<'alarm.disarm'>, facts: Facts, run: Run): Promise<Facts> {
  const { ports } = run;
  const raised = new Set(
    Object.values(facts.endpoints).flatMap((each) =>
      each.alarms.filter(({ kind }) => kind === step.alarm).map(({ memberId }) => memberId),
    ),
  );
  const members = new Set(quorumList(facts, undefined)?.map((each) => each.id));
  const gone = [...raised].filter((id) => !members.has(id));
  if (gone.length === 0) return facts;
  guard([step], { view: await viewNow(facts, run), mode: 'operator', permits: run.permits });
  await proveData(facts, run);
  ports.requireLock();
  const via =
    Object.values(facts.endpoints).find((each) => each.failure === undefined && each.linearizable)?.host ?? '';
  for (const id of gone) await ports.members.disarm(via, id, step.alarm);
  return ports.look(facts, []);
}
