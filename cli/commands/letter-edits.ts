// `corridor dlq edit`: a letter that is decided again otherwise than it stands there; and how edits are shown.
import { readFileSync } from 'node:fs';
import type { ShownEdit } from '../../operations/dead-letters/edits/edit-letter.ts';
import { type PatchStep, patchIn } from '../../operations/dead-letters/edits/patch.ts';
import { CodedError } from '../../ports/fault.ts';
import { print } from '../output.ts';

export const EDIT_HELP = `
The patch is a JSON Patch (RFC 6902; add, replace, remove, test) on the decoded record. What may be edited depends on whose
letter it is: of intake /purposeCode, /requestedExecutionDate and /parties/remittanceInformation, of the stages behind it
/parties/remittanceInformation. All else is locked: another payment is a new instruction. The letter itself stays as it is.

Example, with patch.json [{"op":"replace","path":"/purposeCode","value":"SALA"}]:
  corridor dlq edit 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --patch patch.json --reason "INC-4711: code was withdrawn"`;

/** The patch in a file. @throws CodedError FILE_UNREADABLE, EDIT_INVALID */
export function readPatch(file: string): readonly PatchStep[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CodedError('FILE_UNREADABLE', `the patch cannot be read from ${file}`);
  }
  try {
    return patchIn(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new CodedError('EDIT_INVALID', `${file} is no JSON`);
    throw error;
  }
}

/** What is edited, a field a line, each beside what stands there. */
export function printEdits(edits: readonly Pick<ShownEdit, 'letterId' | 'transferId' | 'by' | 'changes'>[]): void {
  for (const { letterId, transferId, by, changes } of edits) {
    print(`edited   ${letterId} (${transferId ?? 'no transfer'}) by ${by}`);
    for (const { path, before, after, isMasked } of changes) {
      print(
        `         ${path}${isMasked ? ' (masked)' : ''}: ${JSON.stringify(before)} becomes ${JSON.stringify(after)}`,
      );
    }
  }
}
