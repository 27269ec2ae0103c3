import { hash } from 'node:crypto';
import { generateRandomString } from 'better-auth/crypto';
import { limits } from '../../limits.ts';

export const KEY_PREFIX = 'pixpax_';
const API_KEY = new RegExp(`^${KEY_PREFIX}[A-Za-z0-9]{${limits.apiKeyRandomChars}}$`);

/** A new key: the prefix, by which people and scanners of leaked secrets know it, and 285 random bits. */
export const newApiKey = (): string => `${KEY_PREFIX}${generateRandomString(limits.apiKeyRandomChars, 'a-z', 'A-Z', '0-9')}`;

export const isApiKey = (text: string): boolean => API_KEY.test(text);

/** No session token begins so, for these have no underscore. */
export const looksLikeApiKey = (text: string): boolean => text.startsWith(KEY_PREFIX);

/** What is kept of a key: SHA-256, base64url without padding, as the API key plugin hashes. There is nothing to guess, so no salt is needed. */
export const hashApiKey = (key: string): string => hash('sha256', key, 'base64url');

/** What is kept and shown of a key, for people to know it by. */
export const startOf = (key: string): string => key.slice(0, KEY_PREFIX.length + limits.apiKeyShownChars);
