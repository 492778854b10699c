import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPrompts } from '../../../src/ui/prompt.ts';

function open(interactive = true) {
  const stdin = new PassThrough();
  const stderr = new PassThrough();
  const known: string[] = [];
  const prompts = createPrompts({ stdin, stderr, interactive, secrets: { add: (secret) => known.push(secret) } });
  const type = async (text: string) => {
    await sleep(50);
    stdin.write(text);
  };
  return { prompts, stdin, stderr, known, type };
}

const yes = { question: 'Apply this plan?', expect: 'yes', instead: '--yes' };

describe('prompts', () => {
  it.each([
    ['yes', 'yes', true],
    ['yes', 'y', true],
    ['yes', '', false],
    ['yes', 'yess', false],
    ['prod', 'prod', true],
    ['prod', 'p', false],
    ['prod', 'yes', false],
  ])('expects %s and takes "%s" for %s', async (word, answer, result) => {
    const { prompts, type } = open();
    const asked = prompts.confirm({ ...yes, expect: word });
    await type(`${answer}\r`);
    expect(await asked).toBe(result);
  });

  it('is interrupted when the input ends', async () => {
    const { prompts, stdin } = open();
    const asked = prompts.confirm(yes);
    await sleep(50);
    stdin.end();
    await expect(asked).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('asks again until the answer has no fault', async () => {
    const { prompts, type, stderr } = open();
    const check = (answer: string) => (answer === 'prod' ? undefined : 'no such cluster');
    const asked = prompts.askText({ question: 'Which cluster?', instead: '--cluster', initial: 'pro', check });
    await type('\r');
    await type('d\r');
    expect(await asked).toBe('prod');
    expect(String(stderr.read())).toContain('no such cluster');
  });

  it('remembers a secret so that it is masked, and never echoes it', async () => {
    const { prompts, type, known, stderr } = open();
    const asked = prompts.askSecret({ question: 'Passphrase', instead: 'QUORATE_PASSPHRASE' });
    await type('open sesame\r');
    expect(await asked).toBe('open sesame');
    expect(known).toEqual(['open sesame']);
    expect(String(stderr.read())).not.toContain('sesame');
  });

  it('names the flag where nobody can be asked', async () => {
    const { prompts } = open(false);
    await expect(prompts.confirm(yes)).rejects.toMatchObject({ code: 'usage', hint: expect.stringContaining('--yes') });
  });
});
