/** Room for a lab's own traffic in this machine's firewall: docker, for one, lets nothing be forwarded that it does not know. */
import { readFile } from 'node:fs/promises';
import { tryProgram } from './program.ts';
import { findProgram } from './requirements.ts';

const families = [
  { program: 'iptables', setting: '/proc/sys/net/bridge/bridge-nf-call-iptables' },
  { program: 'ip6tables', setting: '/proc/sys/net/bridge/bridge-nf-call-ip6tables' },
] as const;

/**
 * Lets the hosts on a bridge reach each other where bridged packets pass iptables at all (the br_netfilter module).
 * A no-op elsewhere, and where iptables is not installed: then nobody has made rules with it.
 */
export async function openFirewall(bridge: string): Promise<void> {
  for (const { program, setting } of families) {
    const filtered = (await readFile(setting, 'utf8').catch(() => '0')).trim() === '1';
    if (!filtered || (await findProgram(program)) === undefined) continue;
    const there = await tryProgram([program, '-w', '10', '-C', ...rule(bridge)]);
    if (there.status !== 0) await tryProgram([program, '-w', '10', '-I', ...rule(bridge)]);
  }
}

/** Takes the bridge's rules away again, however many there are. */
export async function closeFirewall(bridge: string): Promise<void> {
  for (const { program } of families) {
    if ((await findProgram(program)) === undefined) continue;
    while ((await tryProgram([program, '-w', '10', '-D', ...rule(bridge)])).status === 0);
  }
}

function rule(bridge: string): string[] {
  return ['FORWARD', '-i', bridge, '-o', bridge, '-m', 'comment', '--comment', 'quorate lab', '-j', 'ACCEPT'];
}
