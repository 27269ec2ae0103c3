import type pg from 'pg';
import type { Job } from '../../port/jobs.ts';
import { addJobsStatement } from '../job-row.ts';

/**
 * Puts a job into the queue in the client's transaction, of which it should be the last statement but the COMMIT: the queue is the login's, under whom
 * the library made it, and until the end of the transaction so is the connection. Throws as `pg`.
 */
export const queueJob = async (client: pg.ClientBase, job: Job): Promise<void> => {
  await client.query('SET LOCAL ROLE NONE');
  await client.query(addJobsStatement([job]));
};
