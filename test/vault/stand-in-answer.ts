import type { IncomingMessage } from 'node:http';

export type Answer = { readonly status: number; readonly body: unknown };
export type Call = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Body;
};
export type Body = Readonly<Record<string, unknown>>;

/** As Vault answers what it refuses. */
export const failed = (status: number, ...errors: readonly string[]): Answer => ({ status, body: { errors } });
/** As Vault answers with data. */
export const answered = (data: unknown): Answer => ({
  status: 200,
  body: {
    request_id: 'stand-in',
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: null,
    auth: null,
  },
});
/** As Vault frames the errors of its engines. */
export const lines = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;
