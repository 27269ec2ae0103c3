import { describe, expect, it } from 'vitest';
import { requestContextOf, requestFields, withRequestContext } from './request-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('the context of a request', () => {
  it.each(['a', 'order-17', '0b1c:9/2+x=@_.', 'x'.repeat(128)])('takes the client’s request id %s', (id) => {
    expect(requestContextOf(id, null).requestId).toBe(id);
  });

  it.each(['', 'x'.repeat(129), 'two words', 'line\nbreak', 'é', '{"a":1}', '<script>', 'a,b'])(
    'makes one instead of %j',
    (id) => {
      expect(requestContextOf(id, null).requestId).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it.each([
    `00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-01-what-the-future-brings`,
    `01-${TRACE}-${PARENT}-01`,
  ])('goes on with the trace of %s', (traceparent) => {
    expect(requestContextOf(null, traceparent).traceId).toBe(TRACE);
  });

  it.each([
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE.slice(1)}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01.more`,
    '',
  ])('begins a trace instead of %j', (traceparent) => {
    const { traceId } = requestContextOf('a', traceparent);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceId).not.toBe(TRACE);
  });

  it('is nobody’s outside of a request, and a copy inside of one', () => {
    expect(requestFields()).toEqual({});
    const context = requestContextOf('a', null);
    withRequestContext(context, () => {
      expect(requestFields()).toEqual(context);
      expect(requestFields()).not.toBe(context);
    });
  });
});
