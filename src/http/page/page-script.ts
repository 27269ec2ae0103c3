import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Answer, taggedAnswer } from '../answer.ts';

/** The modules of the page /sign-in, the one that begins first. Whatever is not in this list is not served. */
export const pageScripts = [
  'page.js',
  'service.js',
  'element.js',
  'deed.js',
  'sign-in.js',
  'passkeys.js',
  'sessions.js',
  'api-keys.js',
  'accounts.js',
  'members.js',
] as const;
export type PageScript = (typeof pageScripts)[number];

export const parsePageScript = (name: string): PageScript | null => pageScripts.find((each) => each === name) ?? null;

/** Where a module is found. They import each other by names beside their own. */
export const pageScriptPath = (script: PageScript): string => `/sign-in/${script}`;

type Loaded = { readonly text: string; readonly tag: string };
const loaded = new Map<PageScript, Promise<Loaded>>();

const load = async (script: PageScript): Promise<Loaded> => {
  const text = await readFile(new URL(`./script/${script}`, import.meta.url), 'utf8');
  return { text, tag: `sha256:${hash('sha256', text, 'hex')}` };
};

/** A module as it is in its file, read once: it changes with the service alone. */
export const pageScript = async (script: PageScript, ifNoneMatch: string | null): Promise<Answer> => {
  const reading = loaded.get(script) ?? load(script);
  loaded.set(script, reading);
  const { text, tag } = await reading;
  return taggedAnswer({ tag, ifNoneMatch, cacheControl: 'no-cache' }, 'text/javascript; charset=utf-8', () => text);
};
