import { expect, it } from 'vitest';
import { createSecrets } from '../../../src/transport/secrets.ts';

it('takes a secret from the environment without asking', async () => {
  const find = createSecrets({ env: { WORD: 'open' }, askSecret: () => Promise.reject(new Error('asked')) });
  expect(await find('WORD', 'Password?')).toBe('open');
});

it('asks one question at a time, and each only once', async () => {
  const events: string[] = [];
  const askSecret = async (question: string): Promise<string> => {
    events.push(`ask ${question}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    events.push(`answered ${question}`);
    return `${question}!`;
  };
  const find = createSecrets({ env: {}, askSecret });
  const answers = await Promise.all(['a', 'b', 'a'].map((question) => find('UNSET', question)));
  expect(answers).toEqual(['a!', 'b!', 'a!']);
  expect(events).toEqual(['ask a', 'answered a', 'ask b', 'answered b']);
});

it('goes on with the next question after one that failed', async () => {
  const askSecret = (question: string) =>
    question === 'a' ? Promise.reject(new Error('no terminal')) : Promise.resolve('yes');
  const find = createSecrets({ env: {}, askSecret });
  const [first, second] = await Promise.allSettled([find(undefined, 'a'), find(undefined, 'b')]);
  expect([first.status, second]).toEqual(['rejected', { status: 'fulfilled', value: 'yes' }]);
});

it('gives nothing off a terminal', async () => {
  expect(await createSecrets({ env: {}, askSecret: undefined })('UNSET', 'a')).toBeUndefined();
});
