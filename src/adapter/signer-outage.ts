import { Outage } from '../port/outage.ts';

/** The signer says no and will go on saying no. `message` holds no secret and says what to do. */
export const refused = (message: string): Outage => new Outage('signer', 'signer-refused', message);

/** The signer may work later. `message` holds no secret and says what to do. */
export const unavailable = (message: string): Outage => new Outage('signer', 'signer-unavailable', message);
