import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Outage } from '../../port/outage.ts';
import { errnoOf, storeFault } from './file-fault.ts';
import { room } from './room.fixture.ts';

const { directory } = room();
const program = join(import.meta.dirname, 'file-fault.fixture.ts');

const fault = (code: string): Error => Object.assign(new Error(code), { code, errno: -1 });

/** A file system of half a megabyte that only this command sees; not every machine lets us. */
const SMALL_DISK = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'];
const canMount = spawnSync('unshare', [...SMALL_DISK.slice(1), 'mount -t tmpfs none /mnt'], { stdio: 'ignore' }).status === 0;

/** What the program printed. */
type Account = { before: string; during: string[]; after: string; whole: boolean; kept: boolean };

const run = (shell: readonly string[], prepare: string, trouble: string, place: string): Account => {
  const [command = 'sh', ...rest] = shell;
  const script = `cd "$3" && ${prepare} exec "$0" "$1" "$2" "$3"`;
  const answer = spawnSync(command, [...rest, script, process.execPath, program, trouble, place], { encoding: 'utf8' });
  if (answer.status !== 0) throw new Error(answer.stderr);
  return JSON.parse(answer.stdout) as Account;
};

describe('a file store in real trouble', () => {
  const small = 'mount -t tmpfs -o size=512k none "$3" &&';
  it.runIf(canMount)('says so when the disk is full, keeps what it acknowledged, and goes on when there is space', async () => {
    const seen = run(SMALL_DISK, small, 'full', await directory());
    expect(seen).toMatchObject({ before: 'created', after: 'created', whole: true, kept: true });
    expect(seen.during).toEqual([expect.stringMatching(/^store-unavailable: .*receipts failed with ENOSPC: no space left/)]);
  });

  it.runIf(canMount)('says so when the file system turns read-only', async () => {
    const seen = run(SMALL_DISK, small, 'read-only', await directory());
    expect(seen).toMatchObject({ before: 'created', after: 'created', whole: true, kept: true });
    expect(seen.during).toEqual([expect.stringMatching(/^store-refused: .*EROFS: the file system is mounted read-only/)]);
  });

  it('says so when it may not write there', async () => {
    const place = await directory();
    chmodSync(place, 0o777);
    const seen = run(['sh', '-c'], '', 'forbidden', place);
    expect(seen).toMatchObject({ before: 'created', after: 'created', whole: true, kept: true });
    expect(seen.during).toEqual([expect.stringMatching(/^store-refused: .*EACCES: let this user/)]);
  });

  it('bounds the files it opens, so that hundreds of creates at once pass with few to spare', async () => {
    const seen = run(['sh', '-c'], 'ulimit -n 320 &&', 'too-many-files', await directory());
    expect(seen).toEqual({ before: 'created', during: ['created'], after: 'exists', whole: true, kept: true });
  });

  it('says so when it has no file descriptors left, and goes on when it has', async () => {
    const seen = run(['sh', '-c'], 'ulimit -n 48 &&', 'too-many-files', await directory());
    expect(seen).toMatchObject({ before: 'created', whole: true, kept: true });
    expect(seen.after).toMatch(/^(created|exists)$/);
    expect(seen.during).toContainEqual(expect.stringMatching(/^store-unavailable: .*EMFILE: .*ulimit -n/));
  });
});

describe('an error of the operating system', () => {
  it.each([
    ['ENOSPC', 'store-unavailable'],
    ['EDQUOT', 'store-unavailable'],
    ['EMFILE', 'store-unavailable'],
    ['ENFILE', 'store-unavailable'],
    ['EIO', 'store-unavailable'],
    ['EACCES', 'store-refused'],
    ['EPERM', 'store-refused'],
    ['EROFS', 'store-refused'],
    ['EWHATEVER', 'store-unavailable'],
  ])('%s is an outage of kind %s that names the place', (code, kind) => {
    const outage = storeFault(fault(code), '/data/receipts');
    expect(outage).toBeInstanceOf(Outage);
    expect(outage).toMatchObject({
      code: kind,
      dependency: 'store',
      message: expect.stringContaining(`/data/receipts failed with ${code}`),
    });
  });

  it('is told from a bug, which stays what it is', () => {
    const bug = new TypeError('ours');
    expect(storeFault(bug, '/')).toBe(bug);
    expect([errnoOf(bug), errnoOf('text'), errnoOf(null)]).toEqual([null, null, null]);
  });
});
