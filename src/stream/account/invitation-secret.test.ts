import { describe, expect, it } from 'vitest';
import type { AccountId, InvitationId } from '../../receipt/ids.ts';
import { invitationKeyOf, invitationSecrets } from './invitation-secret.ts';

const [ours, theirs] = ['acc_01JZ0000000000000000000000', 'acc_01JZ0000000000000000000001'] as AccountId[];
const [one, other] = ['inv_01JZ0000000000000000000000', 'inv_01JZ0000000000000000000001'] as InvitationId[];
if (!ours || !theirs || !one || !other) throw new Error('unreachable');
const secretsOf = (fill: number) => invitationSecrets(invitationKeyOf(new Uint8Array(32).fill(fill)));

describe('the secret of an invitation', () => {
  const secrets = secretsOf(1);
  const secret = secrets.secretOf(ours, one);

  it('is 128 bits in Crockford’s characters, and the same whenever it is made', () => {
    expect(secret).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(secrets.secretOf(ours, one)).toBe(secret);
    expect(secrets.isSecret(ours, one, secret)).toBe(true);
  });

  it.each([
    ['another invitation', secrets.secretOf(ours, other)],
    ['another account', secrets.secretOf(theirs, one)],
    ['another service', secretsOf(2).secretOf(ours, one)],
    ['nobody: empty', ''],
    ['nobody: cut short', secret.slice(1)],
    ['nobody: in small letters', secret.toLowerCase()],
    ['nobody: as many bytes of something else', 'é'.repeat(13)],
  ])('is not that of %s', (_, text) => {
    expect(secrets.isSecret(ours, one, text)).toBe(false);
  });

  it('is told by no key that is printed', () => {
    const key = invitationKeyOf(Buffer.from('canary-canary-canary-canary-canary'));
    expect(JSON.stringify(key)).toBe('{"invitations":{}}');
  });
});
