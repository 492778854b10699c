/** Colours by meaning, so that no other file names a colour. */
import { styleText } from 'node:util';

const styles = {
  add: ['green'],
  change: ['yellow'],
  remove: ['red'],
  disrupt: ['magenta', 'bold'],
  good: ['green'],
  warn: ['yellow'],
  bad: ['red', 'bold'],
  head: ['bold'],
  host: ['cyan'],
  faint: ['dim'],
} as const satisfies Record<string, readonly string[]>;

export type Style = keyof typeof styles;

/** The text in a style, or as it is where colours are off. */
export type Paint = (style: Style, text: string) => string;

/** A {@link Paint} for a stream whose colours were already decided. */
export function painter(color: boolean): Paint {
  if (!color) return (_, text) => text;
  return (style, text) => (text === '' ? '' : styleText([...styles[style]], text, { validateStream: false }));
}
