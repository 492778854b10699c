/** Text as a terminal takes it: without control characters, cut or wrapped to a width. */

/**
 * What others wrote (a host's stderr, a file's content) with control characters made visible, so that it cannot move the cursor, colour or
 * reorder what stands around it. Line feeds and tabs stay.
 */
export function clean(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, visible);
}

/** One line of at most `width` characters, the end replaced by `…` where it is longer; line feeds become spaces. */
export function cut(text: string, width: number): string {
  const line = text.includes('\n') ? joinLines(text.split('\n')) : text;
  const characters = [...line];
  if (characters.length <= width) return characters.join('');
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}…`;
}

/** Lines of at most `width` characters, each behind `first` or `rest` (of the same length); a word longer than that is never broken. */
export function wrap(text: string, width: number, first: string, rest = ' '.repeat(first.length)): string[] {
  const room = Math.max(width - first.length, 10);
  const lines = text.split('\n').flatMap((line) => wrapLine(line, room));
  return lines.map((line, index) => ((index === 0 ? first : rest) + line).trimEnd());
}

/** Lines, each behind `prefix`. */
export function indent(text: string, prefix: string): string[] {
  const lines = text.split('\n');
  const end = lines.findLastIndex((line) => line !== '') + 1;
  return lines.slice(0, Math.max(end, 1)).map((line) => (prefix + line).trimEnd());
}

/** `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 2 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** In one line, whatever blanks stood around the line feeds. */
function joinLines(lines: readonly string[]): string {
  const last = lines.length - 1;
  const trimmed = lines.map((line, index) => {
    if (index === 0) return line.trimEnd();
    return index === last ? line.trimStart() : line.trim();
  });
  return trimmed.filter((line, index) => line !== '' || index === 0 || index === last).join(' ');
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

function wrapLine(line: string, room: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current === '') current = word;
    else if (current.length + 1 + word.length <= room) current += ` ${word}`;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current];
}
