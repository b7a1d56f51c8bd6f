// Codes of what people set for the running pipeline: pauses, and glass that was broken.
import { entry } from './entry.ts';

export const controlCodes = {
  PROCESSOR_PAUSED: entry(
    'notice',
    'a partition',
    503,
    'Do nothing while it should stand; to let it go on, have another person approve `corridor control resume`.',
  ),
  PROVIDER_PAUSED: entry(
    'notice',
    'a payout',
    503,
    'Do nothing while no payout should begin; to let them go on, have another person approve `corridor control resume`.',
  ),
  PAYOUT_CORRIDOR_PAUSED: entry(
    'notice',
    'a payout',
    503,
    'Do nothing while payouts of this corridor should wait; to let them go on, have another person approve `corridor control resume`.',
  ),
  RAIL_PAUSED: entry(
    'notice',
    'a payout',
    503,
    'Do nothing while payouts on this rail should wait; to let them go on, have another person approve `corridor control resume`.',
  ),
  GLASS_BROKEN: entry(
    'notice',
    'the process',
    409,
    'Find out who broke the glass and why, look at what was done under it, and review it: `corridor break-glass list`.',
  ),
  CONTROL_TARGET_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Name what is meant as kind and name, such as processor/limits, partition/limits/3 or corridor/GB-IN.',
  ),
  CONTROL_NOT_PAUSED: entry('invalid-request', 'the caller', 409, 'See `corridor control show`: it is not paused.'),
  CONTROL_MOVED: entry(
    'invalid-request',
    'the caller',
    409,
    'Look at `corridor control show`, and ask anew: somebody has paused it again, or resumed it, since.',
  ),
  GLASS_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'See `corridor break-glass list` for those that there are.',
  ),
  GLASS_TERMS_INVALID: entry('invalid-request', 'the caller', 400, 'Say for how many minutes, within the bound.'),
  GLASS_OVER: entry(
    'invalid-request',
    'the caller',
    409,
    'Break the glass anew if it must be: it is over, was reviewed, or is somebody else’s.',
  ),
} as const;
