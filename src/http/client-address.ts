import { isIP, isIPv6 } from 'node:net';

/**
 * The address of whoever is on the other side of our own proxies: each adds the address it was asked from to `X-Forwarded-For`, so of that list
 * the last `trustedProxies` entries are ours and what stands before them is the client's own invention. A list that is too short or holds
 * no address there did not come through the proxies: then it is whoever holds the connection. Null when there is no connection to ask.
 */
export const clientAddress = (
  forwardedFor: string | undefined,
  socketAddress: string | undefined,
  trustedProxies: number,
): string | null => {
  const forwarded = trustedProxies === 0 ? undefined : forwardedFor?.split(',').at(-trustedProxies)?.trim();
  for (const candidate of [forwarded, socketAddress]) {
    const address = plain(candidate ?? '');
    if (isIP(address) !== 0) return address;
  }
  return null;
};

/** IPv4 as such even where a socket of both kinds wraps it, and without the interface it came by. */
const plain = (address: string): string => address.replace(/%.*$/, '').replace(/^::ffff:(?=[\d.]+$)/i, '');

/** What counts as one address: of IPv6 the /64 that one household or one machine has to itself. */
export const networkOf = (address: string): string => {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  // Without `::` all eight groups are there; with it, and fewer than four before it, those in between are zero, as may be all that count.
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = Math.max(0, 8 - left.length - right.length - (right.at(-1)?.includes('.') === true ? 1 : 0));
  const groups = tail === undefined ? left : [...left, ...Array<string>(missing).fill('0'), ...right];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
};
