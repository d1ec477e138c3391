// The table that a page shows: read, joined, and held still until the reader wants what is new.
import { useEffect, useRef } from "preact/hooks";
import type { Settings } from "../route";
import { FILTERS, sortOf, view } from "./filter";
import { type Arm, chosen, type Scope } from "./scope";
import { broken, readRows, rowsOf, runLine, version } from "./store";
import { type Table, tableOf } from "./table";

let last: { key: string; table: Table } | undefined;

/** Return the joined table of two arms as it is now; undefined until all of its runs were read. */
export function tableNow(arm: Arm, against: Arm | undefined): Table | undefined {
  const runs = [...arm.runs, ...(against?.runs ?? [])].filter((key) => !broken.value[key]);
  if (!runs.length || !runs.every(rowsOf)) return undefined;
  const key = [version.value, arm.key, against?.key, ...runs].join(" ");
  if (last?.key !== key) last = { key, table: tableOf(arm, against, rowsOf) };
  return last.table;
}

export interface Shown {
  table: Table;
  lines: Uint32Array;
  /** There are newer results than those shown. */
  newer: boolean;
  renew: () => void;
}

/** Whether new results would move nothing: the table is whole, in the order of the run, and only grows at its end. */
function still(old: Table, next: Table, settings: Settings): boolean {
  const plain = sortOf(old, settings).sort === "order" && !FILTERS.some((name) => settings[name]);
  return plain && old.ids.every((id, line) => next.ids[line] === id);
}

/** What the settings show of a scope. Its order changes only with the settings, or when the reader asks for it. */
export function useTable(scope: Scope, settings: Settings): Shown | undefined {
  const { arm, against } = chosen(scope, settings);
  const runs = [...(arm?.runs ?? []), ...(against?.runs ?? [])].join(",");
  const stamps = runs.split(",").map((key) => runLine(key)?.stamp);
  useEffect(() => {
    for (const key of runs.split(",")) if (key) void readRows(key);
  }, [runs, stamps.join()]);
  const held = useRef<{ key: string; table: Table; lines: Uint32Array } | undefined>(undefined);
  const newest = arm && tableNow(arm, against);
  if (!newest) return undefined;
  const names = [...FILTERS, "sort", "turned"].map((name) => settings[name] ?? "");
  const key = JSON.stringify([scope.settings, arm.key, against?.key, names]);
  const now = held.current;
  if (now?.key !== key || (now.table !== newest && still(now.table, newest, settings)))
    held.current = { key, table: newest, lines: view(newest, settings) };
  const { table, lines } = held.current ?? { table: newest, lines: view(newest, settings) };
  const renew = () => {
    held.current = undefined;
    version.value += 1;
  };
  return { table, lines, newer: table !== newest, renew };
}
