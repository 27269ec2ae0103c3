/** What the service did not do, and why: a problem as it answers them, or one of our own when there was no answer. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

const unreachable = {
  title: 'The service did not answer',
  detail: 'What you asked for may or may not have happened: look before you ask again.',
};

/** Answers are JSON, or nothing; anything else is what a proxy says in the place of the service. */
const readJson = async (response) => {
  const text = await response.text();
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return { title: 'The answer could not be read', detail: `HTTP ${response.status}`, status: response.status };
  }
};

/** Asks with the session's cookie. Each POST is a request of its own: a button that is pressed again means it again. */
const ask = async (method, path, body) => {
  const headers = { Accept: 'application/json' };
  if (method === 'POST') {
    headers['Content-Type'] = 'application/json';
    headers['Idempotency-Key'] = crypto.randomUUID();
  }
  const request = { method, headers, cache: 'no-store', ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}) };
  let response;
  let said;
  try {
    response = await fetch(path, request);
    said = await readJson(response);
  } catch {
    throw new Refused(unreachable);
  }
  if (!response.ok) throw new Refused({ ...said, retryAfter: response.headers.get('Retry-After') });
  return said;
};

export const read = (path) => ask('GET', path);
export const send = (path, body) => ask('POST', path, body);

/** All rows of a list. With the id of an event the answer shows it: so a person sees what they have just done. */
export const readAll = async (path, minEventId) => {
  const rows = [];
  for (let cursor = null; ; ) {
    const query = new URLSearchParams();
    if (minEventId !== undefined) query.set('minEventId', minEventId);
    if (cursor !== null) query.set('cursor', cursor);
    const { data, meta } = await read(query.size === 0 ? path : `${path}?${query}`);
    rows.push(...data);
    if (!meta.hasMore) return rows;
    cursor = meta.cursor;
  }
};
