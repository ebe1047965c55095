// VirtualMachines as the page shows them. Pure.

import { order } from './cards.js';

const RESTING = ['Halted', 'Completed'];

/** Each machine in the words of its conditions. */
export function machines(objects) {
  return objects.map(machine).sort((a, b) => order(a.namespace, b.namespace) || order(a.name, b.name));
}

function machine(object) {
  const conditions = object.status?.conditions ?? [];
  const find = (type) => conditions.find((condition) => condition.type === type) ?? {};
  const ready = find('Ready');
  const restart = find('RestartRequired');
  return {
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    state: state(ready, find('Stalled')),
    reason: ready.reason ?? 'Waiting',
    message: ready.message ?? 'the operator has not looked at it yet',
    node: object.status?.node ?? '',
    gpu: object.status?.gpu ?? '',
    addresses: object.status?.guest?.addresses ?? [],
    restart: restart.status === 'True' ? restart.message : '',
    on: (object.spec.runStrategy ?? 'Always') !== 'Halted' && !RESTING.includes(ready.reason),
    running: ready.status === 'True',
    paused: ready.reason === 'Paused',
  };
}

/** One word for its colour: well, still, wrong or moving. */
function state(ready, stalled) {
  if (ready.status === 'True') return 'well';
  if (stalled.status === 'True') return 'wrong';
  return RESTING.includes(ready.reason) || ready.reason === 'Paused' ? 'still' : 'moving';
}
