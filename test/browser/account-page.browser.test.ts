import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ground, openGround, picture } from './ground.ts';
import { addPasskey, authenticatorFor, signIn, signOut, signUp, somebody, userOf } from './person.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
}, 120_000);
afterAll(async () => {
  await ground?.close();
});

const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const acceptDialogs = (page: Page): unknown => page.on('dialog', (dialog) => void dialog.accept());

describe('the pages', () => {
  it.each(['/', '/sign-in', '/docs', '/problems', '/problems/not-found'])(
    '%s asks nobody but the service for anything, and its policy has nothing to refuse',
    async (path) => {
      const { page, complaints, refusals } = await ground.visitor();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      const answer = await page.goto(path, { waitUntil: 'networkidle' });
      expect(answer?.status()).toBe(200);
      expect(answer?.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(asked.filter((url) => !url.startsWith(ground.url) && !/^(data|blob):/.test(url))).toEqual([]);
      expect([complaints, refusals]).toEqual([[], []]);
    },
  );

  it('lead from the first one to the account and back', async () => {
    const { page } = await ground.visitor();
    await page.goto('/');
    await page.getByRole('link', { name: 'Your account' }).click();
    await page.getByRole('heading', { name: 'Your account' }).waitFor();
    await page.getByRole('link', { name: 'PixPax receipt ledger' }).click();
    await page.getByRole('heading', { name: 'PixPax receipt ledger' }).waitFor();
  });

  it('name every script of theirs, and serve no other', async () => {
    const { page } = await ground.visitor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto('/sign-in', { waitUntil: 'networkidle' });
    const named = await page.evaluate<string[]>(
      '[...document.querySelectorAll("link[rel=modulepreload], script")].map((each) => each.getAttribute("href") ?? each.getAttribute("src"))',
    );
    const scripts = asked.filter((path) => path.endsWith('.js'));
    expect([...new Set(scripts)].sort()).toEqual(named.sort());
    for (const path of ['/sign-in/other.js', '/sign-in/page.ts', '/sign-in/..%2fpage.ts', '/sign-in/%2e%2e%2fhome-page.ts'])
      expect([path, (await fetch(`${ground.url}${path}`)).status]).toEqual([path, 404]);
  });
});

describe('signing in with a password', () => {
  it('tells of a wrong one beside the form, and goes on from there', async () => {
    const person = somebody('Ada');
    const { page, complaints } = await ground.visitor();
    await page.goto('/sign-in');
    await signUp(page, person);
    await signOut(page);
    const form = region(page, 'Sign in');
    await form.getByLabel('E-mail').fill(person.email);
    await form.getByLabel('Password').fill('not the password');
    await form.getByRole('button', { name: 'Sign in', exact: true }).click();
    await form.getByRole('alert').getByText('Sign-in refused').waitFor();
    expect(await userOf(page)).toBeNull();
    await signIn(page, person);
    expect(complaints).toEqual([]);
  });

  it('is ended everywhere else by a change of the password', async () => {
    const person = somebody('Max');
    const [here, there] = [await ground.visitor(), await ground.visitor()];
    await here.page.goto('/sign-in');
    await signUp(here.page, person);
    await there.page.goto('/sign-in');
    await signIn(there.page, person);
    const password = 'another correct horse';
    const form = here.page.getByRole('form', { name: 'Change the password' });
    await form.getByLabel('Password so far').fill(person.password);
    await form.getByLabel('New password').fill(password);
    await form.getByRole('button', { name: 'Change it' }).click();
    await here.page.getByText('all other sessions are over').waitFor();
    expect([await userOf(here.page), await userOf(there.page)]).toEqual([expect.stringMatching(/^usr_/), null]);
    await signOut(here.page);
    await signIn(here.page, { ...person, password });
  });

  it('needs no mouse', async () => {
    const { email, password } = somebody('Kay');
    const { page } = await ground.visitor();
    await page.goto('/sign-in');
    await page.getByRole('region', { name: 'Sign up' }).getByLabel('Name').focus();
    for (const text of ['Kay', email, password]) {
      await page.keyboard.type(text);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as Kay').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement?.textContent')).toBe('Your account');
    expect(await page.getByRole('status').first().innerText()).toBe('You are signed in.');
  });

  it('leaves nothing of the person on the page after signing out', async () => {
    const person = somebody('<img src=x onerror=alert(1)>');
    const { page, complaints } = await ground.visitor();
    await page.goto('/sign-in');
    await signUp(page, person);
    expect(await page.locator('#person img').count()).toBe(0);
    await signOut(page);
    expect(await page.content()).not.toContain(person.email);
    expect(complaints).toEqual([]);
  });
});

describe('sessions', () => {
  it('are listed, this one marked, and one that is ended in one browser is over in the other', async () => {
    const person = somebody('Sue');
    const [here, there] = [await ground.visitor(), await ground.visitor()];
    await here.page.goto('/sign-in');
    await signUp(here.page, person);
    await there.page.goto('/sign-in');
    await signIn(there.page, person);

    await here.page.reload();
    const rows = region(here.page, 'Sessions').getByRole('listitem');
    await expect.poll(() => rows.count()).toBe(2);
    expect(await rows.filter({ hasText: 'this one' }).count()).toBe(1);
    await rows.filter({ hasNotText: 'this one' }).getByRole('button', { name: 'End' }).click();
    await expect.poll(() => rows.count()).toBe(1);

    await region(there.page, 'Accounts').getByRole('button', { name: 'Open an account' }).click();
    await there.page.getByText('Your session is over. Sign in again.').waitFor();
    expect(await userOf(there.page)).toBeNull();
    await region(there.page, 'Sign in').waitFor();

    await rows.getByRole('button', { name: 'End' }).click();
    await here.page.getByText('You are signed out.').waitFor();
    expect(await userOf(here.page)).toBeNull();
  });
});

describe('an API key', () => {
  it('is shown once, does what its scopes say, shows its last use, and stops when it is revoked', async () => {
    const { page, complaints } = await ground.visitor();
    acceptDialogs(page);
    await page.goto('/sign-in');
    await signUp(page, somebody('Kim'));
    const section = region(page, 'API keys');
    await section.getByLabel('Name').fill('Nightly <b>export</b>');
    await section.getByLabel('accounts:read').check();
    await section.getByRole('button', { name: 'Make the key' }).click();
    const shown = section.getByText(/^pixpax_\w{20,}$/);
    const key = await shown.innerText();
    const asked = (path: string, init: RequestInit = {}) =>
      fetch(`${ground.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}` } }).then(({ status }) => status);
    expect(await asked('/v1/accounts')).toBe(200);
    expect(await asked('/v1/pixbooks')).toBe(403);
    expect(await asked('/v1/api-keys')).toBe(403);

    await expect
      .poll(
        async () => {
          await page.reload();
          return section.getByRole('listitem').innerText();
        },
        { timeout: 20_000, interval: 500 },
      )
      .toContain('last used');
    expect(await section.getByRole('listitem').innerText()).toContain('Nightly <b>export</b>');
    expect(await page.content()).not.toContain(key);

    await section.getByRole('button', { name: 'Revoke' }).click();
    await section.getByText('You have none yet.').waitFor();
    expect(await asked('/v1/accounts')).toBe(401);
    expect(complaints).toEqual([]);
  });

  it('without a scope is refused, and the page says what is missing', async () => {
    const { page } = await ground.visitor();
    await page.goto('/sign-in');
    await signUp(page, somebody('Lea'));
    const section = region(page, 'API keys');
    await section.getByLabel('Name').fill('Nothing');
    await section.getByRole('button', { name: 'Make the key' }).click();
    const problem = section.getByRole('alert').filter({ hasText: /./ });
    expect(await problem.innerText()).toMatch(/scopes/);
  });
});

describe('an account', () => {
  /** An owner with an account whose members are in sight. */
  const owner = async (name: string) => {
    const visitor = await ground.visitor();
    acceptDialogs(visitor.page);
    await visitor.page.goto('/sign-in');
    await signUp(visitor.page, somebody(name));
    const section = region(visitor.page, 'Accounts');
    await section.getByRole('button', { name: 'Open an account' }).click();
    await section.getByText(/^acc_/).click();
    await section.getByText('you owner').waitFor();
    return { ...visitor, section };
  };

  it('takes in whoever has the link of an invitation, once, in the role it says; and lets them go', async () => {
    const { page, section, complaints } = await owner('Olga');
    await section.getByLabel('Role to invite somebody to').selectOption('viewer');
    await section.getByRole('button', { name: 'Invite' }).click();
    const link = await section.getByText(/#accept=/).innerText();
    await section.getByText('viewer, until').waitFor();

    const guest = await ground.visitor();
    await guest.page.goto(link);
    await guest.page.getByText('Sign in, or sign up, to accept the invitation.').waitFor();
    expect(guest.page.url()).toBe(`${ground.url}/sign-in`);
    await signUp(guest.page, somebody('Paul'));
    const guestSection = region(guest.page, 'Accounts');
    await guestSection.getByRole('button', { name: 'Accept' }).click();
    await guest.page.getByText('You are a member of the account.').waitFor();
    const summary = guestSection.locator('summary');
    expect(await summary.innerText()).toMatch(/^acc_\w+ viewer$/);
    await summary.click();
    await guestSection.getByText('you viewer').waitFor();
    expect(await guestSection.getByRole('button', { name: 'Invite' }).count()).toBe(0);

    const late = await ground.visitor();
    await late.page.goto(link);
    await signUp(late.page, somebody('Late'));
    await region(late.page, 'Accounts').getByRole('button', { name: 'Accept' }).click();
    await region(late.page, 'Accounts').getByRole('alert').getByText('The invitation is over').waitFor();

    await page.reload();
    await section.getByText(/^acc_/).click();
    const row = section.getByRole('listitem').filter({ hasText: 'viewer since' });
    await row.getByRole('combobox').selectOption('member');
    await row.getByRole('button', { name: 'Change role' }).click();
    await section.getByRole('listitem').filter({ hasText: 'member since' }).getByRole('button', { name: 'Remove' }).click();
    await expect.poll(() => section.getByText('member since').count()).toBe(0);
    await guest.page.reload();
    await guestSection.getByText('You belong to none yet.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('is not left by its last owner, and the page says why', async () => {
    const { section } = await owner('Rita');
    await section.getByRole('button', { name: 'Leave' }).click();
    await section.getByRole('alert').getByText('The last owner').waitFor();
    await section.getByRole('combobox', { name: 'Role of yourself' }).selectOption('viewer');
    await section.getByRole('button', { name: 'Change role' }).click();
    await expect.poll(() => section.getByRole('alert').allInnerTexts()).toContainEqual(expect.stringContaining('The last owner'));
    await section.getByText('you owner').waitFor();
  });
});

describe('how it looks', () => {
  it.each(
    [
      { where: 'phone', viewport: { width: 360, height: 740 } },
      { where: 'desktop', viewport: { width: 1280, height: 900 } },
    ].flatMap((size) => (['light', 'dark'] as const).map((colorScheme) => ({ ...size, colorScheme }))),
  )('fits a $where in $colorScheme', async ({ where, viewport, colorScheme }) => {
    const { page } = await ground.visitor({ viewport, colorScheme });
    const fits = () => page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');
    const look = async (what: string) => {
      expect([what, await fits()]).toEqual([what, true]);
      await picture(page, `${what}-${where}-${colorScheme}`);
    };
    await authenticatorFor(page);
    await page.goto('/');
    await look('home');
    await page.goto('/sign-in');
    await region(page, 'Sign in').waitFor();
    await look('stranger');
    await signUp(page, somebody('Ada Lovelace'));
    await addPasskey(page, 'This laptop');
    const keys = region(page, 'API keys');
    await keys.getByLabel('Name').fill('Nightly export');
    await keys.getByLabel('accounts:read').check();
    await keys.getByRole('button', { name: 'Make the key' }).click();
    await keys.getByText(/^pixpax_\w{20,}$/).waitFor();
    const accounts = region(page, 'Accounts');
    await accounts.getByRole('button', { name: 'Open an account' }).click();
    await accounts.getByText(/^acc_/).click();
    await accounts.getByRole('button', { name: 'Invite' }).click();
    await accounts.getByText(/#accept=/).waitFor();
    await accounts.getByRole('button', { name: 'Leave' }).waitFor();
    await accounts.getByLabel('Account', { exact: true }).fill('acc_00000000000000000000000000');
    await accounts.getByLabel('Invitation', { exact: true }).fill('inv_00000000000000000000000000');
    await accounts.getByLabel('Secret').fill('nobody’s');
    await accounts.getByRole('button', { name: 'Accept' }).click();
    await accounts.getByRole('alert').filter({ hasText: /./ }).waitFor();
    await look('person');
  });
});
