/** The long tests are begun with the longest files, so that two workers end together; a fresh clone knows no durations yet. */
import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By docs/test-figures.md, the longest first; what is not listed takes less than five minutes. */
const longest = [
  'certs-steps',
  'certs-conditions',
  'member-faults',
  'certs-load',
  'members',
  'adopt-plaintext',
  'every-step',
  'member-steps',
  'certs-revocation',
  'certs-external',
  'adopt-layouts',
  'certs-bad-days',
] as const;

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId, project }: TestSpecification): number {
  if (project.name !== 'full') return -1;
  const at = longest.findIndex((each) => `${each}.test.ts` === basename(moduleId));
  return at < 0 ? longest.length : at;
}
