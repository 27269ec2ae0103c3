import { openSource } from '../../projector/open-source.ts';
import { verifyLedger } from '../../projector/verify.ts';

// One measured verification of the directory given, told to the parent.

const source = await openSource({
  location: { kind: 'file', directory: process.argv[2] ?? '' },
  credentials: null,
  durable: false,
});
const cpu = process.cpuUsage();
const start = performance.now();
const { verdict, receipts } = await verifyLedger({ source, trust: null });
const seconds = (performance.now() - start) / 1_000;
if (verdict !== 'valid') throw new Error(`the ledger is ${verdict}`);
const { user, system } = process.cpuUsage(cpu);
process.send?.({
  receipts,
  perSecond: receipts / seconds,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
  cpuMicroseconds: (user + system) / receipts,
});
await source.close();
