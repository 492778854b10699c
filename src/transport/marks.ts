/** Cutting off what login shells and sudo print before a script's own output. */
import { Transform } from 'node:stream';

/** What is told while the mark has not come. */
export interface MarkListener {
  /** Everything so far, whenever more has come; cut to its last 64 KiB. */
  readonly onEarly: (text: string) => void;
  readonly onMark: () => void;
}

const keptBytes = 64 * 1024;

/** A stream of the bytes after the first occurrence of `mark`; nothing when it never comes. */
export function afterMark(mark: string, { onEarly, onMark }: MarkListener): Transform {
  let held: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (held === undefined) return done(null, chunk);
      held = Buffer.concat([held, chunk]);
      const at = held.indexOf(mark);
      onEarly(held.toString('utf8', 0, at < 0 ? held.length : at));
      if (at < 0) {
        held = held.subarray(-keptBytes);
        return done();
      }
      const rest = held.subarray(at + mark.length);
      held = undefined;
      onMark();
      done(null, rest);
    },
  });
}
