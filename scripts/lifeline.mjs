/**
 * Loaded before a program that run.mjs starts: ends it when run.mjs is killed. The program has a process group of its own,
 * so a `kill -9` of the group we were started in would otherwise leave it behind, holding the port. It ends as abruptly as
 * we were: whoever kills and starts again at once must not meet the old one.
 */
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.env.PIXPAX_LIFELINE !== undefined) {
  const pipe = new Socket({ fd: Number(process.env.PIXPAX_LIFELINE), readable: true, writable: false });
  // Processes that this one forks have another descriptor there.
  delete process.env.PIXPAX_LIFELINE;
  pipe.on('error', () => {});
  pipe.on('close', () => process.kill(process.pid, 'SIGKILL'));
  pipe.resume();
  pipe.unref();
}
