/** Runs the steps of one host in one stage: one script, one stream of files, one round trip, ended by a fresh probe. */
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import type { Step } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import type { HostStepKind } from '../plan/need.ts';
import type { View } from '../plan/view.ts';
import { bounded } from '../transport/bounded.ts';
import type { Connection, RemoteProcess } from '../transport/transport.ts';
import { type CompileContext, compile } from './compile.ts';
import { type Fragment, stagedNames } from './fragment.ts';
import type { ExecutorPorts, IssuedLeaves } from './ports.ts';
import { LOCK_LOST, STEP_LINE, STEPS_DONE, stageScript } from './prelude.ts';
import { stageInput, stageTar } from './stage-tar.ts';

export interface HostStage {
  readonly stage: string;
  readonly connection: Connection;
  readonly steps: readonly Step<HostStepKind>[];
  readonly view: View;
  readonly issued: IssuedLeaves;
  readonly token: string;
}

/**
 * Steps that change nothing but files and accounts. A note that a host takes part in forming a cluster is none of them: before members are
 * started for the first time, all of the host is looked at.
 */
const writesFiles: readonly HostStepKind[] = [
  ...(['user.ensure', 'directory.ensure', 'binary.install', 'binary.link'] as const),
  ...(['generation.prepare', 'generation.prune', 'key.make', 'pki.put', 'pki.switch'] as const),
  ...(['file.put', 'file.remove', 'marker.put'] as const),
];

/** Longest that one host may take for one stage: a download over a slow line is the longest of them. */
const STAGE_TIMEOUT_MS = 30 * 60_000;
/** As much as of any other script: the probe at its end is the longest part. */
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;
const STDERR_LIMIT = 16 * 1024;
/** Of stderr, in the message of a step that failed; all of it is its detail. */
const TAIL_LINES = 4;
const TAIL_LINE_LENGTH = 300;

/**
 * Runs the steps in order and returns what the host is afterwards.
 * @throws QuorateError step-failed with host and step; unreachable when the connection was lost (the script may go on: its
 * lock says so).
 */
export async function runHostStage(work: HostStage, ports: ExecutorPorts): Promise<HostFacts> {
  const fragments = await compileAll(work, ports);
  const { host } = work.connection;
  const tar = await stageTar(fragments.flatMap((each) => each.files));
  const onlyFiles = work.steps.every(({ kind }) => writesFiles.includes(kind));
  const probe = ports.probe(host, onlyFiles ? work.view.facts.hosts[host] : undefined);
  const script = stageScript(fragments, { token: work.token, tarBytes: tar.length, probe: probe.script });
  const rest = await fragments.find((each) => each.stdin !== undefined)?.stdin?.read();
  const stdin = stageInput(tar, rest);
  const output = await runScript(work, { script, stdin }, ports);
  return probe.parse(output, ports.now());
}

async function compileAll(work: HostStage, ports: ExecutorPorts): Promise<readonly Fragment[]> {
  const { operator } = ports;
  const install = work.steps.find((step): step is Step<'binary.install'> => step.kind === 'binary.install');
  const downloads = install !== undefined && (await operator.downloadScript(install, '')) !== undefined;
  const context: CompileContext = {
    view: work.view,
    issued: work.issued,
    release: install === undefined || downloads ? undefined : await operator.release(install),
    download: downloads ? async (target) => (await operator.downloadScript(install, target)) ?? '' : undefined,
    stage: stagedNames(),
    timestamp: new Date(ports.now()).toISOString(),
  };
  return Promise.all(work.steps.map((step) => compile(step, context)));
}

async function runScript(
  work: HostStage,
  input: { readonly script: string; readonly stdin: NodeJS.ReadableStream },
  ports: ExecutorPorts,
): Promise<string> {
  const { connection } = work;
  const watch = watchSteps(work, ports);
  const process = await connection.start({ script: input.script, root: true, label: `running stage "${work.stage}"` });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.close();
  }, STAGE_TIMEOUT_MS);
  const abort = (): void => process.close();
  ports.signal.addEventListener('abort', abort, { once: true });
  try {
    pipeline(input.stdin, process.stdin).catch(() => undefined);
    // Where the connection is lost, every one of these may reject: all are waited for, and `done` tells why.
    const [end, output, stderr] = await Promise.allSettled([
      process.done,
      readLines(boundedOutput(work, process), watch.line),
      collect(process.stderr, STDERR_LIMIT),
    ]);
    if (output.status === 'rejected' && output.reason instanceof QuorateError) throw output.reason;
    if (late) throw watch.tooLate();
    if (end.status === 'rejected') throw end.reason;
    if (output.status === 'rejected') throw output.reason;
    if (end.value.status === 0 && watch.done()) return output.value;
    throw watch.failure(end.value.status, stderr.status === 'fulfilled' ? stderr.value : '');
  } finally {
    clearTimeout(timer);
    ports.signal.removeEventListener('abort', abort);
  }
}

interface StepWatch {
  line(text: string): void;
  done(): boolean;
  failure(status: number | undefined, stderr: string): QuorateError;
  tooLate(): QuorateError;
}

function watchSteps(work: HostStage, ports: ExecutorPorts): StepWatch {
  const { host } = work.connection;
  let current = -1;
  let since = ports.now();
  let finished = false;
  const text = (): string => {
    const step = work.steps[current];
    return step === undefined ? 'begin' : describe(step).text;
  };
  const event = { stage: work.stage, host };
  const close = (): void => {
    if (current >= 0) ports.emit({ type: 'step-done', ...event, text: text(), elapsedMs: ports.now() - since });
  };
  return {
    line(line) {
      if (!line.startsWith(STEP_LINE) && line !== STEPS_DONE) return;
      close();
      since = ports.now();
      finished = line === STEPS_DONE;
      current = finished ? -1 : Number(line.slice(STEP_LINE.length));
      if (!finished) ports.emit({ type: 'step-start', ...event, text: text() });
    },
    done: () => finished,
    tooLate() {
      const reason = `not done within ${STAGE_TIMEOUT_MS / 60_000} min`;
      ports.emit({ type: 'step-failed', ...event, text: text(), reason, elapsedMs: ports.now() - since });
      const step = work.steps[current]?.id;
      const hint = 'its script may go on there: its lock says so (quorate unlock); then run the same command again';
      return new QuorateError('step-failed', `${host}: ${text()}: ${reason}`, { host, step, hint });
    },
    failure(status, stderr) {
      const reason = usefulTail(stderr) || `exit status ${status ?? 'none'}`;
      ports.emit({ type: 'step-failed', ...event, text: text(), reason, elapsedMs: ports.now() - since });
      if (status === LOCK_LOST) {
        return new QuorateError('locked', `${host}: the lock of this run is gone: another run took this host over`, {
          host,
        });
      }
      return new QuorateError('step-failed', `${host}: ${text()}: ${reason}`, {
        host,
        step: work.steps[current]?.id,
        detail: stderr,
        hint: 'nothing half-written is in use; mend the cause and run the same command again, it goes on from here',
      });
    },
  };
}

/** The host's answer; a process that says too much is closed, because nothing reads it any more. */
async function* boundedOutput({ connection: { host }, stage }: HostStage, process: RemoteProcess) {
  try {
    yield* bounded(process.stdout, { host, what: `the output of stage "${stage}"`, limitBytes: OUTPUT_LIMIT_BYTES });
  } catch (error) {
    process.close();
    throw error;
  }
}

async function readLines(chunks: AsyncIterable<Buffer>, onLine: (line: string) => void): Promise<string> {
  const lines: string[] = [];
  for await (const line of linesOf(chunks)) {
    onLine(line);
    lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

/** Lines as they come; unlike readline it throws what its source throws. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let held: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...others] = decoder.write(chunk).split('\n');
    held.push(first);
    for (const next of others) {
      yield withoutReturn(held.join(''));
      held = [next];
    }
  }
  const last = held.join('') + decoder.end();
  if (last !== '') yield withoutReturn(last);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

async function collect(stream: NodeJS.ReadableStream, limit: number): Promise<string> {
  let text = '';
  for await (const chunk of stream) text = `${text}${String(chunk)}`.slice(-limit);
  return text;
}

/** The last lines that say what happened: tar closes with one that only points back, systemctl with where to look. */
function usefulTail(text: string): string {
  const noise = /^(tar: (Exiting with failure|Error is not recoverable)|See "systemctl status )/;
  const lines = text.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line !== '' && !noise.test(line)).slice(-TAIL_LINES);
  return said.map((line) => line.slice(0, TAIL_LINE_LENGTH)).join(' | ');
}
