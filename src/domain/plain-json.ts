/** JSON in one line that any terminal may show: what could move its cursor or reorder its text is escaped. */

/** JSON.stringify escapes what JSON demands (below U+0020); C1 controls, DEL and what reorders text stay, so they are escaped here. */
export function plainJson(value: unknown): string {
  return (JSON.stringify(value) ?? '').replace(unsafe, escaped);
}

/** The same over several lines, indented by two blanks. */
export function prettyJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2) ?? '';
  return text.replace(unsafe, (character) => (character === '\n' ? character : escaped(character)));
}

/** Text in one line that any terminal may show: line breaks and tabs become blanks, every other such character is replaced. */
export function plainText(text: string): string {
  return text.replace(/[\r\n\t]+/g, ' ').replace(unsafe, '\ufffd');
}

const unsafe = /\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
