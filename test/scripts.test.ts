import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scripts = fileURLToPath(new URL('../scripts', import.meta.url));
const scriptUrl = (name: string): string => JSON.stringify(new URL(`../scripts/${name}`, import.meta.url).href);
let room = '';

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'scripts test-'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

/** Writes a module into the room and runs it. */
function run(name: string, source: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const file = join(room, name);
  writeFileSync(file, source);
  return spawn(process.execPath, [file, ...args], { env, cwd: room, stdio: ['pipe', 'pipe', 'pipe'] });
}

interface Outcome {
  readonly code: unknown;
  readonly signal: unknown;
  readonly stderr: string;
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const event: unknown[] = await once(child, 'close');
  return { code: event[0], signal: event[1], stderr };
}

async function lineOf(child: ChildProcess): Promise<string> {
  const event: unknown[] = await once(createInterface(child.stdout ?? process.stdin), 'line');
  return String(event[0]);
}

describe('taking turns', () => {
  const taker = `import { takeTurn } from ${scriptUrl('turn.mjs')};
    import { appendFileSync } from 'node:fs';
    const turn = await takeTurn('turns', () => {});
    appendFileSync('log', 'in\\n');
    if (process.argv[2] === 'hang') { console.log('mine'); setInterval(() => {}, 1000); }
    else { await new Promise((go) => setTimeout(go, 20)); appendFileSync('log', 'out\\n'); turn.end(); }`;

  it('lets one process in at a time', async () => {
    const takers = Array.from({ length: 4 }, () => outcomeOf(run('taker.mjs', taker)));
    for (const { code, stderr } of await Promise.all(takers)) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(join(room, 'log'), 'utf8')).toBe('in\nout\n'.repeat(4));
  });

  it('goes on when the process whose turn it was is killed', async () => {
    const hanging = run('taker.mjs', taker, ['hang']);
    await lineOf(hanging);
    const next = outcomeOf(run('taker.mjs', taker));
    hanging.kill('SIGKILL');
    expect(await next).toMatchObject({ code: 0 });
    expect(readFileSync(join(room, 'log'), 'utf8')).toBe('in\nin\nout\n');
  });
});

describe('running a program under Node 24', () => {
  const runner = `import { runUnderNode24 } from ${scriptUrl('run.mjs')};
    await runUnderNode24(process.argv.slice(2));`;

  function program(source: string): ChildProcess {
    writeFileSync(join(room, 'program.ts'), source);
    return run('runner.mjs', runner, ['program.ts', 'an argument']);
  }

  it('passes on arguments, the directory and the exit code', async () => {
    const child = program('console.log(JSON.stringify([process.argv[2], process.cwd()])); process.exitCode = 3 as number;');
    const outcome = outcomeOf(child);
    expect(JSON.parse(await lineOf(child))).toEqual(['an argument', room]);
    expect(await outcome).toEqual({ code: 3, signal: null, stderr: '' });
  });

  it('passes on a signal once, also when it comes twice at once, and waits for the end', async () => {
    const child = program(`let times: number = 0;
      process.on('SIGINT', () => { times += 1; setTimeout(() => process.exit(10 + times), 200); });
      setInterval(() => {}, 1000);
      console.log('ready');`);
    const outcome = outcomeOf(child);
    await lineOf(child);
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: 11 });
  });

  it('says so with its exit code when the program is killed', async () => {
    const child = program(`process.kill(process.pid, 'SIGKILL');`);
    expect(await outcomeOf(child)).toMatchObject({ code: 137 });
  });

  it('does not leave the program behind when it is killed itself', async () => {
    const child = program('setInterval(() => {}, 1000); console.log(process.pid);');
    const pid = Number(await lineOf(child));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});

describe('installing', () => {
  const installer = `import { ensureInstalled } from './scripts/install.mjs';
    await ensureInstalled().catch((error) => { console.error(error.message); process.exitCode = 2; });`;
  const npm = (...args: string[]): string =>
    execFileSync('npm', [...args, '--offline', '--loglevel=error'], { cwd: room, encoding: 'utf8' });
  const install = (): Promise<Outcome> => outcomeOf(run('installer.mjs', installer));
  const theLine = /^Installing the packages of package-lock\.json \(npm ci\).*\n$/;

  /** A checkout with one package, which lies beside it as an archive, so that nothing is fetched. */
  beforeEach(() => {
    cpSync(scripts, join(room, 'scripts'), { recursive: true });
    mkdirSync(join(room, 'stone'));
    writeFileSync(join(room, 'stone/package.json'), '{"name":"stone","version":"1.0.0"}');
    npm('pack', './stone');
    writeFileSync(
      join(room, 'package.json'),
      '{"name":"room","version":"1.0.0","dependencies":{"stone":"file:stone-1.0.0.tgz"}}',
    );
    npm('install', '--package-lock-only');
  });

  it('installs what is missing with one line, once, and then says nothing', async () => {
    const both = await Promise.all([install(), install()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const said = both.map(({ stderr }) => stderr).toSorted();
    expect(said[1]).toMatch(theLine);
    expect(said[0]).toMatch(/^(Another process is installing the packages…\n)?$/);
    expect(existsSync(join(room, 'node_modules/stone/package.json'))).toBe(true);
    expect(await install()).toEqual({ code: 0, signal: null, stderr: '' });

    rmSync(join(room, 'node_modules/stone'), { recursive: true });
    expect((await install()).stderr).toMatch(theLine);
    expect(existsSync(join(room, 'node_modules/stone/package.json'))).toBe(true);
  });

  it('says what to do when it cannot', async () => {
    // npm ci refuses a lockfile that does not fit the package.json.
    writeFileSync(join(room, 'package.json'), '{"name":"room","version":"1.0.0","dependencies":{"stone":"2.0.0"}}');
    const { code, stderr } = await install();
    expect(code).toBe(2);
    expect(stderr).toMatch(/could not be installed\. npm ci ended with 1:.*Check the connection to the npm registry/s);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
