import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Answer } from '../answer.ts';

/** Publishes Scalar's browser bundle, 4 MB of text, as an answer of its plugin. Loaded when the page is first asked for. */
const PACKAGE: string = '@scalar/fastify-api-reference';

type Script = { readonly plain: Buffer; readonly compressed: Buffer };
let script: Promise<Script> | null = null;

/** The script of the reference page, compressed where the client takes that. It changes with the package alone. */
export const referenceScript = async (acceptEncoding: string): Promise<Answer> => {
  script ??= loadScript();
  const { plain, compressed } = await script;
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(acceptEncoding);
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': 'public, max-age=3600',
      Vary: 'Accept-Encoding',
      ...(takesGzip ? { 'Content-Encoding': 'gzip' } : {}),
    },
    body: takesGzip ? compressed : plain,
  };
};

const loadScript = async (): Promise<Script> => {
  const plain = Buffer.from(await bundleText());
  return { plain, compressed: await promisify(gzip)(plain) };
};

/** A route as the plugin registers it; the reply is the one thing it does. */
type PluginRoute = { readonly url: string; readonly handler: (request: unknown, reply: Reply) => unknown };
type Reply = { header(name: string, value: string): Reply; send(body: unknown): unknown };
type Plugin = (host: object, options: object, done: () => void) => void;

/** Registers the plugin with a host that does nothing but write its routes down, and asks the script's route. */
const bundleText = async (): Promise<string> => {
  const { default: plugin } = (await import(PACKAGE)) as { default: Plugin };
  const routes: PluginRoute[] = [];
  const host = { route: (registered: PluginRoute) => routes.push(registered), hasPlugin: () => false };
  plugin(host, { routePrefix: '/', configuration: { url: '/' } }, () => undefined);
  let sent: unknown = null;
  const reply: Reply = { header: () => reply, send: (body) => (sent = body) };
  routes.find(({ url }) => url.endsWith('.js'))?.handler(null, reply);
  if (typeof sent !== 'string') throw new TypeError(`${PACKAGE} registers no script`);
  return sent;
};
