/** What only `adopt` may do: read texts as inventories, and look at clusters that quorate did not make. */
import type { FoundHost } from '../adopt/found.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { QuorateError } from '../domain/errors.ts';

export interface AdoptionPort {
  /** @throws QuorateError inventory */
  clusterOf(draft: InventoryDraft): Promise<Cluster>;
  /** One answer for each controller, in their order. Nothing is changed on any host. */
  survey(cluster: Cluster, wish: SurveyWish): Promise<readonly (FoundHost | QuorateError)[]>;
  /** A private key on a host, which the operator asked for. @throws QuorateError refused where there is none */
  readKey(cluster: Cluster, place: { readonly host: string; readonly path: string }): Promise<string>;
}

/** A text that is read as an inventory without being one's file. */
export interface InventoryDraft {
  readonly text: string;
  /** As complaints name it. */
  readonly fileName: string;
  /** Absolute: relative paths start from here. */
  readonly directory: string;
}

export interface SurveyWish {
  /** The unit of the etcd that is meant, where a host runs several. */
  readonly unit: string | undefined;
}
