/** What was found on one host, and what is told of it. */
import type { FoundMember } from './member.ts';
import type { MemberList } from './member-list.ts';
import type { HostDetails, HostSurvey } from './survey.ts';

/** One host of the draft and what was found on it. */
export interface FoundHost {
  /** The controller's key in the draft. */
  readonly host: string;
  /** What SSH dials. */
  readonly address: string;
  readonly survey: HostSurvey;
  readonly member: FoundMember;
  readonly details: HostDetails;
  /** As this member tells it; undefined where it could not be asked. */
  readonly list: MemberList | undefined;
}

/**
 * `blocks`: no inventory describes it as it is. `kept`: described, and not taken in, because another tool has its process. `changes`: will be another with
 * the first apply. `told`: worth knowing.
 */
export interface Note {
  readonly level: 'blocks' | 'kept' | 'changes' | 'told';
  readonly host: string;
  readonly text: string;
  readonly hint?: string;
}
