/** Which releases are refused, and what is said instead. */
import { describe, expect, it } from 'vitest';
import { hazardIds, hazardsOf, judgeVersion, requireSafeVersion } from '../../../src/domain/hazards.ts';

const ids = (version: string) => judgeVersion(version, []).refused.map(({ id }) => id);

describe('hazards', () => {
  it.each(['3.4.15', '3.4.23', '3.5.0', '3.5.16', '3.5.30', '3.5.32', '3.6.4', '3.6.13', '3.7.0', '3.6.0-rc.5'])(
    'refuses %s until every hazard is accepted by ID',
    (version) => {
      expect(ids(version)).not.toEqual([]);
      expect(judgeVersion(version, ids(version)).refused).toEqual([]);
      expect(judgeVersion(version, ids(version).slice(1)).refused).toHaveLength(1);
      expect(() => requireSafeVersion(version, [])).toThrow(`etcd ${version} is known to be dangerous`);
    },
  );

  it.each(['3.5.33', '3.5.35', '3.6.14', '3.6.16', '3.7.1', '3.7.3'])('finds nothing against %s', (version) => {
    expect(hazardsOf(version)).toEqual([]);
    expect(judgeVersion(version, [])).toEqual({ refused: [], warned: [], nearestGood: version });
  });

  it('names the nearest good release of the same minor', () => {
    const nearest = ['3.4.15', '3.5.0', '3.6.4', '3.7.0', '3.8.0-alpha.0'].map((v) => judgeVersion(v, []).nearestGood);
    expect(nearest).toEqual(['3.4.44', '3.5.33', '3.6.14', '3.7.1', '3.7.1']);
    for (const version of nearest) expect(judgeVersion(version, []).refused).toEqual([]);
  });

  it('knows exactly what is wrong with releases that tutorials name', () => {
    expect(ids('3.5.0')).toContain('corruption-13766');
    expect(ids('3.5.3')).not.toContain('corruption-13766');
    expect(ids('3.4.15')).toContain('lost-write-14370');
    expect(ids('3.4.15')).not.toContain('stale-reads-20418');
    expect(ids('3.6.4')).not.toContain('learner-replay-20387');
    expect(ids('3.6.3')).toContain('learner-replay-20387');
    expect(ids('3.5.30')).toEqual(['watch-leak-xg4h', 'tls-handshake-dos']);
  });

  it('warns about the end of 3.4 and about what was accepted', () => {
    expect(judgeVersion('3.4.45', []).refused).toEqual([]);
    expect(requireSafeVersion('3.4.45', [])).toEqual([expect.stringContaining('(eol-3.4)')]);
    expect(judgeVersion('3.5.30', ids('3.5.30')).warned.map(({ id }) => id)).toEqual(ids('3.5.30'));
  });

  it('teaches: the error names the release to take and the flags that accept', () => {
    let hint: unknown;
    try {
      requireSafeVersion('3.6.4', []);
    } catch (error) {
      hint = error instanceof Error && 'hint' in error ? error.hint : error;
    }
    expect(hint).toMatch(/^use 3\.6\.14, or accept by name: --accept-hazard apply-snapshot-defrag /);
  });

  it('has unique kebab-case IDs', () => {
    expect(new Set(hazardIds).size).toBe(hazardIds.length);
    for (const id of hazardIds) expect(id).toMatch(/^[a-z][a-z0-9.-]+$/);
  });
});
