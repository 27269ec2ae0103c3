import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import { Outage } from '../../port/outage.ts';
import type { Grant } from './login.ts';

/** What a session needs of Vault. Both calls throw `Outage`. */
export type Door = {
  readonly logIn: () => Promise<Grant>;
  /** Null when Vault will not renew this token. */
  readonly renew: (token: string) => Promise<Grant | null>;
  /** False for a token given from outside: there is no second one to be had. */
  readonly canLogInAgain: boolean;
  /** Pause after a refused login. */
  readonly refusedLoginMs: number;
};

/** A token to use now, and the number of the login it came from. */
export type Pass = { readonly token: string; readonly login: number };

type Held = Pass & { readonly grant: Grant; readonly sinceMs: number; readonly grantedMs: number | null };

/**
 * Logs in and keeps the token alive until `close`: renews it when two thirds of its lease are over, takes another one when it cannot
 * be renewed, and goes on trying while Vault is away. Failures reach whoever asks for the token.
 */
export class VaultSession {
  readonly #door: Door;
  readonly #clock: Clock;
  readonly #watching: Promise<void>;
  #logins = 0;
  #closed = false;
  #latest: Promise<Held>;
  /** Aborted when `#latest` was replaced by a caller, or on close: what the watch waits for is void. */
  #turn = new AbortController();

  constructor(door: Door, clock: Clock) {
    this.#door = door;
    this.#clock = clock;
    this.#latest = this.#logIn();
    this.#watching = this.#watch();
  }

  /** The token to use. Waits for a login under way; throws the `Outage` of the last one while the next is not due. */
  current(): Promise<Pass> {
    return this.#latest;
  }

  /**
   * Tells that Vault answered 403 to `pass`: the token to repeat the call with, or null when no other would fare better. `certain`:
   * Vault said that the token is the reason. Any number of callers share one login. Throws `Outage` when it fails.
   */
  async replace(pass: Pass, certain: boolean): Promise<Pass | null> {
    if (!this.#door.canLogInAgain) return null;
    const asked = this.#latest;
    const held = await asked;
    if (pass.login === held.login) {
      const isFresh = Math.abs(this.#clock.now() - held.sinceMs) < limits.vaultFreshTokenMs;
      if (isFresh && !certain) return null;
      if (this.#latest === asked) this.#enterAnew();
    }
    return this.#latest;
  }

  /** Ends the renewals. Resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#turn.abort();
    await this.#watching;
  }

  async #logIn(): Promise<Held> {
    this.#logins += 1;
    const login = this.#logins;
    const grant = await this.#door.logIn();
    return { token: grant.token, login, grant, sinceMs: this.#clock.now(), grantedMs: grant.leaseMs };
  }

  /** A login that everybody waits for. The watch sees its failure too, so that none goes unheard. */
  #enterAnew(): void {
    this.#latest = this.#logIn();
    this.#turn.abort();
    this.#turn = new AbortController();
  }

  async #watch(): Promise<void> {
    for (let failures = 0; !this.#closed; ) {
      const { signal } = this.#turn;
      const outcome = await this.#latest.catch((error: unknown) => ({ error }));
      if (signal.aborted) continue;
      if ('error' in outcome) {
        failures += 1;
        await this.#clock.sleep(this.#pauseMs(outcome.error, failures), signal);
        if (!signal.aborted) this.#enterAnew();
      } else {
        failures = 0;
        await this.#tend(outcome, signal);
      }
    }
  }

  /** Waits until something is due for this token, and does it. The token serves meanwhile: a planned change interrupts nobody. */
  async #tend(held: Held, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#dueMs(held.grant), signal);
    for (let failures = 1; !signal.aborted && this.#isMortal(held.grant); failures += 1) {
      try {
        const next = await this.#successor(held);
        if (!signal.aborted) this.#latest = Promise.resolve(next);
        return;
      } catch (error) {
        // Vault is away or refuses, and the token may last a while yet. When it ends, a caller's 403 starts a login for all.
        await this.#clock.sleep(this.#pauseMs(error, failures), signal);
      }
    }
  }

  /** The same token with more time to live, or another one. */
  async #successor(held: Held): Promise<Held> {
    const { canLogInAgain, renew } = this.#door;
    const grant = held.grant.renewable ? await renew(held.token) : null;
    if (grant !== null && !(canLogInAgain && isDwindling(grant, held))) return { ...held, grant };
    // Nothing more can be done for a token given from outside: it serves until it ends.
    return canLogInAgain ? this.#logIn() : { ...held, grant: { ...held.grant, renewable: false } };
  }

  /** Whether anything is to be done for this token before it ends. */
  #isMortal(grant: Grant): boolean {
    return grant.leaseMs !== null && (grant.renewable || this.#door.canLogInAgain);
  }

  /** When to look after a token again. A timer told to wait longer than it can fires at once, so the longest wait is cut short. */
  #dueMs(grant: Grant): number {
    if (grant.leaseMs === null || !this.#isMortal(grant)) return limits.timerMs;
    return Math.min(limits.timerMs, Math.max(limits.vaultRenewFloorMs, Math.floor((grant.leaseMs * 2) / 3)));
  }

  #pauseMs(error: unknown, failures: number): number {
    const refused = error instanceof Outage && error.code === 'signer-refused';
    if (refused) return this.#door.refusedLoginMs * (1 + this.#clock.random() / 4);
    const rangeMs = Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** Math.min(failures, 20));
    return limits.backoffBaseMs + this.#clock.random() * rangeMs;
  }
}

/** Vault cuts renewals at the token's maximal life: from there on each is shorter than the one before, down to nothing. */
const isDwindling = (renewed: Grant, held: Held): boolean =>
  renewed.leaseMs !== null && held.grantedMs !== null && renewed.leaseMs < held.grantedMs / 2;
