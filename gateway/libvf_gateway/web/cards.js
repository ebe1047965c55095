// The hosts' cards as bars, from ResourceSlices and ResourceClaims alone. Pure: no page, no network.
//
// What still fits is the scheduler's own arithmetic: a device can be had while every counter that it draws on has that
// much left. How wide a slice is drawn is one part in as many as an empty card takes of its type.

const DRIVER = 'libvf.io';
const UNITS = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

/** A Kubernetes quantity as a number. */
export function amount(quantity) {
  const [, number, unit] = /^([0-9.]+)([A-Za-z]*)$/.exec(String(quantity ?? 0)) ?? [null, '0', ''];
  return Number(number) * (UNITS[unit] ?? 1);
}

/** Every card, by host and name: what it is, what is cut from it and by whom, and what still fits. */
export function cards(slices, claims) {
  const pools = new Map();
  for (const { spec } of slices.filter((slice) => slice.spec.driver === DRIVER)) {
    const pool = pools.get(spec.pool.name) ?? { name: spec.pool.name, node: spec.nodeName, counters: new Map(), devices: [] };
    pools.set(pool.name, pool);
    for (const set of spec.sharedCounters ?? []) {
      for (const [name, { value }] of Object.entries(set.counters)) pool.counters.set(`${set.name}/${name}`, amount(value));
    }
    pool.devices.push(...(spec.devices ?? []).filter((device) => text(device, 'kind') === 'gpu'));
  }
  const held = holders(claims);
  return [...pools.values()]
    .filter((pool) => pool.devices.length)
    .map((pool) => card(pool, held))
    .sort((a, b) => order(a.node, b.node) || order(a.name, b.name));
}

/** Who holds a device: `pool/device` -> the Pod that uses the claim, else the claim. */
function holders(claims) {
  const found = new Map();
  for (const claim of claims) {
    const pod = (claim.status?.reservedFor ?? []).find((user) => user.resource === 'pods');
    const who = { namespace: claim.metadata.namespace, name: pod?.name ?? claim.metadata.name, waits: !pod };
    for (const result of claim.status?.allocation?.devices?.results ?? []) {
      if (result.driver === DRIVER) found.set(`${result.pool}/${result.device}`, who);
    }
  }
  return found;
}

function card(pool, held) {
  const [first] = pool.devices;
  const count = new Map();
  for (const device of pool.devices) count.set(text(device, 'type'), (count.get(text(device, 'type')) ?? 0) + 1);
  const taken = pool.devices.filter((device) => held.has(`${pool.name}/${device.name}`));
  const slices = taken.map((device) => ({
    type: text(device, 'type'),
    label: text(device, 'typeName') || text(device, 'type'),
    vram: device.capacity?.vram?.value ?? '',
    share: 1 / count.get(text(device, 'type')),
    who: held.get(`${pool.name}/${device.name}`),
  }));
  const sum = slices.reduce((total, slice) => total + slice.share, 0);
  for (const slice of slices) slice.share /= Math.max(1, sum);
  return {
    node: pool.node,
    name: text(first, 'parent') || pool.name,
    vendor: text(first, 'vendor'),
    device: text(first, 'device'),
    numa: first.attributes?.['resource.kubernetes.io/numaNode']?.int,
    slices,
    left: Math.max(0, 1 - sum),
    fits: fitting(pool, taken),
    closed: [...new Set(pool.devices.flatMap((device) => (device.taints ?? []).map((taint) => taint.key.split('/').pop())))],
  };
}

/** How many more of each type can be had, each type for itself: `[{type, label, vram, count, total}]`. */
function fitting(pool, taken) {
  const left = new Map(pool.counters);
  for (const device of taken) draw(left, device);
  const types = new Map();
  for (const device of pool.devices) {
    const type = text(device, 'type');
    const vram = device.capacity?.vram?.value ?? '';
    const entry = types.get(type) ?? { type, label: text(device, 'typeName') || type, vram, count: 0, total: 0, rest: new Map(left) };
    types.set(type, entry);
    entry.total += 1;
    if (!taken.includes(device) && !device.taints?.length && room(entry.rest, device)) {
      draw(entry.rest, device);
      entry.count += 1;
    }
  }
  return [...types.values()].map(({ rest, ...entry }) => entry);
}

function* consumed(device) {
  for (const { counterSet, counters } of device.consumesCounters ?? []) {
    for (const [name, { value }] of Object.entries(counters)) yield [`${counterSet}/${name}`, amount(value)];
  }
}

function room(left, device) {
  return [...consumed(device)].every(([counter, value]) => (left.get(counter) ?? 0) >= value);
}

function draw(left, device) {
  for (const [counter, value] of consumed(device)) left.set(counter, (left.get(counter) ?? 0) - value);
}

function text(device, name) {
  return device.attributes?.[name]?.string ?? '';
}

export function order(a, b) {
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
