/** What `lab list` tells about a lab: read from its record and from the processes there are. */
import { supervisorOf } from './machine.ts';
import { type LabPlace, readRecord } from './state.ts';

/** A lab as `lab list` shows it; `state` is `partial` when some hosts are off or its making was interrupted. */
export interface LabSummary {
  readonly name: string;
  readonly folder: string;
  readonly state: 'up' | 'partial' | 'off' | 'unreadable';
  readonly hosts: readonly {
    readonly name: string;
    readonly ipv4: string;
    readonly ipv6: string;
    readonly running: boolean;
  }[];
}

/** Looks at one lab; a record that cannot be read is a state, not an error. */
export async function summarizeLab(place: LabPlace): Promise<LabSummary> {
  const record = await readRecord(place).catch(() => undefined);
  if (record === undefined) return { name: place.name, folder: place.folder, state: 'unreadable', hosts: [] };
  const hosts = await Promise.all(
    record.hosts.map(async ({ name, ipv4, ipv6 }) => {
      const running = (await supervisorOf(place, name)) !== undefined;
      return { name, ipv4, ipv6, running };
    }),
  );
  const running = hosts.filter((host) => host.running).length;
  const whole = record.phase === 'up' && running === hosts.length;
  const state = whole ? 'up' : running === 0 ? 'off' : 'partial';
  return { name: place.name, folder: place.folder, state, hosts };
}
