/** Refuses YAML that would bring the parser down: it recurses, and a stack that overflows inside it ends the process, not the call. */
import { Lexer } from 'yaml';

/** No inventory needs more. */
const MOST_LEVELS = 24;

/** The offset at which collections are nested too deeply (in `[[[…`, `- - - …`, or by indentation); undefined where they never are. */
export function findDeepNesting(text: string): number | undefined {
  let offset = 0;
  let flow = 0;
  let inLine = 0;
  let lineStart = true;
  for (const token of new Lexer().lex(text)) {
    if (isMark(token)) continue;
    if (token === '[' || token === '{') flow++;
    else if (token === ']' || token === '}') flow = Math.max(0, flow - 1);
    else if (flow === 0 && (token === '-' || token === '?' || token === ':')) inLine++;
    else if (token.includes('\n')) inLine = 0;
    const indented = lineStart && token.length > 8 * MOST_LEVELS && /^ +$/.test(token);
    if (flow > MOST_LEVELS || inLine > MOST_LEVELS || indented) return offset;
    lineStart = token.endsWith('\n');
    offset += token.length;
  }
  return undefined;
}

/** Tokens that stand for no text: byte order mark, start of document, flow error, scalar. */
function isMark(token: string): boolean {
  return token === '\u0002' || token === '\u0018' || token === '\u001f';
}
