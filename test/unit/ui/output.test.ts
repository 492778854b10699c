import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { QuorateError } from '../../../src/domain/errors.ts';
import type { RunEvent } from '../../../src/domain/run-event.ts';
import { createUi } from '../../../src/ui/output.ts';
import type { PlanView } from '../../../src/ui/plan-view.ts';
import { createSecrets } from '../../../src/ui/secrets.ts';
import type { Mode } from '../../../src/ui/terminal.ts';

const plan: PlanView = { verb: 'plan', cluster: 'prod', stages: [], warnings: [], reasons: [] };
const stage = 'start';
const run: RunEvent[] = [
  { type: 'run-start', title: 'bootstrap prod' },
  { type: 'stage-start', stage, title: 'Start members', hosts: ['etcd-1', 'etcd-2'] },
  { type: 'step-start', stage, host: 'etcd-1', text: 'write /etc/etcd/etcd-config.yml' },
  { type: 'step-done', stage, host: 'etcd-1', text: 'write /etc/etcd/etcd-config.yml', elapsedMs: 12 },
  { type: 'step-skipped', stage, host: 'etcd-2', text: 'create user etcd', reason: 'it exists' },
  {
    type: 'step-failed',
    stage,
    host: 'etcd-2',
    text: 'start etcd.service',
    reason: 'port 2380 is taken',
    elapsedMs: 3400,
  },
  { type: 'stage-done', stage, elapsedMs: 3500 },
  { type: 'run-end', outcome: 'failed', elapsedMs: 3600, text: '1 of 2 hosts failed' },
];

function start(mode: Mode, more: { verbose?: boolean; events?: boolean } = {}) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const secrets = createSecrets();
  const logged: unknown[] = [];
  const log = {
    write: (fields: object) => logged.push(fields),
    path: () => '/state/log.ndjson',
    close: () => logged.push('closed'),
  };
  const terminal = { mode, color: { stdout: false, stderr: false }, width: 80, stderrWidth: 80, interactive: false };
  const ui = createUi({ terminal, streams, secrets, log, verbose: false, ...more });
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { ui, secrets, logged, streams, out: () => read(streams.stdout), err: () => read(streams.stderr) };
}

async function speak(mode: Mode) {
  const { ui, out, err } = start(mode);
  ui.out('result');
  ui.table({ columns: [{ title: 'A' }], rows: [['cell']] });
  ui.plan(plan);
  ui.note('note');
  ui.warn('careful');
  ui.err('always');
  const progress = await ui.openProgress();
  for (const event of run) progress.handle(event);
  await progress.end();
  ui.error(new QuorateError('refused', 'no'));
  return { out: out(), err: err() };
}

describe('Ui', () => {
  it('writes results to stdout and everything else to stderr', async () => {
    const { out, err } = await speak('plain');
    expect(out).toBe('result\nA\ncell\nplan: plan prod\n\nnothing to do\n');
    expect(err).toBe(
      [
        'note',
        'warning: careful',
        'always',
        'bootstrap prod',
        'Start members (etcd-1, etcd-2)',
        '[etcd-1] write /etc/etcd/etcd-config.yml (12 ms)',
        '[etcd-2] create user etcd: skipped, it exists',
        '[etcd-2] failed: start etcd.service: port 2380 is taken (3.4 s)',
        '1 of 2 hosts failed (3.6 s)',
        'error: no',
        'log: /state/log.ndjson',
        '',
      ].join('\n'),
    );
  });

  it('writes results and errors only with --quiet', async () => {
    expect(await speak('quiet')).toEqual({ out: 'result\n', err: 'always\nerror: no\nlog: /state/log.ndjson\n' });
  });

  it('writes one JSON document and nothing else to stdout with --json', async () => {
    const { out, err } = await speak('json');
    expect(JSON.parse(out)).toEqual({
      error: { code: 'refused', message: 'no', exitStatus: 13, log: '/state/log.ndjson' },
    });
    expect(err).toBe('warning: careful\nalways\nerror: no\nlog: /state/log.ndjson\n');
  });

  it('does not add the error to a document that was written, and refuses a second document', () => {
    const { ui, out } = start('json');
    ui.json({ healthy: false });
    ui.error(new QuorateError('refused', 'no'));
    expect(JSON.parse(out())).toEqual({ healthy: false });
    expect(() => ui.json({})).toThrow('written before');
  });

  it('writes events as NDJSON to stderr when asked to', async () => {
    const { ui, err } = start('json', { events: true });
    const progress = await ui.openProgress();
    for (const event of run) progress.handle(event);
    await progress.end();
    const lines = err().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(run);
  });

  it('shows a plan that precedes a question on stderr', () => {
    const { ui, out, err } = start('plain');
    ui.plan(plan, 'stderr');
    expect([out(), err()]).toEqual(['', 'plan: plan prod\n\nnothing to do\n']);
  });

  it('lets no secret through, on any way', async () => {
    const { ui, secrets, out, err } = start('plain');
    secrets.add('hunter2hunter2');
    const text = 'it was hunter2hunter2';
    ui.out(text);
    ui.table({ columns: [{ title: 'A' }], rows: [[text]] });
    ui.json({ text, [text]: [text] });
    ui.plan({ ...plan, warnings: [text] });
    ui.note(text);
    ui.warn(text);
    ui.err(text);
    const progress = await ui.openProgress();
    progress.handle({ type: 'step-failed', stage: 's', host: 'h', text, reason: text, elapsedMs: 1 });
    ui.error(new QuorateError('step-failed', text, { hint: text, detail: text }));
    ui.error(new Error(text));
    expect(out() + err()).not.toContain('hunter2');
  });

  it('finds a secret also where its line is too long for the terminal', () => {
    const { ui, secrets, out } = start('plain');
    secrets.add('correct horse battery staple');
    ui.plan({ ...plan, warnings: [`${'padding '.repeat(7)}correct horse battery staple`] });
    expect(out()).not.toContain('horse');
  });

  it('logs events, notes and errors', async () => {
    const { ui, logged } = start('quiet');
    ui.note('unheard');
    const progress = await ui.openProgress();
    progress.handle({ type: 'note', text: 'within' });
    ui.error(new QuorateError('locked', 'etcd-1: locked'));
    await ui.close();
    await ui.close();
    expect(logged).toMatchObject([
      { event: 'note' },
      { event: 'note' },
      { event: 'error', error: { code: 'locked' } },
      'closed',
      'closed',
    ]);
  });

  it('opens one progress at a time and forgets it when it ends', async () => {
    const { ui } = start('plain');
    const progress = await ui.openProgress();
    await expect(ui.openProgress()).rejects.toThrow('open already');
    await progress.end();
    await progress.end();
    await (await ui.openProgress()).end();
  });

  it('survives a reader that went away', async () => {
    const { ui, streams } = start('plain');
    streams.stdout.destroy(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    await setImmediate();
    ui.out('nobody reads this');
    await setImmediate();
  });
});

describe('plain progress', () => {
  afterEach(() => vi.useRealTimers());

  it('tells when steps start with --verbose', async () => {
    const { ui, err } = start('plain', { verbose: true });
    const progress = await ui.openProgress();
    progress.handle({ type: 'step-start', stage, host: 'etcd-1', text: 'start etcd.service' });
    await progress.end();
    expect(err()).toBe('[etcd-1] start etcd.service ...\n');
  });

  it('tells what still runs after 30 s of silence', async () => {
    vi.useFakeTimers();
    const { ui, err } = start('plain');
    const progress = await ui.openProgress();
    progress.handle({ type: 'step-start', stage, host: 'etcd-1', text: 'download etcd' });
    progress.handle({ type: 'step-start', stage, host: 'etcd-2', text: 'download etcd' });
    progress.handle({ type: 'step-done', stage, host: 'etcd-2', text: 'download etcd', elapsedMs: 5 });
    err();
    vi.advanceTimersByTime(61_000);
    expect(err()).toBe('[etcd-1] still: download etcd (30.0 s)\n[etcd-1] still: download etcd (1 min 0 s)\n');
    await progress.end();
    vi.advanceTimersByTime(61_000);
    expect(err()).toBe('');
  });
});
