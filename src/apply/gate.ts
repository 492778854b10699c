/** The gate after a member's turn: the cluster must be well again, and stay so for a while, before the next member is touched. */
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import type { EndpointFacts, Facts } from '../domain/facts.ts';
import { configFile } from '../domain/layout.ts';
import { compareText } from '../domain/plan.ts';
import { serves } from '../domain/voters.ts';
import { versionObjections } from './gate-version.ts';
import { nudging } from './nudge.ts';
import { type Run, viewNow } from './run.ts';

/** How long a member that was restarted must stay well: three times etcd's default election timeout. */
const STEADY_MS = 3_000;
/** After another version: etcd calls a connection healthy once it has held for 5 s (HealthInterval). */
const VERSION_STEADY_MS = 5_500;
/** Well after READY, a member that is not well by then will not be. */
const GATE_TIMEOUT_MS = 60_000;
/** Without a restart the next connection shows what is served. */
const SWITCH_TIMEOUT_MS = 15_000;
const POLL_MS = 500;
/** Entries that a member may be behind. Endpoints are asked one after the other while writes go on, and etcd keeps 5000 or more for slow followers. */
const MAX_LAG = 1_000;
/** A process that ended this often since its start is not coming up. */
const MAX_RESTARTS = 2;

export interface GateWish {
  readonly host: string;
  /** What was seen before the turn. */
  readonly before: Facts;
  readonly restarted: boolean;
  /** Whether new connections must be served what the link says. */
  readonly prove: boolean;
  /** The version that it must run: then its data is compared too, and it must stay well for longer. Absent: any. */
  readonly version?: string | undefined;
}

export interface GateAnswer {
  readonly facts: Facts;
  /** Why the gate does not hold; empty where it does. */
  readonly objections: readonly string[];
}

/** Looks again and again until the gate holds and has held for long enough, or its time is over. */
export async function awaitGate(wish: GateWish, run: Run): Promise<GateAnswer> {
  const { ports } = run;
  const { steadyMs, timeoutMs } = timesOf(wish);
  const begun = ports.now();
  let facts = wish.before;
  let heldSince: number | undefined;
  const nudge = nudging(wish.host, run);
  for (;;) {
    facts = await ports.look(facts, [wish.host]);
    const objections = await judge(wish, facts, { run, proved: heldSince !== undefined });
    const now = ports.now();
    if (objections.length === 0) heldSince ??= now;
    else heldSince = undefined;
    if (heldSince !== undefined && now - heldSince >= steadyMs) return { facts, objections };
    if (now - begun >= timeoutMs || hopeless(wish, facts)) {
      return { facts, objections: objections.length > 0 ? objections : ['it does not stay well'] };
    }
    await nudge(facts);
    await ports.wait(POLL_MS);
  }
}

function timesOf({ restarted, version }: GateWish): { readonly steadyMs: number; readonly timeoutMs: number } {
  if (version !== undefined) return { steadyMs: VERSION_STEADY_MS, timeoutMs: GATE_TIMEOUT_MS };
  return restarted
    ? { steadyMs: STEADY_MS, timeoutMs: GATE_TIMEOUT_MS }
    : { steadyMs: 0, timeoutMs: SWITCH_TIMEOUT_MS };
}

/** Health first, and once it is well the proof by new connections, and by its data where its version is another. */
async function judge(
  wish: GateWish,
  facts: Facts,
  { run, proved }: { readonly run: Run; readonly proved: boolean },
): Promise<readonly string[]> {
  const found = gateObjections(run.ports.cluster, facts, wish);
  if (found.length > 0 || proved) return found;
  const differing = wish.version === undefined ? [] : await versionObjections(wish.host, wish.version, { facts, run });
  if (differing.length > 0 || !wish.prove) return differing;
  try {
    await run.ports.operator.prove([wish.host], await viewNow(facts, run), run.ports.signal);
    return [];
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code === 'interrupted') throw error;
    return (error.errors.length > 0 ? error.errors : [error]).map((each) => withoutHost(each.message, wish.host));
  }
}

/** Why the cluster is not well after the turn of one member, from facts. What was wrong before the turn with other members is not this turn's fault. */
export function gateObjections(
  cluster: Cluster,
  facts: Facts,
  wish: Pick<GateWish, 'host' | 'before' | 'restarted'>,
): readonly string[] {
  return [
    ...unitObjections(facts, wish),
    ...endpointObjections(cluster, facts, wish),
    ...leaderObjections(facts),
    ...lostObjections(facts, wish),
    ...alarmObjections(facts, wish.before),
  ];
}

function unitObjections(facts: Facts, { host, before, restarted }: Pick<GateWish, 'host' | 'before' | 'restarted'>) {
  const unit = facts.hosts[host]?.unit;
  if (unit === undefined) return [`it cannot be looked at: ${facts.unreachable[host] ?? 'not connected'}`];
  if (unit.activeState !== 'active') {
    const exit = unit.lastExit === '' ? '' : ` (${unit.lastExit})`;
    return [`its unit is ${unit.activeState}${exit}`];
  }
  const old = before.hosts[host]?.unit.invocationId ?? '';
  return restarted && old !== '' && old === unit.invocationId ? ['its process is still the one from before'] : [];
}

function endpointObjections(
  cluster: Cluster,
  facts: Facts,
  { host, restarted }: Pick<GateWish, 'host' | 'restarted'>,
): readonly string[] {
  const endpoint = facts.endpoints[host];
  if (endpoint === undefined) return ['its endpoint was not asked'];
  if (endpoint.failure !== undefined) return [withoutHost(endpoint.failure, host)];
  const highest = Math.max(...answers(facts).map((each) => each.raftAppliedIndex));
  const lag = highest - endpoint.raftAppliedIndex;
  const corrupt = endpoint.errors.filter((each) => /corrupt/i.test(each));
  const member = endpoint.members.find((each) => each.id === endpoint.memberId);
  const configured = facts.hosts[host]?.texts[configFile(cluster)] ?? '';
  return [
    ...(endpoint.learner || endpoint.linearizable ? [] : ['a linearizable read does not return']),
    ...(lag > MAX_LAG ? [`it is ${lag} entries behind (limit ${MAX_LAG})`] : []),
    ...(member === undefined ? ['the member list does not have it'] : []),
    ...(restarted && member !== undefined ? nameObjections(member.name, host, configured) : []),
    ...revivedObjections(endpoint, answers(facts)),
    ...corrupt,
  ];
}

/** etcd 3.6 takes the list from another place of its data than 3.5, and that may hold members that were removed (etcd issue 20967). */
function revivedObjections(endpoint: EndpointFacts, all: readonly EndpointFacts[]): readonly string[] {
  const others = all.filter(({ host }) => host !== endpoint.host);
  if (others.length === 0) return [];
  return endpoint.members
    .filter(({ id }) => !others.some(({ members }) => members.some((each) => each.id === id)))
    .map(
      ({ id, name }) =>
        `its member list has ${id}${name === '' ? '' : ` (${name})`}, which no other member has in its own`,
    );
}

/** A member publishes its name as it starts, before READY: one that was given another calls itself that. */
function nameObjections(listed: string, host: string, config: string): readonly string[] {
  const wanted = /^name: "?([^"\n]*)"?$/m.exec(config)?.[1];
  return wanted !== host || listed === host ? [] : [`the member list still calls it ${listed}`];
}

function leaderObjections(facts: Facts): readonly string[] {
  const leaders = new Set(answers(facts).map((each) => each.leaderId));
  if (leaders.has('0') || leaders.has('0000000000000000')) return ['a member knows no leader'];
  if (leaders.size <= 1) return [];
  return [`members disagree on the leader: ${[...leaders].sort(compareText).join(', ')}`];
}

function lostObjections(facts: Facts, { host, before }: Pick<GateWish, 'host' | 'before'>): readonly string[] {
  return Object.keys(before.endpoints)
    .filter((name) => name !== host && serves(before, name) && !serves(facts, name))
    .map((name) => `${name} serves no more`);
}

function alarmObjections(facts: Facts, before: Facts): readonly string[] {
  const known = new Set(alarms(before));
  return [...new Set(alarms(facts))].filter((each) => !known.has(each)).map((each) => `alarm ${each}`);
}

function alarms(facts: Facts): readonly string[] {
  return answers(facts).flatMap((each) => each.alarms.map(({ kind, memberId }) => `${kind} on member ${memberId}`));
}

function answers(facts: Facts): readonly EndpointFacts[] {
  return Object.values(facts.endpoints).filter((each) => each.failure === undefined);
}

function hopeless({ host, restarted }: GateWish, facts: Facts): boolean {
  const unit = facts.hosts[host]?.unit;
  return restarted && unit !== undefined && (unit.activeState === 'failed' || unit.restarts >= MAX_RESTARTS);
}

/** A message that begins with the host's name, without it. */
export function withoutHost(message: string, host: string): string {
  return message.startsWith(`${host}: `) ? message.slice(host.length + 2) : message;
}
