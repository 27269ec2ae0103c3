import { chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, endProgram, program, urlOf, useRoom } from './room.ts';

const room = useRoom();

// Only root can become somebody else.
describe.runIf(process.platform === 'linux' && process.getuid?.() === 0)('the user it runs as', () => {
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
  // A checkout in root's home is closed to everybody else.
  const closed = !isOpenToAll(program);

  function giveRoomTo(uid: number): void {
    mkdirSync(dirname(room.directory));
    for (const path of [room.path, dirname(room.directory)]) chownSync(path, uid, uid);
  }

  it.skipIf(closed)('runs as an ordinary user, and then as root on the same data', async () => {
    giveRoomTo(65_534);
    const first = await room.startProgram(nobody);
    await ask(urlOf(first), 'create table kept as select 42 as answer');
    await endProgram(first.child);
    expect(statSync(join(room.directory, 'server/data')).uid).toBe(65_534);
    const asRoot = await room.start();
    expect(await ask(asRoot.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await asRoot.stop();
    const again = await room.startProgram(nobody);
    expect(await ask(urlOf(again), 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it.skipIf(closed)('runs as a user without a name', async () => {
    giveRoomTo(54_321);
    const prefix = ['setpriv', '--reuid', '54321', '--regid', '54321', '--clear-groups', '--'];
    expect(await ask(urlOf(await room.startProgram(prefix)), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('keeps root the owner of its data, in a directory closed to everybody else', async () => {
    await room.start();
    expect(statSync(join(room.directory, 'server/data'))).toMatchObject({ uid: 0 });
  });

  it.skipIf(closed)('refuses data of somebody else, saying whose they are', async () => {
    await (await room.start()).stop();
    chownSync(room.path, 65_534, 65_534);
    chownSync(room.directory, 65_534, 65_534);
    expect((await room.startProgram(nobody)).told).toEqual({ fault: expect.stringContaining('cannot be read') });
  });

  describe('where namespaces are not allowed', () => {
    /** Without unshare on the PATH nothing can make one. */
    function pathWithoutUnshare(): NodeJS.ProcessEnv {
      const bin = join(room.path, 'bin');
      mkdirSync(bin);
      for (const name of ['sh', 'head', 'sleep', 'rm']) symlinkSync(join('/bin', name), join(bin, name));
      return { ...process.env, PATH: bin };
    }

    it.skipIf(closed)('runs as nobody when started by root', async () => {
      chownSync(room.path, 65_534, 65_534);
      const started = await room.startProgram([], pathWithoutUnshare());
      expect(await ask(urlOf(started), 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(statSync(join(room.directory, 'server/data')).uid).toBe(65_534);
      await endProgram(started.child);
      const again = await room.start();
      expect(await ask(again.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    });

    it('says what to do when no other user can reach the directory', async () => {
      const { told } = await room.startProgram([], pathWithoutUnshare());
      expect(told).toEqual({ fault: expect.stringMatching(/does not run as root.*ordinary user.*DATABASE_URL/s) });
    });
  });
});

/** Whether everybody may read the file and pass the directories above it. */
function isOpenToAll(path: string): boolean {
  if ((statSync(path).mode & 0o005) === 0) return false;
  return path === dirname(path) || isOpenToAll(dirname(path));
}
