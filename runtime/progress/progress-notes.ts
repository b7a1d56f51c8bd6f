// Up to which cause a partition has been handled, for each source and partition of causes: what is not above that cause is a
// repeat. Kept as a note beside the committed offset, in the same transaction, so that it goes wherever the offset goes.
import { type Cause, parseCause } from '../../topics/cause.ts';

/** Brokers take 4,096 bytes beside an offset (offset.metadata.max.bytes); the topic's id takes some of them (proven-progress.ts). */
const MAX_TEXT = 4_000;

interface Handled {
  readonly offset: number;
  readonly nth: number;
}

/** The highest cause of each source, of one input partition. Where they do not all fit, the one raised longest ago goes first. */
export class ProgressNote {
  readonly #highest: Map<string, Handled>;
  /** The cause that was raised last, and its place, which is the last of the map: neighbours mostly come from one source. */
  #last: { readonly cause: Cause; readonly place: string } | undefined;

  constructor(highest: ReadonlyMap<string, Handled> = new Map()) {
    this.#highest = new Map(highest);
  }

  /** Reads a note; text that is not a note gives an empty one. */
  static from(text: string | undefined): ProgressNote {
    const highest = new Map<string, Handled>();
    for (const each of (text ?? '').split(' ')) {
      const cause = parseCause(each);
      if (cause) highest.set(placeOf(cause), { offset: cause.offset, nth: cause.nth });
    }
    return new ProgressNote(highest);
  }

  /** False: what has this cause was handled before. */
  isNew(cause: Cause): boolean {
    const handled = this.#highest.get(this.#placeOf(cause));
    return (
      handled === undefined ||
      cause.offset > handled.offset ||
      (cause.offset === handled.offset && cause.nth > handled.nth)
    );
  }

  raise(cause: Cause): void {
    const place = this.#placeOf(cause);
    if (place !== this.#last?.place) this.#highest.delete(place);
    this.#highest.set(place, cause);
    this.#last = { cause, place };
  }

  #placeOf(cause: Cause): string {
    const last = this.#last;
    const isSame = last !== undefined && last.cause.partition === cause.partition && last.cause.source === cause.source;
    return isSame ? last.place : placeOf(cause);
  }

  /** The note. What does not fit is forgotten, the longest untouched first: a repeat of it would be handled again. */
  text(): string {
    const texts: string[] = [];
    let room = MAX_TEXT;
    for (const [place, { offset, nth }] of [...this.#highest].reverse()) {
      const text = nth === 0 ? `${place}:${offset}` : `${place}:${offset}.${nth}`;
      room -= text.length + 1;
      if (room < 0) break;
      texts.push(text);
    }
    return texts.reverse().join(' ');
  }
}

const placeOf = ({ source, partition }: Cause): string => `${source}:${partition}`;
