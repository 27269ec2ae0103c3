/** Header fields that tell browsers what not to do with our answers, so that a mistake elsewhere does less. */
export type SecurityFields = Readonly<Record<string, string>>;

/** A year, in seconds: what the preload lists of browsers ask for. */
const HTTPS_AGE = 31_536_000;

/**
 * What every answer says unless it says otherwise itself: pages and art have a policy of their own. `publicUrl` is where clients reach us. The
 * names of hosts below ours are not ours to decide about: hence no `includeSubDomains`.
 */
export const securityFields = (publicUrl: string): SecurityFields => ({
  // What an answer is declared as is what it is: JSON is never run as a script because it looks like one.
  'X-Content-Type-Options': 'nosniff',
  // Opened in a browser, an answer loads nothing, runs nothing, and is in nobody's frame.
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  // The same for browsers that do not know frame-ancestors.
  'X-Frame-Options': 'DENY',
  // Our addresses hold ids: whoever a page of ours links to does not learn them.
  'Referrer-Policy': 'no-referrer',
  // No page of another origin gets an answer into its process as an image or a script. Trusted ones ask by CORS, which this leaves alone.
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Nor does a window that opened ours, or that ours opens, get hold of it.
  'Cross-Origin-Opener-Policy': 'same-origin',
  // Of what browsers can do we need passkeys, and nothing of these.
  'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()',
  // Whoever came by https once never comes without it again. Said over http it would be ignored (RFC 6797 §7.2), so it is not said there.
  ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': `max-age=${HTTPS_AGE}` } : {}),
});
