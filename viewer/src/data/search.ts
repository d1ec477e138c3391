// Free text over a table: what it looks through, and which lines hold a word.
import { ownText, type Side } from "./side";
import type { Table } from "./table";

/** The texts of all lines in small letters, one after the other in one string: a word is looked for in one go. */
interface Texts {
  text: string;
  /** Where each line begins, and where the last one ends. */
  start: Uint32Array;
}

const made = new WeakMap<Table, Texts>();
/** Stands between two lines; no word that is looked for has it. */
const BETWEEN = "\n\n";

/** Id, question and ground truth of each line, and of each arm the answers and the final messages of all its runs. */
function textsOf(table: Table): Texts {
  const known = made.get(table);
  if (known) return known;
  const sides = table.against ? [table.side, table.against] : [table.side];
  const start = new Uint32Array(table.ids.length + 1);
  const lines = table.ids.map((id, line) => {
    const asked = table.asked.values[table.asked.at[line] ?? -1] ?? "";
    const own = [id, asked, ownText(table.side, line, "target"), ...sides.flatMap((side) => said(side, line))];
    const text = own.join("\n").toLowerCase() + BETWEEN;
    start[line + 1] = (start[line] ?? 0) + text.length;
    return text;
  });
  const texts = { text: lines.join(""), start };
  made.set(table, texts);
  return texts;
}

function said(side: Side, line: number): string[] {
  return side.places.flatMap((at, r) => {
    const position = at[line] ?? -1;
    const lists = side.runs[r]?.lists;
    return position < 0 || !lists ? [] : [lists.answer[position] ?? "", lists.text[position] ?? ""];
  });
}

/** For each line, 1 where it has the word, which is in small letters and has no space in it. */
export function holding(table: Table, word: string): Uint8Array {
  const { text, start } = textsOf(table);
  const found = new Uint8Array(table.ids.length);
  let line = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, start[line])) {
    while ((start[line + 1] ?? Infinity) <= at) line += 1;
    found[line] = 1;
    line += 1;
  }
  return found;
}
