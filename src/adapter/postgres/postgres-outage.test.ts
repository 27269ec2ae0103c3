import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { Outage } from '../../port/outage.ts';
import { connectOutage, outageOf } from './postgres-outage.ts';

const fromServer = (code: string): Error => Object.assign(new pg.DatabaseError('the message', 1, 'error'), { code });
const fromSocket = (code: string): Error => Object.assign(new Error('connect failed'), { code });

describe('errors of pg', () => {
  it.each([
    ['a broken connection', fromServer('08006')],
    ['a shutdown', fromServer('57P01')],
    ['a crash', fromServer('57P02')],
    ['a server that is starting', fromServer('57P03')],
    ['a statement that took too long', fromServer('57014')],
    ['too many connections', fromServer('53300')],
    ['a full disk', fromServer('53100')],
    ['a standby', fromServer('25006')],
    ['a missing database', fromServer('3D000')],
    ['a wrong password', fromServer('28P01')],
    ['a table that was dropped', fromServer('42P01')],
    ['a refused connection', fromSocket('ECONNREFUSED')],
    ['a reset connection', fromSocket('ECONNRESET')],
    ['a missing socket', fromSocket('ENOENT')],
    ['a name that does not resolve', fromSocket('EAI_AGAIN')],
    ['a connection that ended', new Error('Connection terminated unexpectedly')],
    ['no answer in time', new Error('Query read timeout')],
    ['no free connection in time', new Error('timeout exceeded when trying to connect')],
    ['a pool that was ended', new Error('Cannot use a pool after calling end on the pool')],
  ])('take %s as an outage', (_, error) => {
    const outage = outageOf(error);
    expect(outage).toBeInstanceOf(Outage);
    expect(outage).toMatchObject({ code: 'postgres-unavailable', dependency: 'postgres' });
    expect(outage?.cause).toBeUndefined();
  });

  it.each([
    ['a violated uniqueness', fromServer('23505')],
    ['a violated check', fromServer('23514')],
    ['a row behind another tenant’s wall', Object.assign(fromServer('42501'), { routine: 'ExecWithCheckOptions' })],
    ['a value of another type', fromServer('22P02')],
    ['a statement that is wrong', fromServer('42601')],
    ['a deadlock', fromServer('40P01')],
    ['a wrong argument', Object.assign(new TypeError('not a string'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['a bug', new TypeError('undefined is not a function')],
    ['what is no error', 'text'],
  ])('do not take %s as an outage', (_, error) => {
    expect(outageOf(error)).toBeNull();
  });

  it('are all outages while connecting', () => {
    expect(connectOutage(new Error('self-signed certificate'))).toBeInstanceOf(Outage);
    expect(connectOutage(fromServer('28P01')).message).toContain('28P01');
  });
});
