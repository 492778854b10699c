/** Passwords and passphrases: from the environment or asked for, each once a run. They never reach a message. */

/** Asks for a secret on a terminal without echo; gives undefined when there is no terminal or the person gives up. */
export type AskSecret = (question: string) => Promise<string | undefined>;

/** Where secrets come from. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly askSecret: AskSecret | undefined;
}

/** Finds the secret in the variable `envName`, or asks `question`; undefined when neither gives one. */
export type FindSecret = (envName: string | undefined, question: string) => Promise<string | undefined>;

/** A finder that asks one question at a time and remembers the answers for all hosts. */
export function createSecrets(sources: SecretSources): FindSecret {
  const asked = new Map<string, Promise<string | undefined>>();
  let asking: Promise<unknown> = Promise.resolve();

  return (envName, question) => {
    const fromEnv = envName === undefined ? undefined : sources.env[envName];
    const { askSecret } = sources;
    if (fromEnv !== undefined || askSecret === undefined) return Promise.resolve(fromEnv);
    const before = asked.get(question);
    if (before !== undefined) return before;
    const answer = asking.then(() => askSecret(question));
    asking = answer.catch(() => undefined);
    asked.set(question, answer);
    return answer;
  };
}
