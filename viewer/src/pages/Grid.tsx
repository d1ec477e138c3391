// A table of any length: only the lines in sight are in the page.
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { sortOf } from "../data/filter";
import { type Table } from "../data/table";
import { change, type Settings } from "../route";
import { narrow, type TableColumn } from "./columns";
import { unlike } from "../text";

const ROW = 30;
/** On a phone a line has three rows of text. */
const HIGH_ROW = 58;
const rowHeight = (): number => (narrow.value ? HIGH_ROW : ROW);
const BEYOND = 8;

interface Props {
  table: Table;
  lines: Uint32Array;
  columns: TableColumn[];
  settings: Settings;
  cursor: number;
  moveTo: (place: number) => void;
  open: (place: number) => void;
  href: (line: number) => string;
}

export function Grid(props: Props) {
  const { table, lines, columns, cursor, moveTo, open } = props;
  const high = rowHeight();
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [height, setHeight] = useState(600);
  useLayoutEffect(() => {
    const seen = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 600));
    if (box.current) seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  const scrolled = () => {
    const next = Math.floor((box.current?.scrollTop ?? 0) / high);
    setFirst(next - (next % 4)); // drawn anew every few lines, not at every pixel
  };
  useEffect(() => reveal(box.current, cursor), [cursor, lines]);
  const from = Math.max(0, Math.min(first, lines.length - 1) - BEYOND);
  const to = Math.min(lines.length, first + Math.ceil(height / high) + BEYOND);
  const places = Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);
  const drawn = useDrawn(props, places);
  const template = columns.map((column) => column.width).join(" ");
  return (
    <div
      ref={box}
      class="grid"
      role="grid"
      aria-label="Samples"
      aria-rowcount={lines.length + 1}
      aria-activedescendant={lines.length && cursor >= from && cursor < to ? `line-${lines[cursor] ?? ""}` : undefined}
      tabIndex={0}
      onScroll={scrolled}
      onKeyDown={(event) => steer(event, cursor, lines.length, Math.floor(height / high) - 2, moveTo, open)}
      style={{ "--columns": template, "--row": `${high}px` }}
    >
      <div class="row head" role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <Head key={column.key} column={column} table={table} settings={props.settings} />
        ))}
      </div>
      <div class="lines" role="rowgroup" style={{ height: `${lines.length * high}px` }}>
        {places.map((place) => drawn(place))}
      </div>
    </div>
  );
}

/** Lines that were drawn stay as they are while only others come into sight; those out of sight are used again. */
function useDrawn(props: Props, places: number[]): (place: number) => VNode {
  const { table, lines, columns, cursor, settings } = props;
  const known = useRef(new Map<number, VNode>());
  const of = useRef<unknown[]>([]);
  const now = [table, lines, columns, cursor, settings, places.length]; // keys follow from the number of places
  if (now.some((one, k) => one !== of.current[k])) known.current = new Map();
  of.current = now;
  const before = known.current;
  known.current = new Map();
  return (place) => {
    const line = before.get(place) ?? <Line key={place % (places.length + 1)} {...props} place={place} />;
    known.current.set(place, line);
    return line;
  };
}

function Head({ column, table, settings }: { column: TableColumn; table: Table; settings: Settings }) {
  const now = sortOf(table, settings);
  const sorted = column.sort !== undefined && now.sort === column.sort;
  const turn = () => change({ sort: column.sort, turned: sorted && !settings["turned"] ? "1" : undefined });
  const direction = sorted ? (now.upward ? "ascending" : "descending") : undefined;
  return (
    <div
      role="columnheader"
      aria-sort={direction ?? (column.sort ? "none" : undefined)}
      class={column.right ? "right" : ""}
    >
      {column.sort ? (
        <button type="button" class="plain" onClick={turn} title={column.about}>
          {column.title}
          <span aria-hidden="true">{sorted ? (now.upward ? " ↑" : " ↓") : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

function Line({ lines, columns, cursor, place, open, href, moveTo }: Props & { place: number }) {
  const line = lines[place] ?? 0;
  const here = place === cursor;
  const around = (column: TableColumn): string[] =>
    [lines[place - 1], lines[place + 1]]
      .map((other) => (other === undefined ? undefined : column.cell(other)))
      .filter((cell) => typeof cell === "string");
  return (
    <div
      id={`line-${line}`}
      class={here ? "row here" : "row"}
      role="row"
      aria-rowindex={place + 2}
      aria-selected={here}
      style={{ transform: `translateY(${place * rowHeight()}px)` }}
      onClick={(event) => {
        moveTo(place);
        if (event.target instanceof HTMLAnchorElement) return;
        open(place);
      }}
    >
      {columns.map((column, k) => {
        const cell = column.cell(line);
        const title = typeof cell === "string" ? cell : undefined;
        return (
          <div key={column.key} role="gridcell" class={column.right ? "right" : ""} title={title}>
            {k === 0 ? (
              <a href={href(line)} tabIndex={-1}>
                {cell === "" ? "–" : typeof cell === "string" ? unlike(cell, around(column)) : cell}
              </a>
            ) : (
              cell
            )}
          </div>
        );
      })}
    </div>
  );
}

/** Bring a line into sight, and move nothing where it is in sight. */
function reveal(box: HTMLDivElement | null, place: number): void {
  if (!box) return;
  const high = rowHeight();
  const top = place * high;
  const head = box.querySelector(".head")?.clientHeight ?? high;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + high > box.scrollTop + box.clientHeight - head) box.scrollTop = top + high - box.clientHeight + head;
}

function steer(
  event: KeyboardEvent,
  cursor: number,
  count: number,
  page: number,
  moveTo: (place: number) => void,
  open: (place: number) => void,
): void {
  if (event.target !== event.currentTarget) return;
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[event.key];
  if (step !== undefined) moveTo(Math.max(0, Math.min(count - 1, cursor + step)));
  else if (event.key === "Enter") open(cursor);
  else return;
  event.preventDefault();
}
