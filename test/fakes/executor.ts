/** Runs plans on a model: the real executor, with connections whose scripts have the model's effects. */
import { PassThrough, Readable } from 'node:stream';
import { execute } from '../../src/apply/execute.ts';
import type { ExecutorPorts } from '../../src/apply/ports.ts';
import { STEP_LINE, STEPS_DONE } from '../../src/apply/prelude.ts';
import type { MemberHash } from '../../src/domain/divergence.ts';
import { QuorateError } from '../../src/domain/errors.ts';
import type { Facts, HostFacts } from '../../src/domain/facts.ts';
import { hostsOf } from '../../src/domain/membership.ts';
import type { Permits, Plan } from '../../src/domain/plan.ts';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { OPERATOR, type Step } from '../../src/domain/step.ts';
import { isHostStep, need } from '../../src/plan/need.ts';
import type { Connection, RemoteProcess, RemoteScript } from '../../src/transport/transport.ts';
import { NOW } from './facts.ts';
import type { Issued, Model } from './model.ts';

/** The end of the process in the middle of a run. */
export class Killed extends Error {}

/** What goes wrong at a step: its script fails, the connection is cut, nothing happens at all, or quorate is killed before it. */
export type Fault = 'fail' | 'cut' | 'no-effect' | 'kill' | undefined;

export interface RunOptions {
  readonly fault?: ((step: Step) => Fault) | undefined;
  readonly stopRequested?: (() => boolean) | undefined;
  /** The first interrupt, in place of what `stopRequested` says between steps. */
  readonly stopping?: AbortSignal | undefined;
  /** A step of the operator that waits until it is aborted. */
  readonly hangs?: ((step: Step) => boolean) | undefined;
  readonly failpoint?: string | undefined;
  /** What the operator allowed. A reset has its name unless told otherwise: its verb asks for that before it runs. */
  readonly permits?: Permits | undefined;
  /** Goes wrong after a turn's steps: what proving the member says. */
  readonly prove?: ((members: readonly string[]) => string | undefined) | undefined;
  /** The hash of a member's data; 7 where it says nothing. */
  readonly hash?: ((host: string) => number | undefined) | undefined;
  /** What is seen, in place of the model's facts. */
  readonly seen?: ((facts: Facts) => Facts) | undefined;
  /** Called with the host whose member is asked to add or remove one; what it throws is the answer. */
  readonly changing?: ((via: string) => void) | undefined;
  /** Called for an entry that changes nothing, with the host whose member is asked for it. */
  readonly committed?: ((via: string) => void) | undefined;
  /** Why the lock is lost once these steps are done; undefined: it is held. */
  readonly lockLost?: ((done: readonly string[]) => QuorateError | undefined) | undefined;
  /** What members' hashes are told as, by host; equal where it says nothing. */
  readonly hashed?: Readonly<Record<string, Partial<Pick<MemberHash, 'hash' | 'compactRevision'>>>> | undefined;
  /** Hosts without a connection. */
  readonly unconnected?: readonly string[] | undefined;
}

export interface RunResult {
  readonly events: readonly RunEvent[];
  /** Steps whose effect happened, in order. */
  readonly done: readonly string[];
  /** What each host was sent, by stage. */
  readonly scripts: readonly { readonly stage: string; readonly host: string; readonly script: string }[];
  /** Hosts whose leadership was moved, and whither. */
  readonly moves: readonly string[];
  /** Hosts that need no other look at the end. */
  readonly latest: readonly string[];
  readonly error: unknown;
}

/** What the fake log of a unit says. */
export const LAST_WORDS = '{"level":"fatal","msg":"the last words"}';

/** Runs `plan`; never rejects. */
export async function runOn(model: Model, plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const events: RunEvent[] = [];
  const done: string[] = [];
  const scripts: { stage: string; host: string; script: string }[] = [];
  let issued: Issued = {};
  const moves: string[] = [];
  const permits = options.permits ?? (plan.verb === 'reset' ? { ending: plan.cluster } : {});
  let clock = NOW;
  let stage = '';
  const fault = (step: Step): Fault => options.fault?.(step);

  const connection = (host: string): Connection => ({
    host,
    start: async (script) => {
      scripts.push({ stage, host, script: script.script });
      return play(host, script);
    },
    run: async ({ label }) => {
      if (label !== 'reading the log') throw new Error('the fake runs stages and reads logs only');
      return { status: 0, signal: undefined, stdout: `${LAST_WORDS}\n`, stderr: '' };
    },
    tunnel: () => Promise.reject(new Error('the fake has no tunnels')),
    close: () => Promise.resolve(),
  });
  /** What files held before a turn, by stage and host. */
  const before = new Map<string, HostFacts['texts']>();
  const play = (host: string, { script, root }: RemoteScript): RemoteProcess => {
    if (!root) throw new Error('a stage runs as root');
    const view = model.view();
    const again = scripts.filter((each) => each.stage === stage && each.host === host).length > 1;
    const planned = (plan.stages.find((each) => each.id === stage)?.steps ?? [])
      .filter((step) => isHostStep(step))
      .filter((step) => step.host === host && need(step, view).needed);
    const key = `${stage} ${host}`;
    if (!again) before.set(key, model.host(host).texts);
    const needed = again ? takenBack(host, script, before.get(key) ?? {}) : planned;
    const announced = script.split('\n').filter((line) => line.startsWith(`echo '${STEP_LINE}`)).length;
    const steps = options.failpoint === undefined ? needed : needed.slice(0, announced);
    if (announced !== steps.length)
      throw new Error(`${host}: ${announced} steps in the script, ${steps.length} needed`);
    const lines: string[] = [];
    for (const [index, step] of steps.entries()) {
      const wrong = fault(step);
      if (wrong === 'kill') throw new Killed();
      lines.push(`${STEP_LINE}${index}`);
      if (wrong === 'cut') return ended(lines, new QuorateError('unreachable', `${host}: connection lost`, { host }));
      if (wrong === 'fail') return ended(lines, 1, `first line\n${step.kind} went wrong`);
      if (wrong === 'no-effect') continue;
      model.applyToHost(step, issued);
      done.push(step.id);
    }
    return ended([...lines, STEPS_DONE, `PROBE ${JSON.stringify(model.host(host))}`], 0);
  };

  /** Killed before the call, or right after it. */
  const membership = (kind: Step['kind'], act: () => void): void => {
    const step = plan.stages.find((each) => each.id === stage)?.steps.find((each) => each.kind === kind);
    if (step !== undefined && fault(step) === 'kill') throw new Killed();
    act();
    if (step !== undefined) done.push(step.id);
  };
  const ports: ExecutorPorts = {
    cluster: model.cluster,
    connections: Object.fromEntries(
      hostsOf(model.cluster)
        .filter(({ name }) => !options.unconnected?.includes(name))
        .map(({ name }) => [name, connection(name)]),
    ),
    operator: {
      perform: async (step, _view, signal) => {
        if (options.hangs?.(step) === true) await hang(signal);
        if (step.host !== OPERATOR) throw new Error(`${step.id} is not for the operator`);
        if (fault(step) === 'kill') throw new Killed();
        if (fault(step) === 'fail') throw new QuorateError('step-failed', `${step.kind} went wrong`);
        model.applyToOperator(step);
        done.push(step.id);
      },
      issue: async (steps) => {
        if (steps.some((step) => fault(step) === 'kill')) throw new Killed();
        issued = { ...issued, ...model.issue(steps) };
        return issued;
      },
      pki: async () => model.pki(),
      prove: async (members) => {
        const failure = options.prove?.(members);
        if (failure !== undefined) throw new QuorateError('step-failed', `${members.join()}: ${failure}`);
      },
      versions: async (members) => model.versions(members),
      hashes: async (members) =>
        members.map((host) => ({
          host,
          memberId: host,
          revision: 1,
          compactRevision: 0,
          hash: options.hash?.(host) ?? 7,
        })),
      release: async () => ({ sha256: '0'.repeat(64), read: async () => Buffer.of() }),
      downloadScript: async () => undefined,
    },
    probe: (host) => ({
      script: `: probe of ${host}`,
      parse: (text) => {
        const line = text.split('\n').find((each) => each.startsWith('PROBE '));
        if (line === undefined) throw new Error(`${host}: no probe at the end of the script`);
        const facts: HostFacts = JSON.parse(line.slice('PROBE '.length));
        return facts;
      },
    }),
    view: (facts) => model.viewOf(facts),
    emit: (event) => {
      events.push(event);
      if (event.type === 'stage-start') stage = event.stage;
    },
    signal: new AbortController().signal,
    get stopping() {
      if (options.stopping !== undefined) return options.stopping;
      return options.stopRequested?.() === true ? AbortSignal.abort() : new AbortController().signal;
    },
    look: async () => {
      const { facts } = model.view();
      return options.seen?.(facts) ?? facts;
    },
    moveLeader: async (leader, targetId) => {
      moves.push(`${leader} → ${targetId}`);
      model.moveLeader(targetId);
    },
    members: {
      add: async (via, [peerUrl = '']) => {
        options.changing?.(via);
        return membership('member.add', () => model.members.add(peerUrl));
      },
      promote: async (_via, id) => membership('member.promote', () => model.members.promote(id)),
      remove: async (via, id) => {
        options.changing?.(via);
        return membership('member.remove', () => model.members.remove(id));
      },
      update: async (_via, id, peerUrls) => {
        const steps = plan.stages.find((each) => each.id === stage)?.steps ?? [];
        const own = steps.find((each) => each.kind === 'member.update' && each.memberId === id);
        if (own !== undefined && fault(own) === 'kill') throw new Killed();
        model.members.update(id, peerUrls);
        if (own !== undefined) done.push(own.id);
      },
      disarm: async () => undefined,
      commitNothing: async (via) => options.committed?.(via),
      hashes: async (hosts) =>
        hosts.map((host) => {
          return { host, memberId: host, revision: 1, compactRevision: 0, hash: 7, ...options.hashed?.[host] };
        }),
    },
    requireLock: () => {
      const lost = options.lockLost?.(done);
      if (lost !== undefined) throw lost;
    },
    wait: async (ms) => {
      clock += ms;
    },
    now: () => clock,
    failpoint: options.failpoint,
  };
  const { latest, error } = await execute({ ...plan, permits }, model.view().facts, 'lock-token', ports).then(
    (end) => ({ latest: end.latest, error: undefined }),
    (reason: unknown) => ({ latest: [], error: reason }),
  );
  return { events, done, scripts, moves, latest, error };
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

/** The steps of a second script in the same turn, read from its text: they stand in no plan. Files get what they held before it. */
function takenBack(host: string, script: string, texts: HostFacts['texts']): readonly Step<TakenBack>[] {
  const step = { host, why: 'taken back' };
  return script.split('\n').flatMap((line): readonly Step<TakenBack>[] => {
    const [, target, link] = /^link '?([^' ]+)'? '?([^' ]+)'?$/.exec(line) ?? [];
    if (target !== undefined && link !== undefined)
      return [{ ...step, id: `${host} back`, kind: 'pki.switch', target, link }];
    const [path = '', mode = '', owner = '', group = ''] =
      /^lay "\$stage\/[^"]+" (.*)$/.exec(line)?.[1]?.replaceAll("'", '').split(' ') ?? [];
    const content = texts[path];
    if (content !== undefined)
      return [{ ...step, id: `${host} ${path}`, kind: 'file.put', path, mode, owner, group, content }];
    const [, unit] = /systemctl restart '?([^'; ]+)'?/.exec(line) ?? [];
    if (unit === undefined) return [];
    return [{ ...step, id: `${host} again`, kind: 'unit.restart', unit, wish: {}, ends: '', outage: false }];
  });
}

type TakenBack = 'pki.switch' | 'file.put' | 'unit.restart';

function ended(lines: readonly string[], end: number | QuorateError, stderr = ''): RemoteProcess {
  const stdin = new PassThrough();
  stdin.resume();
  const done = typeof end === 'number' ? Promise.resolve({ status: end, signal: undefined }) : Promise.reject(end);
  done.catch(() => undefined);
  return {
    stdin,
    stdout: Readable.from([`${lines.join('\n')}\n`]),
    stderr: Readable.from([stderr]),
    done,
    close: () => undefined,
  };
}
