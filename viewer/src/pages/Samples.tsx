// The table of samples of one or two arms.
import { useEffect, useMemo, useState } from "preact/hooks";
import { counts, disagrees } from "../data/filter";
import { repeatsOf, type Scope, scopeOf } from "../data/scope";
import { broken, index } from "../data/store";
import { type Shown, useTable } from "../data/useTable";
import { useKeys } from "../keys";
import { Missing } from "../parts/Missing";
import { change, go, link, route, type Settings } from "../route";
import { many, whole } from "../text";
import { columnsOf, narrow } from "./columns";
import { Filters, NO_FILTERS } from "./Filters";
import { Grid } from "./Grid";

export function Samples() {
  const { settings } = route.value;
  const scope = scopeOf(settings);
  return scope ? <Of scope={scope} settings={settings} /> : <Missing what="run or study" />;
}

function Of({ scope, settings }: { scope: Scope; settings: Settings }) {
  const shown = useTable(scope, settings);
  const errors = scope.arms.flatMap((arm) => arm.runs.map((key) => broken.value[key])).filter(Boolean);
  return (
    <div class="samples">
      <nav class="crumbs" aria-label="Where you are">
        <a href={link("home")} data-back={scope.study ? undefined : true}>
          All runs
        </a>
        {scope.study && (
          <a href={link("study", { study: scope.study })} data-back>
            {scope.title}
          </a>
        )}
        <span>{scope.study ? "samples" : scope.title}</span>
      </nav>
      {errors.map((error) => (
        <p key={error} role="alert" class="alert">
          The samples could not be read: {error}.
        </p>
      ))}
      {shown ? (
        <Filled scope={scope} settings={settings} shown={shown} />
      ) : (
        !errors.length && <p class="notice">Reading the samples …</p>
      )}
    </div>
  );
}

/** The settings of the page of a sample: those of the table, so that next and previous follow its order. */
export function sampleSettings(shown: Shown, settings: Settings, line: number): Record<string, string | undefined> {
  const { side, against, ids } = shown.table;
  const arms = against ? `${against.arm.key},${side.arm.key}` : side.arm.key;
  return { ...settings, at: undefined, id: ids[line], arms };
}

function Filled({ scope, settings, shown }: { scope: Scope; settings: Settings; shown: Shown }) {
  const { table, lines } = shown;
  const start = useMemo(() => lines.indexOf(table.line.get(settings["at"] ?? "") ?? -1), [lines, settings["at"]]);
  const [moved, setMoved] = useState<{ lines: Uint32Array; place: number } | undefined>(undefined);
  const cursor = moved?.lines === lines ? moved.place : Math.max(0, start);
  const [said, say] = useState("");
  useEffect(() => say(""), [cursor, lines]);
  const moveTo = (place: number) => setMoved({ lines, place: Math.max(0, Math.min(lines.length - 1, place)) });
  const open = (place: number) => {
    const line = lines[place];
    if (line === undefined) return;
    change({ at: table.ids[line] });
    const next = sampleSettings(shown, settings, line);
    go("sample", next);
  };
  const next = (step: 1 | -1) => {
    let place = cursor + step;
    while (place >= 0 && place < lines.length && !disagrees(table, lines[place] ?? 0)) place += step;
    if (place >= 0 && place < lines.length) moveTo(place);
    else say(`There is no ${step > 0 ? "further" : "earlier"} disagreement among the samples shown.`);
  };
  const stepBy = (step: 1 | -1) => {
    if (cursor + step >= 0 && cursor + step < lines.length) moveTo(cursor + step);
    else say(`This is the ${step > 0 ? "last" : "first"} of the samples shown.`);
  };
  useKeys(
    useMemo(
      () => [
        { keys: ["j", "ArrowDown"], does: "Next sample", run: () => stepBy(1) },
        { keys: ["k", "ArrowUp"], does: "Previous sample", run: () => stepBy(-1) },
        { keys: ["d"], does: "Next sample on which the arms disagree", run: () => next(1) },
        { keys: ["D"], does: "Previous sample on which the arms disagree", run: () => next(-1) },
        { keys: ["Enter"], does: "Open the sample", run: () => open(cursor) },
      ],
      [cursor, lines, table, settings],
    ),
  );
  const columns = columnsOf(table, narrow.value);
  return (
    <>
      <Presets shown={shown} settings={settings} />
      <Filters table={table} settings={settings} scope={scope} />
      <Counts shown={shown} />
      <p role="status" class="said">
        {said}
      </p>
      {lines.length ? (
        <Grid
          {...{ table, lines, columns, settings, cursor, moveTo, open }}
          href={(line) => link("sample", sampleSettings(shown, settings, line))}
        />
      ) : (
        <p class="notice">
          No sample is left by these filters.{" "}
          <button type="button" onClick={() => change(NO_FILTERS)}>
            Take them away
          </button>
        </p>
      )}
    </>
  );
}

function Presets({ shown, settings }: { shown: Shown; settings: Settings }) {
  const { side, against } = shown.table;
  const name = side.arm.name;
  const presets: [string, Settings][] = against
    ? [
        [`Worst harm by “${name}” first`, { sort: "difference" }],
        [`Most help by “${name}” first`, { sort: "difference", turned: "1" }],
        [`Largest loss of “${name}” first`, { sort: "loss" }],
        ["Order of the run", { sort: "order" }],
      ]
    : [
        ["Order of the run", { sort: "order" }],
        ["Largest loss first", { sort: "loss" }],
        ["Most expensive first", { sort: "cost" }],
      ];
  const sort = settings["sort"] ?? (against ? "difference" : "order");
  return (
    <div class="presets" role="group" aria-label="Order">
      {presets.map(([title, wanted]) => {
        const now = wanted["sort"] === sort && wanted["turned"] === settings["turned"];
        return (
          <button
            key={title}
            type="button"
            aria-pressed={now}
            onClick={() => change({ sort: wanted["sort"], turned: wanted["turned"] })}
          >
            {title}
          </button>
        );
      })}
    </div>
  );
}

/** Whether this copy holds only some of the samples, which its first words then say. */
const isSelection = (): boolean => /^This copy holds [\d,]+ of the [\d,]+ samples/.test(index.value?.bounded ?? "");

function Counts({ shown }: { shown: Shown }) {
  const { table, lines } = shown;
  const count = useMemo(() => counts(table, lines), [table, lines]);
  const all = table.ids.length;
  const name = table.side.arm.name;
  const repeats = repeatsOf(table.side.arm);
  return (
    <p class="counts" aria-live="polite">
      <b>{lines.length === all ? many(all, "sample") : `${whole(lines.length)} of ${many(all, "sample")}`}</b>
      {isSelection() && " kept here"}
      {table.against && (
        <>
          : “{name}” is worse than “{table.against.arm.name}” on <b>{whole(count.worse)}</b>, better on{" "}
          <b>{whole(count.better)}</b>, the same on <b>{whole(count.same)}</b>
          {count.open > 0 && `; without a loss of both: ${whole(count.open)}`}
        </>
      )}
      {repeats > 1 && ` (losses are means over ${repeats} runs)`}
      {shown.newer && (
        <button type="button" onClick={shown.renew}>
          New results have come: show them
        </button>
      )}
    </p>
  );
}
