import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../src/adapter/memory/faults.ts';
import { callsOf, rivals, runCrashCase } from './crash-case.ts';
import { subjects } from './subjects.ts';

describe.each(subjects)('$name', (subject) => {
  it.each(rivals)('keeps every invariant whatever call fails, in whatever way, with %s', async (rival) => {
    const calls = await callsOf(subject);
    expect(calls.length).toBeGreaterThanOrEqual(8);
    let struck = 0;
    for (const [call, { port, method }] of calls.entries())
      for (const kind of FAULT_KINDS) {
        const row = `${kind} at call ${call}, ${port}.${method}`;
        const report = await runCrashCase({ subject, call, kind, rival });
        expect({ row, findings: report.findings }).toEqual({ row, findings: [] });
        // The retry is never left without an answer: the receipt, or the rule by which a rival won.
        const { retried } = report;
        const code = retried === 'outage' ? retried : retried.ok ? 'acknowledged' : retried.error.code;
        expect({ row, code }).toEqual({
          row,
          code: expect.stringMatching(/^(acknowledged|stale-base|pixbook-exists|identity-exists)$/),
        });
        if (report.struck) struck++;
      }
    expect(struck).toBeGreaterThan(calls.length * FAULT_KINDS.length * 0.6);
  });
});

describe('a receipt that is durable', () => {
  it('is acknowledged as pending, and never answered as a failure, when Postgres is gone after the create', async () => {
    const [subject] = subjects;
    if (subject === undefined) throw new Error('no subject');
    const calls = await callsOf(subject);
    const apply = calls.findIndex(({ method }) => method === 'apply');
    const report = await runCrashCase({ subject, call: apply, kind: 'error', rival: 'no rival' });
    expect(report.first).toMatchObject({ ok: true, value: { projection: 'pending', replayed: false } });
    expect(report.retried).toMatchObject({ ok: true, value: { projection: 'applied', replayed: true } });
  });
});
