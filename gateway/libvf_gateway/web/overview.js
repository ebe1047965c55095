// The overview: the hosts' cards, and the machines.

import { cards } from './cards.js';
import { el, hue } from './elements.js';
import { machines } from './machines.js';

const VENDORS = { nvidia: 'NVIDIA', intel: 'Intel', amd: 'AMD', 'kernel-sample': 'kernel sample' };
const percent = (share) => `${Math.round(share * 100)} %`;

/** All of it; `act(machine, what)` carries a button out. */
export function overview(found, act) {
  const listed = machines(found.machines.items);
  const bars = cards(found.slices.items, found.claims.items);
  return [
    el('section', { 'aria-labelledby': 'machines' }, el('h2', { id: 'machines' }, 'Machines'), machineList(found.machines, listed, act)),
    el('section', { 'aria-labelledby': 'cards' }, el('h2', { id: 'cards' }, 'Cards'), cardList(found, bars)),
  ];
}

/** One sentence for the head of the page. */
export function summary(found) {
  const listed = machines(found.machines.items);
  const wrong = listed.filter((machine) => machine.state === 'wrong').length;
  const running = listed.filter((machine) => machine.running).length;
  return `${running} of ${listed.length} machines running${wrong ? `, ${wrong} need${wrong === 1 ? 's' : ''} somebody` : ''}`;
}

function machineList(source, listed, act) {
  if (source.refused) return notice(source.refused, source.forbidden);
  if (!listed.length) return el('p', { class: 'empty' }, 'No machines yet: kubectl apply one, and it appears here.');
  return el('ul', { class: 'machines' }, listed.map((machine) => machineItem(machine, act)));
}

function machineItem(machine, act) {
  const place = `${machine.namespace}/${machine.name}`;
  const button = (what, label) =>
    el('button', { type: 'button', 'data-key': `${place}/${what}`, 'aria-label': `${label} ${machine.name}`, click: () => act(machine, what) }, label);
  const buttons = machine.on
    ? [machine.paused ? button('unpause', 'Resume') : machine.running ? button('pause', 'Pause') : '', button('restart', 'Restart'), button('stop', 'Stop')]
    : [button('start', 'Start')];
  const seen = machine.running || machine.paused;
  const name = el('span', { class: 'name' }, el('span', { class: 'namespace' }, `${machine.namespace}/`), machine.name);
  return el('li', { class: `machine ${machine.state}`, 'data-machine': place },
    el('div', { class: 'what' },
      el('h3', {}, name, el('span', { class: 'state' }, machine.reason)),
      el('p', { class: 'message' }, machine.message),
      machine.restart ? el('p', { class: 'message' }, machine.restart) : '',
      el('p', { class: 'where' }, [machine.node, machine.gpu, ...machine.addresses].filter(Boolean).join(' · '))),
    el('div', { class: 'actions' },
      seen ? el('a', { class: 'button main', href: `#/${place}`, 'data-key': `${place}/screen`, 'aria-label': `Screen of ${machine.name}` }, 'Screen') : '',
      buttons));
}

function cardList(found, bars) {
  if (found.slices.refused) return notice(found.slices.refused, found.slices.forbidden);
  if (!bars.length) return el('p', { class: 'empty' }, 'No host offers a card: is the agent running where the cards are?');
  const blind = found.claims.refused ? notice(found.claims.refused, found.claims.forbidden) : '';
  const nodes = [...new Set(bars.map((card) => card.node))];
  return el('div', {}, blind, nodes.map((node) =>
    el('div', { class: 'host' }, el('h3', {}, node), bars.filter((card) => card.node === node).map(cardItem))));
}

function cardItem(card) {
  const about = [VENDORS[card.vendor] ?? card.vendor, card.device, card.numa === undefined ? '' : `NUMA node ${card.numa}`];
  return el('article', { class: 'card', 'data-card': `${card.node}/${card.name}` },
    el('p', { class: 'title' }, el('strong', {}, card.name), ' ', el('span', { class: 'about' }, about.filter(Boolean).join(' · '))),
    el('ul', { class: 'bar' },
      slices(card.slices),
      card.left > 0.001 || !card.slices.length ? el('li', { class: 'free', 'data-share': card.left || 1 }, el('span', {}, card.slices.length ? `${percent(card.left)} free` : 'free')) : ''),
    card.closed.length ? el('p', { class: 'closed' }, `nothing new comes to it: ${card.closed.join(', ')}`) : '',
    el('p', { class: 'fits' }, fits(card)));
}

/** In colours of their holders; neighbours never share one. */
function slices(listed) {
  let before = -1;
  return listed.map((each) => {
    const colour = hue(`${each.who.namespace}/${each.who.name}`);
    before = colour === before ? (colour + 1) % 6 : colour;
    return slice(each, before);
  });
}

function slice({ who, label, vram, share }, colour) {
  const name = `${who.namespace}/${who.name}`;
  const words = `${who.name}: ${label}${vram ? `, ${vram}` : ''}`;
  return el('li', { class: `slice hue${colour}`, 'data-share': share, 'data-holder': name, title: `${words}, of ${who.namespace}` },
    el('span', {}, who.name), el('small', {}, vram || label));
}

function fits(card) {
  const can = card.fits.filter((type) => type.count);
  if (!can.length) return 'nothing more fits';
  return `still fits ${can.map((type) => `${type.count} × ${type.label}${type.vram ? ` (${type.vram})` : ''}`).join(', or ')}`;
}

function notice(words, forbidden) {
  const cure = forbidden ? ' Ask for the right, or look at one namespace: #/namespace.' : '';
  return el('p', { class: 'notice' }, `Not shown: ${words}.${cure}`);
}

/** Widths are data, and the page's own policy forbids them in the markup. */
export function widen(place) {
  for (const part of place.querySelectorAll('[data-share]')) part.style.flexGrow = part.dataset.share;
}
