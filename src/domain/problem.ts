/** What a check before a change found on one host. */
import type { Cluster } from './cluster.ts';
import type { Controller } from './controller.ts';
import type { HostFacts } from './facts.ts';

/** Something about one host: `refuse` must be mended first, `warn` is told. */
export interface Problem {
  /** The controller's name. */
  readonly host: string;
  readonly level: 'refuse' | 'warn';
  /** Host first, with the value and the limit. */
  readonly message: string;
  readonly hint: string;
}

/** What one check of one host looks at. */
export interface HostCheck {
  readonly cluster: Cluster;
  readonly controller: Controller;
  readonly host: HostFacts;
}
