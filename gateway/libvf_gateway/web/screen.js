// A machine's screen: noVNC on the gateway's WebSocket.

import { screen, whyNot } from './cluster.js';
import { el } from './elements.js';

/** Shows it in `place`; returns what ends it. `act(machine, what)` carries a button out. */
export function show(place, machine, act) {
  let rfb;
  let ended = false;
  const state = el('p', { class: 'screen-state', role: 'status' }, 'connecting');
  const glass = el('div', { class: 'glass', tabindex: '-1' });
  const again = el('button', { type: 'button', hidden: true, click: () => connect() }, 'Connect again');
  const button = (label, click) => el('button', { type: 'button', click }, label);

  async function connect() {
    again.hidden = true;
    tell('connecting', 'moving');
    const { default: RFB } = await import('./novnc/core/rfb.js');
    if (ended) return;
    glass.replaceChildren();
    rfb = new RFB(glass, screen(machine), { wsProtocols: ['binary'], shared: true });
    rfb.scaleViewport = true;
    rfb.focusOnClick = true;
    rfb.background = 'transparent';
    rfb.addEventListener('connect', () => {
      tell('connected', 'well');
      rfb.focus();
    });
    rfb.addEventListener('disconnect', async (event) => {
      if (ended) return;
      const why = event.detail.clean ? '' : await whyNot(machine);
      tell(why || 'the screen has ended', 'wrong');
      again.hidden = false;
    });
  }

  function tell(words, kind) {
    state.textContent = words;
    state.className = `screen-state ${kind}`;
  }

  place.replaceChildren(
    el('section', { class: 'screen', 'aria-label': `Screen of ${machine.name}` },
      el('div', { class: 'toolbar' },
        el('a', { class: 'button', href: '#/' }, 'All machines'),
        el('h2', {}, el('span', { class: 'namespace' }, `${machine.namespace}/`), machine.name),
        state, again,
        el('span', { class: 'gap' }),
        button('Ctrl-Alt-Del', () => rfb?.sendCtrlAltDel()),
        button('Pause', () => act(machine, 'pause')),
        button('Resume', () => act(machine, 'unpause')),
        button('Full screen', () => glass.requestFullscreen?.())),
      glass));
  connect();
  return () => {
    ended = true;
    rfb?.disconnect();
  };
}
