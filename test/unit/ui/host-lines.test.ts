import { expect, it } from 'vitest';
import type { RunEvent } from '../../../src/domain/run-event.ts';
import { advanceLine, finishLine, type HostLine, startLines, wordLine } from '../../../src/ui/host-lines.ts';

const start = {
  type: 'stage-start',
  stage: 's',
  title: 'Prepare',
  hosts: ['etcd-1', 'a'],
  steps: { 'etcd-1': 2 },
} as const satisfies RunEvent;
const step = { stage: 's', host: 'etcd-1', text: 'write /etc/etcd/etcd-config.yml' };
const look = { width: 60, nameWidth: 6, total: 2, now: 10_000 };

function follow(...events: RunEvent[]): HostLine[] {
  const [line, other] = startLines(start);
  if (line === undefined || other === undefined) throw new Error('a line is missing');
  let current = line;
  for (const event of events) {
    current = advanceLine(current, event, start, 5000);
    expect(advanceLine(other, event, start, 5000)).toBe(other);
  }
  return [current];
}

it('waits, runs, shows the time of what runs long, and is done with its last step', () => {
  const words = (...events: RunEvent[]) => follow(...events).map((line) => wordLine(line, look));
  const begin: RunEvent = { type: 'step-start', ...step };
  const done: RunEvent = { type: 'step-done', ...step, elapsedMs: 12 };
  const skipped: RunEvent = { type: 'step-skipped', ...step, reason: 'it exists' };
  expect(words()).toEqual(['etcd-1  waiting']);
  expect(words(begin)).toEqual(['etcd-1  write /etc/etcd/etcd-config.yml  (0/2, 5.0 s)']);
  expect(wordLine(follow(begin)[0]!, { ...look, now: 5100 })).toBe('etcd-1  write /etc/etcd/etcd-config.yml  (0/2)');
  expect(words(begin, done, skipped)).toEqual(['etcd-1  done  (2/2, 12 ms)']);
});

it('stays failed, with the reason', () => {
  const failed: RunEvent = { type: 'step-failed', ...step, reason: 'disk full', elapsedMs: 40 };
  const [line] = follow(failed, { type: 'step-done', ...step, elapsedMs: 1 });
  expect(line).toMatchObject({
    state: 'failed',
    text: 'write /etc/etcd/etcd-config.yml: disk full',
    steps: 0,
    elapsedMs: 40,
  });
  expect(finishLine(line!, false, 6000)).toBe(line);
});

it('is done with its stage, or was interrupted', () => {
  const [line] = follow({ type: 'step-start', ...step });
  expect(finishLine(line!, false, 6000).state).toBe('done');
  expect(finishLine(line!, true, 6000)).toMatchObject({
    state: 'failed',
    text: `${step.text}: interrupted`,
    elapsedMs: 1000,
  });
});

it('fits into the width, the name kept', () => {
  const [line] = follow({ type: 'step-start', ...step });
  expect(wordLine(line!, { ...look, width: 34 })).toBe('etcd-1  write /etc/…  (0/2, 5.0 s)');
  expect(wordLine(line!, { ...look, width: 34 }).length).toBeLessThanOrEqual(34);
});
