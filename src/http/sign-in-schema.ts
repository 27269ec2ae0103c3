import { z } from 'zod';
import { scopes } from '../access/permission.ts';
import { limits } from '../limits.ts';
import { apiKeyIdSchema, instantSchema, sessionIdSchema } from './id-schema.ts';

export const sessionSchema = z
  .strictObject({
    sessionId: sessionIdSchema,
    createdAt: instantSchema,
    expiresAt: instantSchema,
    clientAddress: z.string().nullable().meta({ description: 'The IP address that signed in, as far as it is known' }),
    userAgent: z.string().nullable(),
    current: z.boolean().meta({ description: 'Whether it is the session that asks' }),
  })
  .meta({ id: 'Session', description: 'Where a user is signed in. Its token is told to nobody but the one who signed in' });

const scopeSchema = z.enum(scopes).meta({ id: 'Scope', description: 'What an API key may be let do' });

/** Anything but control characters and halves of characters: people have to know the key by it. */
const nameSchema = z
  .string()
  .max(limits.apiKeyNameChars)
  .refine((name) => name.isWellFormed() && /\S/.test(name) && !/\p{Cc}/u.test(name), 'expected a name of printable characters')
  .meta({ minLength: 1 });

export const wantedApiKeySchema = z.strictObject({
  name: nameSchema,
  scopes: z
    .array(scopeSchema)
    .min(1)
    .max(scopes.length)
    .refine((given) => new Set(given).size === given.length, 'expected each scope once')
    .meta({ uniqueItems: true }),
  expiresAt: instantSchema.nullish().meta({ description: 'A moment to come; without one the key lives until it is revoked' }),
});

const apiKey = {
  apiKeyId: apiKeyIdSchema,
  name: z.string(),
  start: z.string().meta({ description: 'The first characters of the key', examples: ['pixpax_a1B2c'] }),
  scopes: z.array(scopeSchema),
  createdAt: instantSchema,
  expiresAt: instantSchema.nullable(),
  lastUsedAt: instantSchema.nullable().meta({ description: 'To the minute; null: never' }),
};
export const apiKeySchema = z.strictObject(apiKey).meta({ id: 'ApiKey' });
export const newApiKeySchema = z
  .strictObject({
    ...apiKey,
    key: z.string().meta({ description: 'The key, shown this once', examples: [`pixpax_${'x'.repeat(48)}`] }),
  })
  .meta({ id: 'NewApiKey' });
