import { limits } from '../../limits.ts';
import type { KeyName, Signer } from '../../port/signer.ts';
import { requireKeyName } from '../key-name.ts';
import { inBatches } from './batch.ts';
import type { VaultCall } from './connection.ts';
import { outageOfHealth } from './failure.ts';
import type { Ask, OpenedVault } from './opened.ts';
import { createTransitKey, probeTransit, signWithTransit } from './transit.ts';

/** Keys in the Transit engine. What they ask of the policy is said at `openVault`. */
export const vaultSigner = ({ ask, call, close, description, transitMount }: OpenedVault): Signer => {
  const sign = inCollectors(ask, transitMount);
  return {
    description,
    createKey: async (name) => {
      requireKeyName(name);
      return createTransitKey(ask, transitMount, name);
    },
    sign: async (name, message) => {
      requireKeyName(name);
      return sign(name, message);
    },
    check: async () => {
      await checkHealth(call);
      await probeTransit(ask, transitMount);
    },
    close,
  };
};

/** One collector per key with calls waiting: signatures asked for in one turn of the event loop travel together. */
const inCollectors = (ask: Ask, mount: string): Signer['sign'] => {
  const collectors = new Map<KeyName, (message: Uint8Array) => Promise<Uint8Array>>();
  return (name, message) => {
    let collect = collectors.get(name);
    if (collect === undefined) {
      collect = inBatches(limits.vaultBatchSignatures, (messages) => {
        // The batch is on its way: the next turn makes a new collector, and keys not in use take no memory.
        collectors.delete(name);
        return signWithTransit(ask, mount, name, messages);
      });
      collectors.set(name, collect);
    }
    return collect(message);
  };
};

const checkHealth = async (call: VaultCall): Promise<void> => {
  const answer = await call({ what: 'sys/health', method: 'GET', path: 'sys/health', token: null, rootNamespace: true });
  const outage = outageOfHealth(answer.ok ? answer.value : undefined);
  if (outage !== null) throw outage;
};
