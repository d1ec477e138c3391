// The columns of the table of samples.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Sort } from "../data/filter";
import { repeatsOf } from "../data/scope";
import { type Coded, ownText, textAt } from "../data/side";
import type { Table } from "../data/table";
import { Difference, Loss } from "../parts/numbers";
import { placeShort } from "../place";
import { dollars, unlike } from "../text";

export interface TableColumn {
  key: string;
  title: string;
  about?: string | undefined;
  sort?: Sort;
  width: string;
  right?: boolean;
  cell: (line: number) => ComponentChildren;
}

const query = matchMedia("(max-width: 700px)");
/** The window is as narrow as a phone. */
export const narrow = signal(query.matches);
query.addEventListener("change", () => (narrow.value = query.matches));

/** Return the columns that a table has; on a phone, those that answer the question. */
export function columnsOf(table: Table, slim: boolean): TableColumn[] {
  const { side, against } = table;
  const name = side.arm.name;
  // Of several runs, a column has the mean, or all that came out, or says of which run it is.
  const repeats = repeatsOf(side.arm) > 1;
  const any = (title: string) => (repeats ? `${title}s` : title);
  const words = (column: Coded) => (line: number) => textAt(column, line).replaceAll(" ", ", ");
  const text = (column: keyof Table & ("task" | "asked" | "dataset" | "modality")) => (line: number) =>
    textAt(table[column], line);
  const asked: TableColumn = {
    key: "label",
    title: "Asked for",
    sort: "label",
    width: "minmax(6rem, 1.2fr)",
    cell: text("asked"),
  };
  const losses: TableColumn[] = against
    ? [
        loss("against", `Loss: ${against.arm.name}`, (line) => against.loss[line]),
        loss("loss", `Loss: ${name}`, (line) => side.loss[line]),
        {
          key: "difference",
          title: "Difference",
          about: `Loss of ${name} minus loss of ${against.arm.name}; above zero is harm`,
          sort: "difference",
          width: "6.6rem",
          cell: (line) => <Difference value={table.difference[line]} />,
        },
      ]
    : [loss("loss", "Loss", (line) => side.loss[line])];
  const slimLosses = losses.map((column) => ({
    ...column,
    width: column.key === "difference" ? "5.4rem" : "3.6rem",
  }));
  if (slim) return [{ ...asked, width: "minmax(5rem, 1fr)", cell: named(table) }, ...slimLosses];
  const all: TableColumn[] = [
    { key: "id", title: "Sample", sort: "id", width: "minmax(8.5rem, 1.6fr)", cell: (line) => table.ids[line] },
    { key: "task", title: "Task", sort: "task", width: "4.8rem", cell: text("task") },
    asked,
    { key: "modality", title: "Modality", width: "4.6rem", cell: text("modality") },
    ...losses,
    {
      key: "answer",
      title: repeats ? `First answer: ${name}` : `Answer: ${name}`,
      about: repeats ? "The answer of the first run that finished the sample" : undefined,
      width: "minmax(5rem, 1fr)",
      cell: (line) => ownText(side, line, "answer"),
    },
    { key: "outcome", title: any("Outcome"), sort: "outcome", width: "5.4rem", cell: words(side.outcome) },
    {
      key: "place",
      title: any("Place"),
      sort: "place",
      width: "5rem",
      cell: (line) => placeShort(textAt(side.place, line)),
    },
    { key: "tools", title: "Tools called", width: "minmax(4.6rem, 1fr)", cell: (line) => textAt(side.tools, line) },
    {
      key: "calls",
      title: repeats ? "Calls, mean" : "Calls",
      sort: "calls",
      width: repeats ? "3.6rem" : "2.8rem",
      right: true,
      cell: (line) => (Number.isNaN(side.calls[line]) ? "–" : Number((side.calls[line] ?? 0).toFixed(1))),
    },
    {
      key: "cost",
      title: repeats ? "Cost, mean" : "Cost",
      sort: "cost",
      width: "3.6rem",
      right: true,
      cell: (line) => dollars(side.cost[line]),
    },
  ];
  // What all samples share tells nothing about any of them.
  const shared = (column: TableColumn) =>
    (column.key === "task" || column.key === "modality") && table[column.key].values.length < 2;
  return all.filter((column) => !shared(column));
}

/** What a line is called on a phone: what is asked for, the task, and what of its id the ids beside it do not have. */
const named = (table: Table) => (line: number) => (
  <span class="named">
    {textAt(table.asked, line) || "–"}
    <small>{textAt(table.task, line)}</small>
    <small>{unlike(table.ids[line] ?? "", [table.ids[line - 1] ?? "", table.ids[line + 1] ?? ""])}</small>
  </span>
);

function loss(sort: Sort, title: string, value: (line: number) => number | undefined): TableColumn {
  return { key: sort, title, sort, width: "5.6rem", cell: (line) => <Loss value={value(line)} /> };
}
