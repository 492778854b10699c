/** A small program that talks through the Ui, for tests on real terminals: the scenario is the first argument, flags follow. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitStatus, QuorateError } from '../../src/domain/errors.ts';
import { createDebugLog } from '../../src/ui/debug-log.ts';
import { watchInterrupts } from '../../src/ui/interrupt.ts';
import { createUi, type Ui } from '../../src/ui/output.ts';
import { createSecrets } from '../../src/ui/secrets.ts';
import { decideTerminal, readTerminal } from '../../src/ui/terminal.ts';

const [scenario = '', ...flags] = process.argv.slice(2);
const secrets = createSecrets();
secrets.add('hunter2hunter2');
const log = createDebugLog({
  directory: process.env['LOG_DIRECTORY'] ?? '',
  verb: scenario,
  pid: process.pid,
  now: Date.now,
  redactValue: secrets.redactValue,
});
const terminal = decideTerminal(readTerminal(process, process.env), {
  json: flags.includes('--json'),
  quiet: flags.includes('--quiet'),
  verbose: flags.includes('--verbose'),
  noColor: flags.includes('--no-color'),
  noInput: flags.includes('--no-input'),
});
const ui = createUi({ terminal, streams: process, secrets, log, verbose: flags.includes('--verbose') });

const hosts = ['etcd-1', 'etcd-2', 'etcd-3'];

async function run(failing: boolean): Promise<void> {
  const stopping = new AbortController();
  watchInterrupts({
    source: process,
    now: () => performance.now(),
    onFirst: () => {
      ui.err('stopping after the current step; Ctrl-C again to stop at once');
      stopping.abort();
    },
    onSecond: () => {
      ui.abort();
      process.exit(130);
    },
  });
  const progress = await ui.openProgress();
  progress.handle({ type: 'run-start', title: 'bootstrap prod' });
  const steps = { 'etcd-1': 2, 'etcd-2': 2, 'etcd-3': 2 };
  progress.handle({ type: 'stage-start', stage: 'prepare', title: 'Prepare the hosts', hosts, steps });
  for (const host of hosts)
    progress.handle({ type: 'step-start', stage: 'prepare', host, text: 'put etcd 3.6.14 in place' });
  await sleep(Number(process.env['STEP_MS'] ?? 300));
  const text = 'put etcd 3.6.14 in place';
  for (const host of hosts) progress.handle({ type: 'step-done', stage: 'prepare', host, text, elapsedMs: 280 });
  const next = 'write /etc/etcd/etcd-config.yml';
  for (const host of hosts) progress.handle({ type: 'step-done', stage: 'prepare', host, text: next, elapsedMs: 12 });
  progress.handle({ type: 'stage-done', stage: 'prepare', elapsedMs: 300 });
  progress.handle({ type: 'stage-start', stage: 'start', title: 'Start all members', hosts });
  for (const host of hosts) progress.handle({ type: 'step-start', stage: 'start', host, text: 'start etcd.service' });
  progress.handle({ type: 'note', text: 'password hunter2hunter2 \u001b[2Jaccepted', host: 'etcd-2' });
  console.error('a stray line');
  for (let waited = 0; waited < Number(process.env['STEP_MS'] ?? 300) && !stopping.signal.aborted; waited += 50)
    await sleep(50);
  if (stopping.signal.aborted) {
    progress.handle({ type: 'run-end', outcome: 'interrupted', elapsedMs: 900 });
    await progress.end();
    throw new QuorateError('interrupted', 'stopped after the current step', {
      hint: 'run the same command again to go on',
    });
  }
  for (const host of hosts.slice(failing ? 1 : 0)) {
    progress.handle({ type: 'step-done', stage: 'start', host, text: 'start etcd.service', elapsedMs: 300 });
  }
  if (failing) {
    const reason = 'port 2380 is taken by process 812 (nginx)';
    progress.handle({
      type: 'step-failed',
      stage: 'start',
      host: 'etcd-1',
      text: 'start etcd.service',
      reason,
      elapsedMs: 310,
    });
  }
  progress.handle({ type: 'stage-done', stage: 'start', elapsedMs: 310 });
  const outcome = failing ? 'failed' : 'done';
  progress.handle({ type: 'run-end', outcome, elapsedMs: 700 });
  await progress.end();
  await progress.end();
  if (failing)
    throw new QuorateError('step-failed', 'etcd-1: port 2380 is taken', { hint: 'stop what holds it and run again' });
  if (terminal.mode === 'json') ui.json({ members: hosts });
  else
    ui.table({
      columns: [{ title: 'MEMBER' }, { title: 'STATE' }],
      rows: hosts.map((host) => [host, { text: 'healthy', level: 'good' }]),
    });
}

const scenarios: Readonly<Record<string, (ui: Ui) => Promise<void>>> = {
  run: () => run(false),
  fail: () => run(true),
  confirm: async () => {
    const question = 'This destroys the cluster.';
    const yes = await ui.confirm({ question, expect: 'prod', instead: '--yes-destroy prod' });
    ui.out(yes ? 'confirmed' : 'declined');
  },
  secret: async () => {
    const secret = await ui.askSecret({ question: 'sudo password for etcd-1', instead: 'QUORATE_SUDO_PASSWORD' });
    ui.out(`length ${secret.length}, value ${secret}`);
  },
};

try {
  await scenarios[scenario]?.(ui);
} catch (error) {
  ui.error(error);
  process.exitCode = exitStatus(error);
} finally {
  await ui.close();
}
