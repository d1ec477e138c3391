// One sample: what each arm answered, where it was measured, and the conversations side by side.
import { useEffect, useMemo, useState } from "preact/hooks";
import { wordAt } from "../data/columns";
import { disagrees } from "../data/filter";
import { type Scope, scopeOf } from "../data/scope";
import { rowOf } from "../data/side";
import type { Table } from "../data/table";
import { armsOf, type Take, useSample } from "../data/useSample";
import { type Shown, useTable } from "../data/useTable";
import { useKeys } from "../keys";
import { Missing } from "../parts/Missing";
import { go, link, route, type Settings } from "../route";
import { whole as count } from "../text";
import { ArmPicker } from "./ArmPicker";
import { Column } from "./Column";
import { Findings } from "./Findings";
import { Picture } from "./Picture";
import { toLinkedTurn } from "./showTurn";

export function SamplePage() {
  const { settings } = route.value;
  const scope = scopeOf(settings);
  return scope ? <Of scope={scope} settings={settings} /> : <Missing what="run or study" />;
}

function Of({ scope, settings }: { scope: Scope; settings: Settings }) {
  const arms = useMemo(() => armsOf(scope, settings), [scope, settings]);
  const { id, takes, ready } = useSample(arms, settings);
  const shown = useTable(scope, settings);
  const [tab, setTab] = useState("");
  const open = arms.some((arm) => arm.key === tab) ? tab : (settings["on"] ?? arms.at(-1)?.key ?? "");
  useEffect(() => scrollTo(0, 0), [id]);
  const whole = takes.every((take) => take.talk !== undefined || take.problem !== "");
  useEffect(() => toLinkedTurn(), [id, settings["turn"], settings["on"], whole]);
  if (id === undefined) return ready ? <Missing what="sample" /> : <p class="notice">Reading the sample …</p>;
  return (
    <>
      <Bar scope={scope} settings={settings} shown={shown} id={id} />
      <Title takes={takes} id={id} />
      <Findings takes={takes} settings={settings} />
      <div class={`beside for-${takes.length}`}>
        <div class="in-sight">
          <Picture takes={takes} settings={settings} />
        </div>
        <div class="read">
          <ArmPicker scope={scope} arms={arms} open={open} setOpen={setTab} settings={settings} />
          <div class={`columns of-${takes.length}`}>
            {takes.map((take) => (
              <Column key={take.arm.key} take={take} settings={settings} open={take.arm.key === open} />
            ))}
          </div>
        </div>
      </div>
    </>
  );
}

/** Where the reader is, and the way to the next sample in the order of the table. */
function Bar(props: { scope: Scope; settings: Settings; shown: Shown | undefined; id: string }) {
  const { scope, settings, shown, id } = props;
  const rest = { ...settings, id: undefined, row: undefined, arms: undefined, turn: undefined, on: undefined };
  const back = link("samples", { ...rest, at: id });
  const table = shown?.table;
  const place = shown ? shown.lines.indexOf(table?.line.get(id) ?? -1) : -1;
  const to = (line: number | undefined) => {
    if (table && line !== undefined)
      go("sample", { ...settings, id: table.ids[line], row: undefined, turn: undefined, on: undefined });
  };
  const [said, say] = useState("");
  useEffect(() => say(""), [id]);
  const step = (by: 1 | -1, fits: (table: Table, line: number) => boolean = () => true, what = "sample") => {
    if (!shown) return;
    for (let k = place + by; k >= 0 && k < shown.lines.length; k += by) {
      const line = shown.lines[k] ?? 0;
      if (fits(shown.table, line) && rowOf(shown.table.side, line)) {
        to(line);
        return;
      }
    }
    say(`There is no ${by > 0 ? "further" : "earlier"} ${what} among those shown.`);
  };
  useKeys(
    useMemo(
      () => [
        { keys: ["j"], does: "Next sample, in the order of the table", run: () => step(1) },
        { keys: ["k"], does: "Previous sample", run: () => step(-1) },
        { keys: ["d"], does: "Next sample on which the arms disagree", run: () => step(1, disagrees, "disagreement") },
        {
          keys: ["D"],
          does: "Previous sample on which the arms disagree",
          run: () => step(-1, disagrees, "disagreement"),
        },
      ],
      [shown?.lines, shown?.table, place, settings],
    ),
  );
  return (
    <nav class="crumbs" aria-label="Where you are">
      <a href={link("home")}>All runs</a>
      {scope.study && <a href={link("study", { study: scope.study })}>{scope.title}</a>}
      <a href={back} data-back>
        samples
      </a>
      <span class="push" />
      <span role="status" class="said">
        {said}
      </span>
      {shown && (
        <span class="steps">
          <button type="button" disabled={place <= 0} onClick={() => step(-1)}>
            ← Previous <kbd>k</kbd>
          </button>
          <span class="quiet">
            {place < 0 ? "not among those shown" : `${count(place + 1)} of ${count(shown.lines.length)}`}
          </span>
          <button type="button" disabled={place < 0 || place >= shown.lines.length - 1} onClick={() => step(1)}>
            Next <kbd>j</kbd> →
          </button>
        </span>
      )}
    </nav>
  );
}

/** MedVision's convention for boxes. */
const BOX_FRAME = "x0, y0, x1, y1 in shares of the image, as in the answers; origin lower left";

function Title({ takes, id }: { takes: Take[]; id: string }) {
  const take = takes.find((one) => one.run && one.position >= 0);
  const words = take?.run?.words;
  const text = (name: "task" | "asked" | "dataset" | "modality" | "plane" | "subject") =>
    words ? wordAt(words[name], take.position) : "";
  const target = take?.run?.lists.target[take.position] ?? "";
  const facts = [text("dataset"), text("modality"), text("plane"), text("subject") && `subject ${text("subject")}`];
  return (
    <div class="sample-title">
      <h1>
        {text("asked") || id} <span class="chip">{text("task")}</span>
      </h1>
      <p class="quiet">
        <code>{id}</code> {facts.filter(Boolean).join(" · ")}
      </p>
      {target && (
        <p>
          Ground truth: <b>{target}</b>
          {text("task") === "detection" && <span class="quiet"> {BOX_FRAME}</span>}
        </p>
      )}
    </div>
  );
}
