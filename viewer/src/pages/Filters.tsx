// The filters over the table of samples: each is a setting in the URL.
import { useEffect, useRef, useState } from "preact/hooks";
import { FACETS, FILTERS, facet, FLAGS, RANGES, WORDS } from "../data/filter";
import type { Scope } from "../data/scope";
import type { Table } from "../data/table";
import { change, type Settings } from "../route";

const FLAG_NAMES = {
  error: "a tool call failed",
  elsewhere: "measured in the wrong place",
  forced: "answer was forced",
  differ: "the arms disagree",
};
const FACET_NAMES = {
  task: "Task",
  label: "Asked for",
  dataset: "Dataset",
  modality: "Modality",
  outcome: "Outcome",
  tool: "Tool called",
};

export function Filters({ table, settings, scope }: { table: Table; settings: Settings; scope: Scope }) {
  const set = FILTERS.filter((name) => settings[name] && name !== "q").length;
  const name = table.side.arm.name;
  return (
    <div class="filters">
      <div class="line">
        <Search settings={settings} />
        <Arms table={table} scope={scope} />
        <Sources scope={scope} settings={settings} />
      </div>
      <details open={set > 0}>
        <summary>
          Filters{set > 0 && ` (${set} set)`}{" "}
          <span class="quiet">outcome, tools, place, loss and cost are those of “{name}”</span>
        </summary>
        <div class="fields">
          {FACETS.map((one) => (
            <Facet key={one} name={one} table={table} settings={settings} />
          ))}
          {RANGES.filter((one) => table.against || one !== "difference").map((one) => (
            <Range key={one} name={one} settings={settings} />
          ))}
          <fieldset class="flags">
            <legend class="unseen">Only samples of which this is true</legend>
            {FLAGS.filter((one) => table.against || one !== "differ").map((one) => (
              <label key={one}>
                <input
                  type="checkbox"
                  checked={Boolean(settings[one])}
                  onChange={(event) => change({ [one]: event.currentTarget.checked ? "1" : undefined })}
                />
                {FLAG_NAMES[one]}
              </label>
            ))}
          </fieldset>
        </div>
      </details>
    </div>
  );
}

/** Settings that take all filters away. */
export const NO_FILTERS = Object.fromEntries(FILTERS.map((name) => [name, undefined]));

function Search({ settings }: { settings: Settings }) {
  const [text, setText] = useState(settings["q"] ?? "");
  const timer = useRef(0);
  useEffect(() => setText(settings["q"] ?? ""), [settings["q"]]);
  const typed = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => change({ q: value || undefined }), 120);
  };
  return (
    <label class="search">
      <span class="unseen">Search ids, questions, answers and messages</span>
      <input
        type="search"
        placeholder="Search ids, questions, answers, messages   /"
        value={text}
        onInput={(event) => typed(event.currentTarget.value)}
      />
    </label>
  );
}

function Arms({ table, scope }: { table: Table; scope: Scope }) {
  if (scope.arms.length < 2) return null;
  const options = scope.arms.map((arm) => (
    <option key={arm.key} value={arm.key}>
      {arm.key}
    </option>
  ));
  return (
    <>
      <label>
        <span>Arm</span>
        <select value={table.side.arm.key} onChange={(event) => change({ arm: event.currentTarget.value })}>
          {options}
        </select>
      </label>
      <label>
        <span>compared with</span>
        <select
          value={table.against?.arm.key ?? "none"}
          onChange={(event) => change({ against: event.currentTarget.value })}
        >
          <option value="none">no other arm</option>
          {options}
        </select>
      </label>
    </>
  );
}

/** The sources of a study's samples, where it has several. */
function Sources({ scope, settings }: { scope: Scope; settings: Settings }) {
  if (scope.sources.length < 2) return null;
  return (
    <label>
      <span>Data</span>
      <select
        value={settings["source"] ?? ""}
        onChange={(event) => change({ source: event.currentTarget.value || undefined })}
      >
        <option value="">all sources</option>
        {scope.sources.map((source) => (
          <option key={source} value={source}>
            {source}
          </option>
        ))}
      </select>
    </label>
  );
}

function Facet({ name, table, settings }: { name: (typeof FACETS)[number]; table: Table; settings: Settings }) {
  const texts = facet(table, name).values;
  const values = [...new Set(WORDS.has(name) ? texts.flatMap((text) => text.split(" ")) : texts)]
    .filter(Boolean)
    .sort();
  const now = settings[name] ?? "";
  if (now && !values.includes(now)) values.unshift(now);
  return (
    <label>
      <span>{FACET_NAMES[name]}</span>
      <select value={now} onChange={(event) => change({ [name]: event.currentTarget.value || undefined })}>
        <option value="">any</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}

function Range({ name, settings }: { name: (typeof RANGES)[number]; settings: Settings }) {
  const key = `in-${name}`;
  const [low = "", high = ""] = (settings[key] ?? "").split("..");
  const title = { loss: "Loss", difference: "Difference", cost: "Cost in $" }[name];
  const write = (from: string, to: string) => change({ [key]: from || to ? `${from}..${to}` : undefined });
  return (
    <div class="range" role="group" aria-label={title}>
      <span>{title}</span>
      <input
        type="number"
        step="any"
        aria-label={`${title} from`}
        placeholder="from"
        value={low}
        onChange={(e) => write(e.currentTarget.value, high)}
      />
      <input
        type="number"
        step="any"
        aria-label={`${title} to`}
        placeholder="to"
        value={high}
        onChange={(e) => write(low, e.currentTarget.value)}
      />
    </div>
  );
}
