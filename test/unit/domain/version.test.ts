/** Versions: what is one, which is older, which minors are known. */
import { describe, expect, it } from 'vitest';
import { compareVersions, knownMinor, minorOf, parseVersion } from '../../../src/domain/version.ts';

describe('versions', () => {
  it('reads releases and pre-releases, and nothing else', () => {
    const release = { major: 3, minor: 6, patch: 16, preRelease: '', text: '3.6.16' };
    expect(parseVersion('3.6.16')).toEqual(release);
    expect(parseVersion('3.6.0-rc.5')?.preRelease).toBe('rc.5');
    for (const text of ['v3.6.16', '3.6', '3.6.16 ', '3.06.1', '3.6.16\n', '../3.6.1', '3.6.x', '', '3.6.1-$(id)']) {
      expect(parseVersion(text), text).toBeUndefined();
    }
  });

  it('orders by number, pre-releases before their release', () => {
    const sorted = ['3.10.0', '3.6.2', '3.6.0', '3.6.10', '3.6.0-rc.10', '3.6.0-rc.2'].sort(compareVersions);
    expect(sorted).toEqual(['3.6.0-rc.2', '3.6.0-rc.10', '3.6.0', '3.6.2', '3.6.10', '3.10.0']);
    expect(() => compareVersions('3.6', '3.6.1')).toThrow('is no version of etcd');
  });

  it('knows 3.4 to 3.7', () => {
    expect(minorOf('3.6.16')).toBe('3.6');
    expect(knownMinor('3.8.0')).toBeUndefined();
    expect(() => minorOf('2.3.8')).toThrow('etcd 2.3.8 is not one that quorate knows');
  });
});
