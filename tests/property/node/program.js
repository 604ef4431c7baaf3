// Runs a program given as JSON in real Node, and prints what ran in which order: the twin of program.py.
// A callback notes its name, then does its steps; where it has started a timer it waits until that is due,
// so that the next timers phase finds it, however slow the machine.
'use strict';
const fs = require('fs');
const { Pipe } = process.binding('pipe_wrap');

const program = JSON.parse(process.argv[2]);
const trace = [];
const handles = new Map();
const target = new EventTarget();

function spin(ms) {
  const end = process.hrtime.bigint() + BigInt(ms) * 1000000n;
  while (process.hrtime.bigint() < end);
}

function body(node) {
  trace.push(node.name);
  let wait = 0;
  for (const step of node.steps) {
    start(step);
    wait = Math.max(wait, 'ms' in step ? step.ms + 2 : { interval: 4, io: 6 }[step.kind] || 0);
  }
  if (wait) spin(wait);
}

function schedule(kind, step, callback) {
  if (kind === 'tick') process.nextTick(callback);
  else if (kind === 'micro') queueMicrotask(callback);
  else if (kind === 'timeout') handles.set(step.name, setTimeout(callback, step.ms));
  else if (kind === 'immediate') handles.set(step.name, setImmediate(callback));
  else if (kind === 'close') new Pipe(0).close(callback);
  else if (kind === 'io') fs.stat(__filename, callback);
}

function start(step) {
  if (step.kind === 'clear') {
    const handle = handles.get(step.of);
    clearTimeout(handle);
    clearImmediate(handle);
  } else if (step.kind === 'interval') {
    let left = step.times;
    const handle = setInterval(() => {
      body(step);
      if (--left === 0) clearInterval(handle);
      spin(3);
    }, 1);
  } else if (step.kind === 'async') {
    (async () => {
      trace.push(step.name + ' begins');
      await new Promise((resolve) => schedule(step.until, step, resolve));
      body(step);
    })();
  } else if (step.kind === 'event') {
    for (const listener of step.listeners) target.addEventListener(step.name, () => body(listener));
    target.dispatchEvent(new Event(step.name));
    trace.push(step.name + ' dispatched');
  } else {
    schedule(step.kind, step, () => body(step));
  }
}

process.on('exit', () => fs.writeSync(1, JSON.stringify(trace)));
body(program);
