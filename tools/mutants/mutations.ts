import { races } from './rules/races.ts';
import { saving } from './rules/saving.ts';
import { schedule } from './rules/schedule.ts';
import { verdicts } from './rules/verdicts.ts';

/** Every rule that is taken out. */
export const mutations = [...races, ...saving, ...verdicts, ...schedule];
