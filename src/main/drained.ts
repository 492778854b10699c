/** Writing no faster than a stream is read. */
import type { Writable } from 'node:stream';

/** Resolves once the stream takes more; false where its reader has gone. */
export function drained(stream: Writable): Promise<boolean> {
  if (gone(stream)) return Promise.resolve(false);
  if (!stream.writableNeedDrain) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of events) stream.off(event, settle);
      resolve(!gone(stream));
    };
    for (const event of events) stream.on(event, settle);
  });
}

const events = ['drain', 'close', 'error'] as const;

function gone(stream: Writable): boolean {
  return stream.destroyed || stream.errored !== null || !stream.writable;
}
