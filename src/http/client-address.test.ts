import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf } from './client-address.ts';

const SOCKET = '192.0.2.1';

describe('the address of a client', () => {
  it.each([
    [0, undefined, SOCKET],
    [0, '198.51.100.7', SOCKET],
    [1, undefined, SOCKET],
    [1, '198.51.100.7', '198.51.100.7'],
    [1, '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    [1, '10.0.0.1,10.0.0.2 ,  198.51.100.7 ', '198.51.100.7'],
    [2, '203.0.113.9, 198.51.100.7, 10.0.0.1', '198.51.100.7'],
    [2, '198.51.100.7', SOCKET],
    [1, '', SOCKET],
    [1, ' , ', SOCKET],
    [1, 'unknown', SOCKET],
    [1, '198.51.100.7, localhost', SOCKET],
    [1, '198.51.100.7:4711', SOCKET],
    [1, '2001:db8::1', '2001:db8::1'],
    [1, '[2001:db8::1]', SOCKET],
    [1, '::ffff:198.51.100.7', '198.51.100.7'],
    [1, '999.1.1.1', SOCKET],
  ])('behind %i of our proxies, sent X-Forwarded-For %j, is %j', (proxies, forwarded, address) => {
    expect(clientAddress(forwarded, SOCKET, proxies)).toBe(address);
  });

  it.each([
    [undefined, null],
    ['', null],
    ['/run/socket', null],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
  ])('of the socket %j is %j', (socket, address) => {
    expect(clientAddress(undefined, socket, 0)).toBe(address);
  });
});

describe('what counts as one address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['1::', '1:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
