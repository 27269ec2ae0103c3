import { randomUUID } from 'node:crypto';
import type { CDPSession, Page } from 'playwright-core';
import { expect } from 'vitest';

export type Person = { readonly name: string; readonly email: string; readonly password: string };

export const somebody = (name: string): Person => ({
  name,
  email: `${randomUUID()}@pixpax.example`,
  password: 'correct horse battery',
});

/** What a person does on the page /sign-in, by what they read there. */
export const signUp = async (page: Page, { name, email, password }: Person): Promise<void> => {
  const form = page.getByRole('region', { name: 'Sign up' });
  await form.getByLabel('Name').fill(name);
  await form.getByLabel('E-mail').fill(email);
  await form.getByLabel('Password').fill(password);
  await form.getByRole('button', { name: 'Sign up' }).click();
  await page.getByText(`Signed in as ${name}`).waitFor();
};

export const signIn = async (page: Page, { name, email, password }: Person): Promise<void> => {
  const form = page.getByRole('region', { name: 'Sign in' });
  await form.getByLabel('E-mail').fill(email);
  await form.getByLabel('Password').fill(password);
  await form.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText(`Signed in as ${name}`).waitFor();
};

export const signOut = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
};

export const addPasskey = async (page: Page, name: string): Promise<void> => {
  const section = page.getByRole('region', { name: 'Passkeys' });
  await section.getByLabel('Name of a new passkey').fill(name);
  await section.getByRole('button', { name: 'Add a passkey' }).click();
  await section.getByRole('listitem').filter({ hasText: name }).waitFor();
};

export const pressPasskeySignIn = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Sign in with a passkey' }).click();

/** What the page says went wrong with the passkey at sign-in. */
export const passkeyProblem = async (page: Page): Promise<string> => {
  const told = page.getByRole('region', { name: 'Sign in' }).getByRole('alert').filter({ hasText: /./ });
  await told.waitFor();
  return told.innerText();
};

/** The user of the page's session, or null. */
export const userOf = (page: Page): Promise<string | null> =>
  page.evaluate(async () => {
    const answer = await fetch('/v1/auth/get-session');
    return ((await answer.json()) as { user: { id: string } } | null)?.user.id ?? null;
  });

/** A security key in the hands of whoever has the page; `isUserVerified` tells whether it asks them for a finger. */
export type Authenticator = {
  verifiesUser(isUserVerified: boolean): Promise<void>;
  /** How many passkeys it keeps. */
  count(): Promise<number>;
};

export const authenticatorFor = async (page: Page): Promise<Authenticator> => {
  const devtools: CDPSession = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    verifiesUser: async (isUserVerified) => {
      await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
    count: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  };
};

/** What an authenticator says to a challenge, as browsers send it. */
export type Assertion = {
  readonly id: string;
  readonly rawId: string;
  readonly response: Readonly<Record<string, string>>;
} & Readonly<Record<string, unknown>>;

/** Asks for a challenge, as a program: the options, and the cookie that goes with them. */
export const challenge = async (url: string, kind: 'authenticate' | 'register' = 'authenticate', cookie = '') => {
  const answer = await fetch(`${url}/v1/auth/passkey/generate-${kind}-options`, { headers: { cookie } });
  expect(answer.status).toBe(200);
  const cookies = answer.headers.getSetCookie().map((each) => each.split(';')[0] ?? '');
  return { options: (await answer.json()) as { challenge: string }, cookie: [cookie, ...cookies].filter(Boolean).join('; ') };
};

/** The page's authenticator answers a challenge, on whatever page it is and however weak the question. */
export const assertionOn = (page: Page, options: object): Promise<Assertion> =>
  page.evaluate(async (asked) => {
    // The browser's own names; the service's code knows none of them.
    const browser = globalThis as unknown as {
      PublicKeyCredential: { parseRequestOptionsFromJSON(options: object): object };
      navigator: { credentials: { get(options: object): Promise<{ toJSON(): Assertion }> } };
    };
    const publicKey = browser.PublicKeyCredential.parseRequestOptionsFromJSON(asked);
    return (await browser.navigator.credentials.get({ publicKey })).toJSON();
  }, options);

/** As `assertionOn`, with a new passkey. */
export const registrationOn = (page: Page, options: object): Promise<object> =>
  page.evaluate(async (asked) => {
    const browser = globalThis as unknown as {
      PublicKeyCredential: { parseCreationOptionsFromJSON(options: object): object };
      navigator: { credentials: { create(options: object): Promise<{ toJSON(): object }> } };
    };
    const publicKey = browser.PublicKeyCredential.parseCreationOptionsFromJSON(asked);
    return (await browser.navigator.credentials.create({ publicKey })).toJSON();
  }, options);

/** Sends an assertion, or a registration, as a program would that has got hold of it. */
export const present = async (url: string, response: unknown, cookie: string, what = 'authentication') => {
  const answer = await fetch(`${url}/v1/auth/passkey/verify-${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, cookie },
    body: JSON.stringify({ response }),
  });
  const body = (await answer.json()) as { user?: { id: string }; reason?: string };
  return { status: answer.status, user: body.user?.id ?? null, reason: body.reason, cookies: answer.headers.getSetCookie() };
};
