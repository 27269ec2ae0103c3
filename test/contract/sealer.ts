import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import type { Sealer } from '../../src/port/sealer.ts';

/** Keys to try, which may have sealed things for others, and how to leave no trace of it. */
export type OpenedSealing = {
  /** Opens a sealer on the keys: called again, another one on the same keys, as a restart or a second process would. */
  readonly openSealer: () => Promise<Sealer>;
  readonly cleanup: () => Promise<void>;
};

const CONTEXT = 'col_01JZ0000000000000000000000/drop_01JZ0000000000000000000001';
/** 33 bytes: in base64 their sealed text has bits left over, which readers may ignore. */
const SECRET = Buffer.from('CANARY-0123456789-0123456789-abcd');

const refusal = { name: 'Outage', dependency: 'signer', code: 'signer-refused' };
const isPrintable = (text: string): boolean => /^[\x20-\x7e]+$/.test(text);

/** Every form in which a careless log line could print the secret. */
const shows = (error: unknown, secret: Buffer): boolean => {
  const printed = [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error), String(error)].join();
  return (['latin1', 'hex', 'base64', 'base64url'] as const).some((encoding) => printed.includes(secret.toString(encoding)));
};

/** A text that was changed, and another one sealed for the same context with the same key. */
type Tampering = readonly [what: string, change: (sealed: string, other: string) => string];
const afterPrefix = (text: string, change: (body: string) => string): string => text.replace(/[^:]+$/, (body) => change(body));
const tamperings: readonly Tampering[] = [
  ['nothing at all', () => ''],
  ['the prefix alone', (sealed) => afterPrefix(sealed, () => '')],
  ['no prefix', (sealed) => sealed.replace(/^.*:/, '')],
  ['half a prefix', (sealed) => sealed.replace(/^[^:]+:/, '')],
  ['a prefix in capitals', (sealed) => sealed.replace(/^[a-z]+/, (scheme) => scheme.toUpperCase())],
  ['a sealer that is none', (sealed) => sealed.replace(/^[a-z]+/, 'remote')],
  ['a version to come', (sealed) => sealed.replace(/:v\d+:/, ':v9:')],
  ['a version before the first', (sealed) => sealed.replace(/:v\d+:/, ':v0:')],
  ['its version written otherwise', (sealed) => sealed.replace(':v', ':v0')],
  ['no end', (sealed) => sealed.slice(0, -1)],
  ['a group of its end missing', (sealed) => sealed.slice(0, -4)],
  ['its first bytes missing', (sealed) => afterPrefix(sealed, (body) => body.slice(4))],
  ['a line break at its end', (sealed) => `${sealed}\n`],
  ['a line break inside', (sealed) => afterPrefix(sealed, (body) => `${body.slice(0, 8)}\n${body.slice(8)}`)],
  ['a space before it', (sealed) => ` ${sealed}`],
  ['a NUL at its end', (sealed) => `${sealed}\0`],
  ['padding at its end', (sealed) => `${sealed}=`],
  ['the two texts in one', (sealed, other) => sealed + other],
  ['the body twice', (sealed) => afterPrefix(sealed, (body) => body + body)],
  ['the nonce of another text', (sealed, other) => afterPrefix(other, (body) => body.slice(0, 16)) + bodyOf(sealed).slice(16)],
  ['the tag of another text', (sealed, other) => sealed.slice(0, -24) + other.slice(-24)],
  ['another language', () => 'ключ'],
  ['more characters than there may be', (sealed) => sealed + 'A'.repeat(limits.sealedSeedChars)],
  ['far too many characters', (sealed) => sealed + 'A'.repeat(1_000_000)],
];
const bodyOf = (sealed: string): string => sealed.replace(/^.*:/, '');

/** The contract of `port/sealer.ts`, sentence by sentence, for any adapter. It changes no key, so it may run against keys in use. */
export const describeSealer = (name: string, open: () => Promise<OpenedSealing>): void => {
  describe(`the sealer contract on ${name}`, () => {
    let sealing: OpenedSealing;
    let sealer: Sealer;
    let opened: Sealer[];

    const openAnother = async (): Promise<Sealer> => {
      const another = await sealing.openSealer();
      opened.push(another);
      return another;
    };
    const expectRefused = async (context: string, texts: readonly string[]): Promise<void> => {
      const outcomes = await Promise.allSettled(texts.map((text) => sealer.unseal(context, text)));
      const opens = texts.filter((_, i) => outcomes[i]?.status === 'fulfilled');
      expect(opens).toEqual([]);
      for (const outcome of outcomes) {
        const reason: unknown = outcome.status === 'rejected' ? outcome.reason : null;
        expect(reason).toMatchObject(refusal);
        expect(shows(reason, SECRET)).toBe(false);
      }
    };

    beforeEach(async () => {
      sealing = await open();
      opened = [];
      sealer = await openAnother();
    });
    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await sealing.cleanup();
    });

    it('opens what it sealed, of every length there may be', async () => {
      for (let length = 1; length <= limits.sealedSecretBytes; length += 1) {
        const secret = randomBytes(length);
        const sealed = await sealer.seal(CONTEXT, secret);
        expect(Buffer.from(await sealer.unseal(CONTEXT, sealed)).equals(secret)).toBe(true);
        expect(isPrintable(sealed)).toBe(true);
        expect(sealed.length).toBeLessThanOrEqual(limits.sealedSeedChars);
      }
    });

    it.each([0, limits.sealedSecretBytes + 1, 1_000])('refuses to seal %i bytes', async (length) => {
      const secret = Buffer.alloc(length, SECRET);
      const error: unknown = await sealer.seal(CONTEXT, secret).catch((reason: unknown) => reason);
      expect(error).toMatchObject(refusal);
      if (length > 0) expect(shows(error, SECRET)).toBe(false);
    });

    it('binds any secret to any context, and to no other', async () => {
      // Well-formed text: a lone surrogate has no bytes of its own.
      const text = fc.string({ unit: 'grapheme', maxLength: 40 });
      const bytes = fc.uint8Array({ minLength: 1, maxLength: limits.sealedSecretBytes });
      await fc.assert(
        fc.asyncProperty(text, text, bytes, async (context, other, secret) => {
          const sealed = await sealer.seal(context, secret);
          expect(hex(await sealer.unseal(context, sealed))).toBe(hex(secret));
          if (other !== context) await expect(sealer.unseal(other, sealed)).rejects.toMatchObject(refusal);
        }),
        { numRuns: 30 },
      );
    });

    it.each([
      ['none', ''],
      ['its beginning', CONTEXT.slice(0, -1)],
      ['itself and more', `${CONTEXT}0`],
      ['itself and a NUL', `${CONTEXT}\0`],
      ['other capitals', CONTEXT.toLowerCase()],
      ['its parts the other way round', CONTEXT.split('/').reverse().join('/')],
    ])('refuses to open for another context: %s', async (_, context) => {
      expect(context).not.toBe(CONTEXT);
      await expectRefused(context, [await sealer.seal(CONTEXT, SECRET)]);
    });

    it('does not take one way of writing a letter for another', async () => {
      const sealed = await sealer.seal('\u00e9', SECRET);
      await expectRefused('e\u0301', [sealed]);
    });

    it('opens no text of which one character was changed', async () => {
      const sealed = await sealer.seal(CONTEXT, SECRET);
      for (let at = 0; at < sealed.length; at += 1) {
        const changed = [...[0, 1, 2, 3, 4, 5, 6].map((bit) => sealed.charCodeAt(at) ^ (1 << bit)), 0xe9, 0x2028];
        await expectRefused(
          CONTEXT,
          changed.map((code) => sealed.slice(0, at) + String.fromCharCode(code) + sealed.slice(at + 1)),
        );
      }
    });

    it('opens no text that lost a character or got one more', async () => {
      const sealed = await sealer.seal(CONTEXT, SECRET);
      for (let at = 0; at <= sealed.length; at += 1) {
        const [before, after] = [sealed.slice(0, at), sealed.slice(at)];
        const texts = [before + after.slice(1), `${before}A${after}`, `${before}\n${after}`, `${before}=${after}`];
        await expectRefused(
          CONTEXT,
          texts.filter((text) => text !== sealed),
        );
      }
    });

    it.each(tamperings)('opens no text that has %s', async (_, change) => {
      const [sealed, other] = [await sealer.seal(CONTEXT, SECRET), await sealer.seal(CONTEXT, SECRET)];
      const changed = change(sealed, other);
      expect([sealed, other]).not.toContain(changed);
      await expectRefused(CONTEXT, [changed]);
      expect(hex(await sealer.unseal(CONTEXT, sealed))).toBe(hex(SECRET));
    });

    it('never seals twice alike, and does not show what it seals', async () => {
      const texts = await Promise.all(Array.from({ length: 32 }, () => sealer.seal(CONTEXT, SECRET)));
      expect(new Set(texts).size).toBe(texts.length);
      const bytes = texts.map((text) => Buffer.from(bodyOf(text), 'base64').toString('latin1'));
      expect(bytes.filter((each) => each.includes('CANARY'))).toEqual([]);
    });

    it('seals and opens many at once, none mixed up', async () => {
      const all = Array.from({ length: 64 }, (_, i) => ({ context: `context ${i}`, secret: Buffer.from(`secret ${i}`) }));
      const opens = await Promise.all(
        all.map(async ({ context, secret }) => sealer.unseal(context, await sealer.seal(context, secret))),
      );
      expect(opens.map(hex)).toEqual(all.map(({ secret }) => hex(secret)));
    });

    it('has one key with all that seal for the first time at once', async () => {
      const sealers = [sealer, await openAnother(), await openAnother()];
      const texts = await Promise.all(sealers.flatMap((each) => Array.from({ length: 4 }, () => each.seal(CONTEXT, SECRET))));
      for (const each of sealers) {
        const opens = await Promise.all(texts.map((text) => each.unseal(CONTEXT, text)));
        expect(new Set(opens.map(hex))).toEqual(new Set([hex(SECRET)]));
      }
    });

    it('opens what was sealed before it was opened', async () => {
      const sealed = await sealer.seal(CONTEXT, SECRET);
      await sealer.close();
      expect(hex(await (await openAnother()).unseal(CONTEXT, sealed))).toBe(hex(SECRET));
    });

    it('shows no secret when it is printed', async () => {
      await sealer.seal(CONTEXT, SECRET);
      expect(shows(sealer, SECRET)).toBe(false);
    });

    it('can be closed twice', async () => {
      await sealer.close();
      await expect(sealer.close()).resolves.toBeUndefined();
    });
  });
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
