// The page's only door: the Kubernetes API at the page's own origin, with the rights of whoever looks at it.

const HERE = '/apis/subresources.libvf.io/v1alpha1/console/';
const at = location.pathname.indexOf(HERE);
const root = at < 0 ? '' : location.pathname.slice(0, at);

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path) {
  const answer = await fetch(root + path, { method, headers: { Accept: 'application/json' }, cache: 'no-store' });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body.message ?? `${method} ${path}: ${answer.status} ${answer.statusText}`);
  return body;
}

const LISTS = {
  machines: ['/apis/libvf.io/v1alpha1', 'virtualmachines'],
  claims: ['/apis/resource.k8s.io/v1', 'resourceclaims'],
  slices: ['/apis/resource.k8s.io/v1', 'resourceslices', 'of the whole cluster'],
};

/** Everything that may be read: `items`, or `refused` with why not, for each list. `namespace` is empty for all. */
export async function read(namespace) {
  const found = await Promise.all(
    Object.entries(LISTS).map(async ([name, [group, plural, whole]]) => {
      const within = namespace && !whole ? `/namespaces/${namespace}` : '';
      try {
        return [name, { items: (await ask('GET', `${group}${within}/${plural}`)).items }];
      } catch (error) {
        return [name, { items: [], refused: error.message, forbidden: error.status === 403 }];
      }
    }),
  );
  return Object.fromEntries(found);
}

function of({ namespace, name }, what) {
  return `/apis/subresources.libvf.io/v1alpha1/namespaces/${namespace}/virtualmachines/${name}/${what}`;
}

/** pause, unpause, start, stop or restart; the gateway's words of what was done. */
export async function act(machine, what) {
  return (await ask('PUT', of(machine, what))).message;
}

/** The address of a machine's screen, for a WebSocket. */
export function screen(machine) {
  const url = new URL(root + of(machine, 'vnc'), location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

/** Why the screen was refused: a browser keeps the answer to a WebSocket to itself. */
export async function whyNot(machine) {
  try {
    await ask('GET', of(machine, 'vnc'));
    return '';
  } catch (error) {
    return error.status === 400 ? '' : error.message; // 400: only a WebSocket was missing
  }
}
