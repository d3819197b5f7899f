// Ways to break the store under a running server, each undone by the function it returns.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { freshFolder, until } from './server.mjs';

const isRoot = process.getuid() === 0;
const storeFiles = (server) => fs.readdirSync(server.var).filter((name) => name.startsWith('consentgate.db'));

function tries(command, ...args) {
  try { execFileSync(command, args, { stdio: 'pipe' }); return true; } catch { return false; }
}

// The database and its companions are somewhere else.
export function moveAway(server) {
  fs.mkdirSync(`${server.var}/away`);
  const names = storeFiles(server);
  for (const name of names) fs.renameSync(path.join(server.var, name), path.join(server.var, 'away', name));
  return async () => {
    for (const name of storeFiles(server)) fs.rmSync(path.join(server.var, name));
    for (const name of names) fs.renameSync(path.join(server.var, 'away', name), path.join(server.var, name));
    fs.rmdirSync(path.join(server.var, 'away'));
  };
}

// Another program holds the write lock until this is undone.
export async function lock(server) {
  const holder = spawn('sqlite3', [server.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  holder.stdout.on('data', (text) => { said += text; });
  holder.stdin.write(".timeout 20000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
  await until(() => said.includes('held'), 'the write lock');
  return async () => {
    holder.stdin.end('ROLLBACK;\n');
    await once(holder, 'exit');
  };
}

// A data folder on a disk of its own of a few MiB, when we may mount one; an ordinary folder
// otherwise.
export function smallDisk() {
  const folder = freshFolder('disk');
  const mounted = isRoot && tries('mount', '-t', 'tmpfs', '-o', 'size=24m', 'none', folder);
  return { folder, mounted, unmount: () => { if (mounted) tries('umount', folder) || tries('umount', '-l', folder); fs.rmSync(folder, { recursive: true, force: true }); } };
}

// No byte more can be written: the disk is filled to the last, or every worker may let no file
// grow.
export async function fillUp(server, disk) {
  emptyLog(server);
  if (disk.mounted) {
    const filler = path.join(server.var, 'filler');
    tries('dd', 'if=/dev/zero', `of=${filler}`, 'bs=64k');
    tries('sh', '-c', 'dd if=/dev/zero bs=1 count=65536 >> "$1"', 'sh', filler);
    return async () => fs.rmSync(filler);
  }
  return limitGrowth(server);
}

// The database's write-ahead log is emptied first: it keeps its size when it is used again, and
// could be written without growing.
const emptyLog = (server) => server.sql('PRAGMA wal_checkpoint(TRUNCATE)');

// Files of the workers may not grow: writes fail with "File too large". The server must be started
// with `ignoringSizeSignal`.
export function limitGrowth(server) {
  emptyLog(server);
  const pids = server.workerPids();
  for (const pid of pids) execFileSync('prlimit', [`--pid=${pid}`, '--fsize=1:']);
  return async () => { for (const pid of pids) execFileSync('prlimit', [`--pid=${pid}`, '--fsize=unlimited:']); };
}
export const ignoringSizeSignal = ['sh', '-c', "trap '' XFSZ; exec \"$@\"", 'sh'];

// The folder of the store cannot be written by whoever opens it from now on: the workers are
// replaced so that they open it anew.
export async function makeReadOnly(server) {
  let undo;
  if (isRoot && tries('mount', '--bind', server.var, server.var)) {
    execFileSync('mount', ['-o', 'remount,bind,ro', server.var]);
    undo = async () => { if (!tries('umount', server.var)) execFileSync('umount', ['-l', server.var]); };
  } else {
    const modes = [server.var, ...storeFiles(server).map((name) => path.join(server.var, name))].map((name) => [name, fs.statSync(name).mode & 0o777]);
    for (const [name, mode] of modes) fs.chmodSync(name, mode & 0o555);
    undo = async () => { for (const [name, mode] of modes) fs.chmodSync(name, mode); };
  }
  const old = server.workerPids();
  for (const pid of old) process.kill(pid, 'SIGTERM');
  await until(() => {
    const now = server.workerPids();
    return now.length === old.length && !now.some((pid) => old.includes(pid));
  }, 'new workers over a read-only store');
  return undo;
}
