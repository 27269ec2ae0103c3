import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import { refused, unavailable } from '../signer-outage.ts';
import type { Grant } from './login.ts';
import { type Door, VaultSession } from './session.ts';

/** Time that passes when the test says so. `sleeps` are the waits in progress, in the order they began. */
const handTurnedClock = () => {
  let nowMs = 0;
  const waits = new Set<{ readonly dueMs: number; readonly ms: number; readonly wake: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    random: () => 0.5,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const wait = { dueMs: nowMs + ms, ms, wake: () => void (waits.delete(wait) && resolve()) };
        waits.add(wait);
        if (signal?.aborted) wait.wake();
        signal?.addEventListener('abort', wait.wake);
      }),
  };
  const advance = async (ms: number): Promise<void> => {
    await settled();
    nowMs += ms;
    for (const wait of waits) if (wait.dueMs <= nowMs) wait.wake();
    await settled();
  };
  return { clock, advance, sleeps: () => [...waits].map(({ ms }) => ms) };
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const HOUR = 3_600_000;

describe('the Vault session', () => {
  let time: ReturnType<typeof handTurnedClock>;
  let door: { -readonly [Member in keyof Door]: Door[Member] };
  let events: string[];
  let terms: Omit<Grant, 'token'>;
  let sessions: VaultSession[];

  const open = (): VaultSession => {
    const session = new VaultSession(
      {
        logIn: () => door.logIn(),
        renew: (token) => door.renew(token),
        canLogInAgain: door.canLogInAgain,
        refusedLoginMs: door.refusedLoginMs,
      },
      time.clock,
    );
    sessions.push(session);
    return session;
  };
  const tokenOf = async (session: VaultSession): Promise<string> => (await session.current()).token;

  beforeEach(() => {
    time = handTurnedClock();
    events = [];
    sessions = [];
    terms = { renewable: true, leaseMs: 3 * HOUR };
    let made = 0;
    door = {
      logIn: async () => {
        made += 1;
        events.push(`login ${made}`);
        return { token: `t${made}`, ...terms };
      },
      renew: async (token) => {
        events.push(`renew ${token}`);
        return { token, ...terms };
      },
      canLogInAgain: true,
      refusedLoginMs: limits.vaultRefusedLoginMs,
    };
  });
  afterEach(async () => {
    await Promise.all(sessions.map((session) => session.close()));
    expect(time.sleeps()).toEqual([]);
  });

  describe('keeping a token alive', () => {
    it('renews when two thirds of the lease are over, again and again', async () => {
      open();
      await time.advance(2 * HOUR - 1);
      expect(events).toEqual(['login 1']);
      await time.advance(1);
      expect(events).toEqual(['login 1', 'renew t1']);
      await time.advance(2 * HOUR);
      expect(events).toEqual(['login 1', 'renew t1', 'renew t1']);
    });

    it.each([
      ['the default lease of 768 hours', 768 * HOUR, (768 * HOUR * 2) / 3],
      ['a lease of ten years', 87_600 * HOUR, 2_147_483_647],
      ['a token without an end', null, 2_147_483_647],
      ['a lease of nothing to speak of', 10, limits.vaultRenewFloorMs],
    ])('sets a timer that a timer can be set to for %s', async (_, leaseMs, timerMs) => {
      terms = { renewable: true, leaseMs };
      open();
      await settled();
      expect(time.sleeps()).toEqual([timerMs]);
    });

    it('leaves a token without an end alone', async () => {
      terms = { renewable: true, leaseMs: null };
      open();
      await time.advance(limits.timerMs);
      await time.advance(limits.timerMs);
      expect(events).toEqual(['login 1']);
    });

    it('takes another token when Vault will not renew this one, which serves meanwhile', async () => {
      const session = open();
      await settled();
      let letIn = (_: Grant): void => undefined;
      door.renew = async () => null;
      door.logIn = () => new Promise((resolve) => (letIn = resolve));
      await time.advance(2 * HOUR);
      expect(await tokenOf(session)).toBe('t1');
      letIn({ token: 'other', ...terms });
      await settled();
      expect(await tokenOf(session)).toBe('other');
    });

    it('takes another token when renewals run into the maximal life', async () => {
      const session = open();
      await settled();
      door.renew = async (token) => ({ token, renewable: true, leaseMs: HOUR });
      await time.advance(2 * HOUR);
      expect(await tokenOf(session)).toBe('t2');
    });

    it('takes another token in time when the login gives one that cannot be renewed', async () => {
      terms = { renewable: false, leaseMs: 3 * HOUR };
      const session = open();
      await time.advance(2 * HOUR);
      expect(events).toEqual(['login 1', 'login 2']);
      expect(await tokenOf(session)).toBe('t2');
    });

    it('goes on renewing while Vault is away, and the token serves meanwhile', async () => {
      const session = open();
      const renew = door.renew;
      await settled();
      door.renew = () => Promise.reject(unavailable('away'));
      await time.advance(2 * HOUR);
      for (let i = 0; i < 5; i += 1) await time.advance(2 * limits.backoffCapMs);
      expect(await tokenOf(session)).toBe('t1');
      door.renew = renew;
      await time.advance(2 * limits.backoffCapMs);
      expect(events).toEqual(['login 1', 'renew t1']);
    });

    it('uses a given token on and on, renewed or not', async () => {
      door.canLogInAgain = false;
      const session = open();
      await time.advance(2 * HOUR);
      expect(events).toEqual(['login 1', 'renew t1']);
      door.renew = async () => null;
      await time.advance(2 * HOUR);
      await time.advance(limits.timerMs);
      expect(events).toEqual(['login 1', 'renew t1']);
      expect(await tokenOf(session)).toBe('t1');
    });

    it('just uses a given token that cannot be renewed', async () => {
      door.canLogInAgain = false;
      terms = { renewable: false, leaseMs: HOUR };
      const session = open();
      await time.advance(limits.timerMs);
      expect(events).toEqual(['login 1']);
      expect(await tokenOf(session)).toBe('t1');
    });
  });

  describe('when the login fails', () => {
    it('tells all who ask, tries again after growing pauses, and recovers', async () => {
      const logIn = door.logIn;
      let tries = 0;
      door.logIn = () => {
        tries += 1;
        return Promise.reject(unavailable(`away ${tries}`));
      };
      const session = open();
      const pauses: number[] = [];
      for (let i = 0; i < 9; i += 1) {
        await settled();
        await expect(session.current()).rejects.toMatchObject({ code: 'signer-unavailable', message: `away ${tries}` });
        const [pause = 0] = time.sleeps();
        pauses.push(pause);
        await time.advance(pause);
      }
      expect(tries).toBe(10);
      expect(pauses).toEqual([40, 60, 100, 180, 340, 520, 520, 520, 520]);
      door.logIn = logIn;
      await time.advance(limits.backoffCapMs);
      expect(await tokenOf(session)).toBe('t1');
    });

    it('leaves a door that refused alone for its own good, and answers at once meanwhile', async () => {
      door.refusedLoginMs = limits.vaultLockoutMs;
      let tries = 0;
      door.logIn = () => {
        tries += 1;
        return Promise.reject(refused('wrong secret'));
      };
      const session = open();
      for (let i = 0; i < 100; i += 1) await expect(session.current()).rejects.toMatchObject({ code: 'signer-refused' });
      await time.advance(limits.vaultLockoutMs);
      expect(tries).toBe(1);
      await time.advance(limits.vaultLockoutMs);
      expect(tries).toBe(2);
    });
  });

  describe('when Vault turns a token away', () => {
    it('logs in once for all who were turned away', async () => {
      const session = open();
      const pass = await session.current();
      const others = await Promise.all(Array.from({ length: 64 }, () => session.replace(pass, true)));
      expect(new Set(others.map((other) => other?.token))).toEqual(new Set(['t2']));
      expect(events).toEqual(['login 1', 'login 2']);
    });

    it('hands the newest token to those who come late', async () => {
      const session = open();
      const pass = await session.current();
      await session.replace(pass, true);
      expect((await session.replace(pass, true))?.token).toBe('t2');
      expect(events).toEqual(['login 1', 'login 2']);
    });

    it('takes the policy for the reason when the token is fresh and Vault does not name it', async () => {
      const session = open();
      const pass = await session.current();
      expect(await session.replace(pass, false)).toBeNull();
      expect(events).toEqual(['login 1']);
      await time.advance(limits.vaultFreshTokenMs);
      expect((await session.replace(pass, false))?.token).toBe('t2');
    });

    it('knows no other token than a given one', async () => {
      door.canLogInAgain = false;
      const session = open();
      expect(await session.replace(await session.current(), true)).toBeNull();
      expect(events).toEqual(['login 1']);
    });

    it('tells those who were turned away when the login fails too', async () => {
      const session = open();
      const pass = await session.current();
      door.logIn = () => Promise.reject(unavailable('away'));
      await expect(session.replace(pass, true)).rejects.toMatchObject({ code: 'signer-unavailable' });
    });

    it('counts the new lease from the new login, whatever a renewal under way still brings', async () => {
      const session = open();
      const pass = await session.current();
      let finish = (_: Grant): void => undefined;
      door.renew = () => new Promise((resolve) => (finish = resolve));
      await time.advance(2 * HOUR);
      await session.replace(pass, true);
      finish({ token: 't1', ...terms });
      await settled();
      expect(await tokenOf(session)).toBe('t2');
      expect(time.sleeps()).toEqual([2 * HOUR]);
    });
  });

  it('does not show its token when it is printed', async () => {
    door.logIn = async () => ({ token: 'canary', ...terms });
    const session = open();
    await session.current();
    expect(inspect(session, { depth: 20, showHidden: true })).not.toContain('canary');
  });

  it('ends while it waits for a login', async () => {
    let giveUp = (_: Error): void => undefined;
    door.logIn = () => new Promise((_resolve, reject) => (giveUp = reject));
    const session = open();
    const closing = session.close();
    giveUp(unavailable('closed'));
    await expect(closing).resolves.toBeUndefined();
  });
});
