// The page: what it shows now, and what its buttons do.

import { act, read } from './cluster.js';
import { replace } from './elements.js';
import { overview, summary, widen } from './overview.js';
import { show } from './screen.js';

const EVERY = 4000; // milliseconds between looks, while somebody looks
const main = document.getElementById('main');
const told = document.getElementById('told');
let end = () => {};
let timer;

/** `#/` all, `#/namespace` one namespace, `#/namespace/machine` a screen. */
function where() {
  const [namespace = '', name = ''] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { namespace, name };
}

async function look() {
  clearTimeout(timer);
  const { namespace, name } = where();
  if (!document.hidden) {
    const found = await read(namespace);
    if (where().name !== name || where().namespace !== namespace) return;
    document.getElementById('summary').textContent = found.machines.refused ? 'not allowed to list machines' : summary(found);
    if (!name) {
      replace(main, ...overview(found, carryOut));
      widen(main);
    }
  }
  timer = setTimeout(look, EVERY);
}

async function carryOut(machine, what) {
  try {
    tell(await act(machine, what));
  } catch (error) {
    tell(error.message, true);
  }
  look();
}

function tell(words, wrong = false) {
  told.textContent = words;
  told.className = wrong ? 'wrong' : '';
  told.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { told.hidden = true; }, wrong ? 12000 : 5000);
}

function go() {
  end();
  end = () => {};
  delete main.dataset.shown;
  main.replaceChildren();
  const place = where();
  document.title = place.name ? `${place.name} · libvf` : 'libvf';
  if (place.name) end = show(main, place, carryOut);
  look();
}

addEventListener('hashchange', go);
document.addEventListener('visibilitychange', look);
go();
