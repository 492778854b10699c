import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { watchInterrupts } from '../../../src/ui/interrupt.ts';

function watch() {
  const source = new EventEmitter();
  const told: string[] = [];
  const clock = { now: 1000 };
  const stop = watchInterrupts({
    source,
    now: () => clock.now,
    onFirst: (signal) => told.push(`first ${signal}`),
    onSecond: (signal) => told.push(`second ${signal}`),
  });
  const send = (signal: string, afterMs: number) => {
    clock.now += afterMs;
    source.emit(signal, signal);
  };
  return { source, told, stop, send };
}

it('asks to stop at the first Ctrl-C and ends at the second, once', () => {
  const { told, send } = watch();
  send('SIGINT', 0);
  send('SIGINT', 300);
  send('SIGINT', 300);
  expect(told).toEqual(['first SIGINT', 'second SIGINT']);
});

it('takes the same Ctrl-C passed on by npm for one', () => {
  const { told, send } = watch();
  send('SIGINT', 0);
  send('SIGINT', 3);
  expect(told).toEqual(['first SIGINT']);
});

it('treats SIGTERM and a closed terminal like Ctrl-C', () => {
  const { told, send } = watch();
  send('SIGHUP', 0);
  send('SIGTERM', 400);
  expect(told).toEqual(['first SIGHUP', 'second SIGTERM']);
});

it('leaves no listener behind', () => {
  const { source, stop } = watch();
  stop();
  expect(source.eventNames()).toEqual([]);
});
