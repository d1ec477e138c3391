// The rows of one run, kept column by column and brought up to date in place.
import type { Rows, Words } from "../forms";

type Column = Exclude<keyof Rows, "run" | "stamp">;
type Lists = { [K in Column as Rows[K] extends Words ? never : K]: Rows[K] };
type Texts = { [K in Column as Rows[K] extends Words ? K : never]: Words };

/** One run's samples. A position is a place in these columns; `rows` has the row numbers that the server knows. */
export interface Run {
  key: string;
  stamp: number;
  lists: Lists;
  words: Texts;
  /** Position of each id. */
  at: Map<string, number>;
  /** Position of each row number. */
  row: Map<number, number>;
}

const isWords = (value: unknown): value is Words => typeof value === "object" && value !== null && "values" in value;

function columnsOf(rows: Rows): [lists: [string, unknown[]][], words: [string, Words][]] {
  const lists: [string, unknown[]][] = [];
  const words: [string, Words][] = [];
  for (const [name, value] of Object.entries(rows)) {
    if (Array.isArray(value)) lists.push([name, value]);
    else if (isWords(value)) words.push([name, value]);
  }
  return [lists, words];
}

/** Make a run of its first rows. */
export function runOf(rows: Rows): Run {
  const [lists, words] = columnsOf(rows);
  return {
    key: rows.run,
    stamp: rows.stamp,
    lists: Object.fromEntries(lists) as unknown as Lists,
    words: Object.fromEntries(words) as unknown as Texts,
    at: new Map(rows.id.map((id, position) => [id, position])),
    row: new Map(rows.rows.map((row, position) => [row, position])),
  };
}

/** Write rows that changed, or are new, into *run*; return how many there were. */
export function update(run: Run, changed: Rows): number {
  const [lists, words] = columnsOf(changed);
  const places = changed.rows.map((row) => run.row.get(row) ?? -1);
  let next = run.lists.rows.length;
  for (const [k, place] of places.entries()) {
    if (place >= 0) continue;
    places[k] = next;
    run.row.set(changed.rows[k] ?? 0, next);
    run.at.set(changed.id[k] ?? "", next);
    next += 1;
  }
  for (const [name, values] of lists) {
    const own = run.lists[name as keyof Lists] as unknown[];
    places.forEach((place, k) => (own[place] = values[k]));
  }
  for (const [name, column] of words) {
    const own = run.words[name as keyof Texts];
    const codes = new Map(own.values.map((text, at) => [text, at]));
    const code = column.values.map((text) => codes.get(text) ?? own.values.push(text) - 1);
    places.forEach((place, k) => (own.at[place] = code[column.at[k] ?? -1] ?? -1));
  }
  run.stamp = changed.stamp;
  return places.length;
}

/** The text at a position of a column of repeated texts; empty where it is missing. */
export const wordAt = (words: Words, position: number): string => words.values[words.at[position] ?? -1] ?? "";
