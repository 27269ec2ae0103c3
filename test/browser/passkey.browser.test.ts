import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ground, openGround } from './ground.ts';
import {
  type Person,
  addPasskey,
  assertionOn,
  authenticatorFor,
  challenge,
  passkeyProblem,
  present,
  pressPasskeySignIn,
  registrationOn,
  signIn,
  signOut,
  signUp,
  somebody,
  userOf,
} from './person.ts';

let ground: Ground;
let elsewhere: { readonly url: string; close(): void };
beforeAll(async () => {
  elsewhere = await openElsewhere();
  ground = await openGround();
}, 120_000);
afterAll(async () => {
  elsewhere?.close();
  await ground?.close();
});

/** A page of another origin on the same host: its passkeys would be ours, if origins did not count. */
const openElsewhere = async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<title>Win a prize</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
};

/** No session, in the body or as a cookie; the status tells what does not hold of the answer from what is signed wrongly. */
const refused = { status: expect.toBeOneOf([400, 401]), user: null, cookies: [] };

/** Somebody new who is signed out again, with a passkey in their authenticator. */
const withPasskey = async (person: Person) => {
  const visitor = await ground.visitor();
  const { page } = visitor;
  const authenticator = await authenticatorFor(page);
  await page.goto('/sign-in');
  await signUp(page, person);
  await addPasskey(page, `${person.name}’s key`);
  const userId = await userOf(page);
  await signOut(page);
  return { ...visitor, authenticator, userId };
};

describe('a passkey', () => {
  it('is added and then signs in by itself, and the API answers with that session', async () => {
    const ada = somebody('Ada');
    const { page, authenticator, userId, complaints, refusals } = await withPasskey(ada);
    expect(await authenticator.count()).toBe(1);
    expect(await userOf(page)).toBeNull();

    await pressPasskeySignIn(page);
    await page.getByText(`Signed in as ${ada.name}`).waitFor();
    expect(await userOf(page)).toBe(userId);
    const seen = await page.evaluate(async () => {
      const { session } = (await (await fetch('/v1/auth/get-session')).json()) as { session: { id: string } };
      const { data } = (await (await fetch('/v1/sessions')).json()) as { data: { sessionId: string; current: boolean }[] };
      const accounts = await fetch('/v1/accounts');
      return { sessionId: session.id, current: data.filter(({ current }) => current), status: accounts.status };
    });
    expect(seen).toMatchObject({ status: 200, current: [{ sessionId: seen.sessionId }] });
    expect([complaints, refusals]).toEqual([[], []]);
  });

  it('is added once to an authenticator, which says so', async () => {
    const { page } = await ground.visitor();
    await authenticatorFor(page);
    await page.goto('/sign-in');
    await signUp(page, somebody('Bea'));
    await addPasskey(page, 'First');
    const section = page.getByRole('region', { name: 'Passkeys' });
    await section.getByRole('button', { name: 'Add a passkey' }).click();
    await section.getByText('There is a passkey already').waitFor();
    expect(await section.getByRole('listitem').count()).toBe(1);
  });

  it('that was removed signs nobody in any more, though the authenticator has it', async () => {
    const cleo = somebody('Cleo');
    const { page, authenticator } = await withPasskey(cleo);
    await signIn(page, cleo);
    page.once('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: 'Remove Cleo’s key' }).click();
    await page.getByText('it signs nobody in any more').waitFor();
    await signOut(page);
    expect(await authenticator.count()).toBe(1);
    await pressPasskeySignIn(page);
    expect(await passkeyProblem(page)).toContain('This passkey is not known here');
    expect(await userOf(page)).toBeNull();
  });

  it('signs nobody in from the page of another name', async () => {
    const { page } = await withPasskey(somebody('Dora'));
    await page.goto(ground.url.replace('localhost', '127.0.0.1').concat('/sign-in'));
    await pressPasskeySignIn(page);
    expect(await passkeyProblem(page)).toContain('Not at this address');
  });

  it('whose holder is not verified is refused by the browser already', async () => {
    const { page, authenticator } = await withPasskey(somebody('Edda'));
    await authenticator.verifiesUser(false);
    await pressPasskeySignIn(page);
    expect(await passkeyProblem(page)).toContain('No passkey was used');
    expect(await userOf(page)).toBeNull();
  });
});

describe('a registration', () => {
  /** A session's cookie, and a new passkey made for its challenge on whatever page is open. */
  const register = async (visit: string | null) => {
    const { page, context } = await ground.visitor();
    await authenticatorFor(page);
    await page.goto('/sign-in');
    await signUp(page, somebody('Tom'));
    const session = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    if (visit !== null) await page.goto(visit);
    const { options, cookie } = await challenge(ground.url, 'register', session);
    return { page, session, cookie, registration: await registrationOn(page, options) };
  };
  const passkeysOf = async (cookie: string): Promise<unknown> =>
    (await fetch(`${ground.url}/v1/auth/passkey/list-user-passkeys`, { headers: { cookie } })).json();

  it('is taken once, from whom the challenge was for', async () => {
    const mine = await register(null);
    const theirs = await register(null);
    const challengeOf = ({ cookie, session }: typeof mine) => cookie.slice(session.length);
    const stolen = await present(ground.url, mine.registration, theirs.session + challengeOf(mine), 'registration');
    expect(stolen).toMatchObject(refused);
    expect(await passkeysOf(theirs.session)).toEqual([]);
    expect(await present(ground.url, theirs.registration, theirs.cookie, 'registration')).toMatchObject({ status: 200 });
    expect(await present(ground.url, theirs.registration, theirs.cookie, 'registration')).toMatchObject(refused);
    expect(await passkeysOf(theirs.session)).toHaveLength(1);
  });

  it('that the page of another origin asked for is refused', async () => {
    const { registration, cookie, session } = await register(elsewhere.url);
    expect(await present(ground.url, registration, cookie, 'registration')).toMatchObject(refused);
    expect(await passkeysOf(session)).toEqual([]);
  });
});

describe('a browser without passkeys', () => {
  it.each([
    ['none at all', 'delete globalThis.PublicKeyCredential', 'This browser has no passkeys.'],
    ['an older kind', 'delete PublicKeyCredential.parseRequestOptionsFromJSON', 'This browser is too old for passkeys here'],
  ])('that has %s is told so, and signs in by password', async (_, script, words) => {
    const { page, complaints } = await ground.visitor();
    await page.addInitScript(script);
    await page.goto('/sign-in');
    await page.getByRole('region', { name: 'Sign in' }).getByText(words).waitFor();
    expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).isDisabled()).toBe(true);
    await signUp(page, somebody('Mia'));
    await page.getByRole('region', { name: 'Passkeys' }).getByText(words).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('an assertion that a program got hold of', () => {
  /** A good one, answered to a fresh challenge. */
  const fresh = async (page: Page, weaker: object = {}) => {
    const { options, cookie } = await challenge(ground.url);
    return { assertion: await assertionOn(page, { ...options, ...weaker }), cookie };
  };

  it('signs in once, and never again, with its own challenge or with another', async () => {
    const { page, userId } = await withPasskey(somebody('Fay'));
    const { assertion, cookie } = await fresh(page);
    expect(await present(ground.url, assertion, cookie)).toMatchObject({ status: 200, user: userId });
    const again = await present(ground.url, assertion, cookie);
    expect(again).toMatchObject({ ...refused, reason: 'CHALLENGE_NOT_FOUND' });
    const other = await challenge(ground.url);
    expect(await present(ground.url, assertion, other.cookie)).toMatchObject(refused);
    expect(await present(ground.url, assertion, '')).toMatchObject(refused);
  });

  it('sent twice at once signs in at most once', async () => {
    const { page } = await withPasskey(somebody('Gus'));
    const { assertion, cookie } = await fresh(page);
    const both = await Promise.all([1, 2, 3, 4].map(() => present(ground.url, assertion, cookie)));
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(both.filter(({ cookies }) => cookies.some((each) => /session_token=[^;]/.test(each)))).toHaveLength(1);
  });

  it('that the page of another origin asked for is refused, though it is of the same host', async () => {
    const { page } = await withPasskey(somebody('Hal'));
    await page.goto(elsewhere.url);
    const { assertion, cookie } = await fresh(page);
    const outcome = await present(ground.url, assertion, cookie);
    expect(outcome).toMatchObject({ ...refused, reason: 'AUTHENTICATION_FAILED' });
  });

  it('of another user never signs in as this one, whatever is written over it', async () => {
    const ida = await withPasskey(somebody('Ida'));
    const jo = await withPasskey(somebody('Jo'));
    const hers = await fresh(ida.page);
    const swap = async (written: (own: Awaited<ReturnType<typeof fresh>>['assertion']) => unknown) => {
      const { assertion, cookie } = await fresh(jo.page);
      return present(ground.url, written(assertion), cookie);
    };
    const { id, rawId, response } = hers.assertion;
    const { userHandle } = response;
    expect(await swap((own) => ({ ...own, id, rawId }))).toMatchObject(refused);
    expect(await swap((own) => ({ ...own, id, rawId, response: { ...own.response, userHandle } }))).toMatchObject(refused);
    const { user } = await swap((own) => ({ ...own, response: { ...own.response, userHandle } }));
    expect([null, jo.userId]).toContain(user);
    const signedByHim = await swap((own) => ({
      ...hers.assertion,
      response: { ...response, signature: own.response.signature },
    }));
    expect(signedByHim).toMatchObject(refused);
  });

  it('whose holder was not verified is refused', async () => {
    const { page, authenticator } = await withPasskey(somebody('Kit'));
    await authenticator.verifiesUser(false);
    const { assertion, cookie } = await fresh(page, { userVerification: 'discouraged' });
    expect(await present(ground.url, assertion, cookie)).toMatchObject({ ...refused, reason: 'USER_NOT_VERIFIED' });
  });

  it.each<[what: string, change: (data: string) => string]>([
    ['another challenge', (data) => data.replace(/"challenge":"../, '"challenge":"AA')],
    ['another origin', (data) => data.replace('http://localhost', 'http://localhorst')],
    ['another purpose', (data) => data.replace('webauthn.get', 'webauthn.create')],
    ['a space more', (data) => `${data} `],
  ])('with %s written into what was signed is refused', async (_, change) => {
    const { page } = await withPasskey(somebody('Lou'));
    const { assertion, cookie } = await fresh(page);
    const signed = Buffer.from(assertion.response.clientDataJSON ?? '', 'base64url').toString();
    const clientDataJSON = Buffer.from(change(signed)).toString('base64url');
    expect(clientDataJSON).not.toBe(assertion.response.clientDataJSON);
    const forged = { ...assertion, response: { ...assertion.response, clientDataJSON } };
    expect(await present(ground.url, forged, cookie)).toMatchObject(refused);
  });
});
