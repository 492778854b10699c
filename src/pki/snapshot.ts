/** The PKI store as planners see it: public data only, read once. Pure. */
import type { AuthorityView, PkiView, StoredIdentity } from '../domain/pki-view.ts';
import type { CertificateFacts } from './inspect.ts';

/** One authority, with what reporting needs. */
export interface AuthoritySnapshot extends AuthorityView {
  readonly number: number;
  readonly facts: CertificateFacts;
  /** Whether its encrypted key is in the store (an imported or external authority has none). */
  readonly hasKey: boolean;
  /** Whether it never had: somebody else signs with it. */
  readonly signsElsewhere: boolean;
  /** age recipients that its key was encrypted to. */
  readonly recipients: readonly string[];
}

/** {@link PkiView}, and what reporting and issuing need besides. */
export interface PkiSnapshot extends PkiView {
  /** undefined until the store knows the cluster. */
  readonly identity: (StoredIdentity & { readonly name: string }) | undefined;
  /** Where the store is, for people. */
  readonly location: string;
  readonly authorities: readonly AuthoritySnapshot[];
  /** Facts of {@link PkiView.admin}; undefined also where it can't be read. */
  readonly adminFacts: CertificateFacts | undefined;
  /** Leaves of an older generation are due; 1 at first. */
  readonly generation: number;
}
