import { describe, expect, it } from 'vitest';
import type { AuthorityStatus, AuthorityView, PkiView } from '../../../src/domain/pki-view.ts';
import {
  backPhases,
  comingPhases,
  openPurposes,
  type Phase,
  presentPhase,
  progressOf,
  rotationStages,
} from '../../../src/plan/rotation-phases.ts';

const both = ['client', 'peer'] as const;

describe('the progress of a rotation', () => {
  it('is told from statuses alone', () => {
    expect(progressOf(pkiOf('client-1 active'), 'client')).toBe('settled');
    expect(progressOf(pkiOf('client-1 active', 'client-2 incoming'), 'client')).toBe('trust-both');
    expect(progressOf(pkiOf('client-1 outgoing', 'client-2 active cross'), 'client')).toBe('leaves');
    expect(progressOf(pkiOf('client-1 retired', 'client-2 active cross'), 'client')).toBe('trust-new');
    expect(progressOf(pkiOf('client-1 retired', 'client-2 active'), 'client')).toBe('settled');
    expect(progressOf(pkiOf('client-1 active', 'client-2 outgoing'), 'client')).toBe('back');
  });

  it('of an intermediate is settled, though it always stands behind its leaves', () => {
    const between = pkiOf('client-1 active').authorities.map((each) => {
      return { ...each, certificate: 'PEM\n', cross: 'PEM', crossMade: 'PEM' };
    });
    expect(progressOf({ ...pkiOf(), authorities: between }, 'client')).toBe('settled');
  });

  it('is open between its first stage and its last', () => {
    expect(openPurposes(pkiOf('client-1 active', 'peer-1 active', 'peer-2 incoming'))).toEqual(['peer']);
    expect(openPurposes(pkiOf('client-1 active', 'peer-1 active'))).toEqual([]);
  });
});

describe('the phases to come', () => {
  const fresh = pkiOf('client-1 active', 'peer-1 active');

  it('go through every stage, each changing the store before hosts follow', () => {
    const phases = comingPhases(fresh, { purposes: both, until: 'drop-cross', crossSign: false });
    expect(phases.map(told)).toEqual([
      'trust-both restart: authority.succeed client-2 peer-2',
      'leaves: authority.activate client-2 peer-2, admin.issue',
      'trust-new restart: authority.retire client-1 peer-1',
      'drop-cross: authority.uncross client-2 peer-2, admin.issue',
    ]);
    expect(phases.map((each) => statuses(each.pki))).toEqual([
      'client-1 active, peer-1 active, client-2 incoming, peer-2 incoming',
      'client-1 outgoing, peer-1 outgoing, client-2 active cross, peer-2 active cross',
      'client-1 retired, peer-1 retired, client-2 active cross, peer-2 active cross',
      'client-1 retired, peer-1 retired, client-2 active, peer-2 active',
    ]);
  });

  it('end at the stage that is asked for', () => {
    for (const [index, until] of rotationStages.entries()) {
      const phases = comingPhases(fresh, { purposes: both, until, crossSign: false });
      expect(phases.map((each) => each.id)).toEqual(rotationStages.slice(0, index + 1));
    }
  });

  it('leave trust-both out where the cross certificate is enough, and make the successors first all the same', () => {
    const phases = comingPhases(fresh, { purposes: both, until: 'leaves', crossSign: true });
    expect(phases.map(told)).toEqual([
      'leaves: authority.succeed client-2 peer-2, authority.activate client-2 peer-2, admin.issue',
    ]);
  });

  it('touch one authority where one is named', () => {
    const phases = comingPhases(fresh, { purposes: ['peer'], until: 'trust-new', crossSign: false });
    expect(phases.map(told)).toEqual([
      'trust-both restart: authority.succeed peer-2',
      'leaves: authority.activate peer-2, admin.issue',
      'trust-new restart: authority.retire peer-1',
    ]);
    expect(statuses(phases[2]?.pki ?? fresh)).toBe('client-1 active, peer-1 retired, peer-2 active cross');
  });

  it.each([
    ['both are incoming', pkiOf('client-1 active', 'client-2 incoming', 'peer-1 active', 'peer-2 incoming'), 'leaves'],
    [
      'old ones are outgoing',
      pkiOf('client-1 outgoing', 'client-2 active cross', 'peer-1 outgoing', 'peer-2 active cross'),
      'trust-new',
    ],
    [
      'old ones are retired',
      pkiOf('client-1 retired', 'client-2 active cross', 'peer-1 retired', 'peer-2 active cross'),
      'drop-cross',
    ],
  ] as const)('go on where %s', (_title, pki, next) => {
    const phases = comingPhases(pki, { purposes: both, until: 'drop-cross', crossSign: false });
    expect(phases[0]?.id).toBe(next);
    expect(phases[0]?.drafts.some((each) => each.kind === 'authority.succeed')).toBe(false);
  });

  it('make the successor that an interruption left out, before anything is trusted', () => {
    const pki = pkiOf('client-1 active', 'peer-1 active', 'client-2 incoming');
    const phases = comingPhases(pki, { purposes: both, until: 'leaves', crossSign: false });
    expect(phases.map((each) => each.id)).toEqual(['trust-both', 'leaves']);
    expect(told(phases[0])).toBe('trust-both restart: authority.succeed peer-2');
    expect(presentPhase(pki, both).id).toBe('trust-both');
  });
});

describe('the way back', () => {
  it('takes a successor that never signed out of the bundles', () => {
    const phases = backPhases(pkiOf('client-1 active', 'client-2 incoming', 'peer-1 active'), both);
    expect(phases.map(told)).toEqual(['trust-old restart: authority.abandon client-2']);
    expect(statuses(phases[0]?.pki ?? pkiOf())).toBe('client-1 active, client-2 retired, peer-1 active');
  });

  it('serves the old certificates again before it ends the trust in the new authority', () => {
    const phases = backPhases(pkiOf('client-1 outgoing', 'client-2 active cross'), ['client']);
    expect(phases.map(told)).toEqual([
      'leaves-old: authority.abandon client-2, admin.issue',
      'trust-old restart: authority.retire client-2',
    ]);
    expect(phases.map((each) => statuses(each.pki))).toEqual([
      'client-1 active, client-2 outgoing',
      'client-1 active, client-2 retired',
    ]);
  });

  it('goes on after an interruption between the two', () => {
    const phases = backPhases(pkiOf('client-1 active', 'client-2 outgoing'), ['client']);
    expect(phases.map(told)).toEqual(['trust-old restart: authority.retire client-2']);
  });

  it('is refused once the old authority is trusted no more', () => {
    expect(() => backPhases(pkiOf('client-1 retired', 'client-2 active cross'), ['client'])).toThrow(
      /no way back for client/,
    );
  });
});

/** `client-2 active cross` */
function pkiOf(...authorities: readonly string[]): PkiView {
  const made = authorities.map((text): AuthorityView => {
    const [id = '', status = '', cross] = text.split(' ');
    const purpose = id.startsWith('peer') ? 'peer' : 'client';
    const pem = `certificate of ${id}`;
    const crossMade = id.endsWith('-1') ? undefined : `cross certificate of ${id}`;
    return {
      id,
      purpose,
      status: statusOf(status),
      certificate: pem,
      cross: cross === undefined ? undefined : crossMade,
      crossMade,
    };
  });
  return { identity: undefined, authorities: made, admin: undefined, goals: [] };
}

function statusOf(text: string): AuthorityStatus {
  if (text === 'incoming' || text === 'active' || text === 'outgoing' || text === 'retired') return text;
  throw new Error(`no status: ${text}`);
}

function statuses({ authorities }: PkiView): string {
  return authorities.map(({ id, status, cross }) => `${id} ${status}${cross === undefined ? '' : ' cross'}`).join(', ');
}

/** `leaves: authority.activate client-2, admin.issue` */
function told(phase: Phase | undefined): string {
  const drafts = (phase?.drafts ?? []).map((each) =>
    'ids' in each ? `${each.kind} ${each.ids.join(' ')}` : each.kind,
  );
  return `${phase?.id}${phase?.restart === true ? ' restart' : ''}: ${drafts.join(', ')}`;
}
