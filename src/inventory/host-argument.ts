/** `[user@]host[:port]`, as verbs take hosts on the command line. */
import { QuorateError } from '../domain/errors.ts';
import { parseIp } from './address.ts';
import { addressRule } from './address-rules.ts';
import { quote } from './complaint.ts';
import { loginRule } from './name-rules.ts';

export interface HostArgument {
  readonly user: string | undefined;
  /** IP address or DNS name, without brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * Reads `host`, `user@host`, `host:2222`, `[fd00::1]:2222` or `fd00::1`. Throws QuorateError `usage` for anything that could be no host, so
 * that the parts are safe to write and to dial.
 */
export function parseHostArgument(text: string): HostArgument {
  const at = text.lastIndexOf('@');
  const user = at === -1 ? undefined : text.slice(0, at);
  const { host, port } = splitPort(text.slice(at + 1));
  const flaw = (user === undefined ? undefined : loginRule.check(user)) ?? addressRule.check(host) ?? flawOfPort(port);
  if (flaw === undefined) return { user, host, port: port === undefined ? undefined : Number(port) };
  const part =
    user !== undefined && loginRule.check(user) !== undefined ? user : addressRule.check(host) ? host : `:${port}`;
  throw new QuorateError('usage', `${quote(text)}: ${quote(part)} ${flaw.problem} (${flaw.remedy})`, {
    hint: 'write [user@]host[:port], an IPv6 address with a port in brackets: root@[fd00::1]:22',
  });
}

function splitPort(text: string): { readonly host: string; readonly port: string | undefined } {
  if (parseIp(text) !== undefined || text.includes('://')) return { host: text, port: undefined };
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s.exec(text);
  return match === null ? { host: text, port: undefined } : { host: match[1] ?? match[2] ?? '', port: match[3] };
}

function flawOfPort(port: string | undefined): { readonly problem: string; readonly remedy: string } | undefined {
  if (port === undefined || (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535)) return undefined;
  return { problem: 'is no port', remedy: 'write a number of 1 to 65535' };
}
