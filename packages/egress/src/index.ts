export { EgressGuard, EgressRefusedError } from './guard.ts';
export type { EgressOptions, EgressReason } from './guard.ts';
export { climbs } from './path.ts';
