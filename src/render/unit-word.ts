/** Words of a systemd unit file (systemd.syntax(7); systemd.service(5), "Command lines"). */
import { QuorateError } from '../domain/errors.ts';

/**
 * One word of a command line or of a list of paths, in which `%`, quotes, backslashes and blanks mean themselves. Throws
 * QuorateError `inventory` for what has no form that is right in both: control characters, `$`, nothing.
 */
export function unitWord(text: string): string {
  if (/[\p{Cc}$]/u.test(text) || text === '') {
    throw new QuorateError('inventory', `${JSON.stringify(text)} cannot stand in a systemd unit`, {
      hint: 'write letters, digits and _ + @ . - between /',
    });
  }
  const literal = text.replaceAll('%', '%%');
  return /^[A-Za-z0-9_/.,:@%+=-]+$/.test(text) ? literal : `"${literal.replaceAll(/["\\]/g, '\\$&')}"`;
}
