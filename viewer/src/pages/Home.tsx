// The first page: every study and every run of the folder, live.
import { useState } from "preact/hooks";
import { scopeOf } from "../data/scope";
import { index } from "../data/store";
import type { RunLine, StudyPage } from "../forms";
import { harmLinks } from "../parts/links";
import { Loss } from "../parts/numbers";
import { link } from "../route";
import { dollars, many, percent, whole } from "../text";

const FEW = 6;
const MANY = 12;

export function Home() {
  const { runs, studies, notes } = index.value ?? { runs: [], studies: [], notes: [] };
  return (
    <>
      {studies.length > 0 && <Studies studies={studies} />}
      <Runs runs={runs} studies={studies} />
      {notes.length > 0 && (
        <section>
          <h2>What could not be read</h2>
          <ul>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Studies({ studies }: { studies: StudyPage[] }) {
  return (
    <section aria-labelledby="studies">
      <h1 id="studies">{many(studies.length, "study", "studies")}</h1>
      <div class="cards">
        {studies.map((study) => (
          <StudyCard key={study.key} study={study} />
        ))}
      </div>
    </section>
  );
}

function StudyCard({ study }: { study: StudyPage }) {
  const scope = scopeOf({ study: study.key });
  return (
    <article class="card">
      <h2>
        <a href={link("study", { study: study.key })}>{study.name || "study"}</a> <State state={study.state} />
      </h2>
      {study.headline.length > 0 && (
        <ul class="said-list">
          {study.headline.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      {study.note && <p class="quiet">{study.note}</p>}
      <p class="quiet">
        {many(study.arms.length, "arm")}
        {study.arms.length <= FEW && `: ${study.arms.map((arm) => arm.name).join(", ")}`}; {study.tasks.join(", ")}
      </p>
      <p class="actions">
        <a class="button" href={link("study", { study: study.key })}>
          Open the study
        </a>
        {scope &&
          harmLinks(scope, study.effects).map((one) => (
            <a key={one.href} class="button" href={one.href}>
              Samples that {one.title}
            </a>
          ))}
      </p>
    </article>
  );
}

export function State({ state }: { state: string }) {
  return <span class={`chip state-${state}`}>{state}</span>;
}

function Runs({ runs, studies }: { runs: RunLine[]; studies: StudyPage[] }) {
  const [picked, pick] = useState<readonly string[]>([]);
  const toggle = (key: string) =>
    pick(picked.includes(key) ? picked.filter((one) => one !== key) : [...picked, key].slice(-2));
  const single = runs.filter((run) => run.study === null);
  return (
    <section aria-labelledby="runs">
      <div class="line">
        <h2 id="runs">{many(runs.length, "run")}</h2>
        <span class="push" />
        {picked.length === 2 ? (
          <a class="button" href={link("samples", { runs: picked.join(",") })}>
            Compare the two runs
          </a>
        ) : (
          runs.length > 1 && <span class="quiet">Tick two runs to compare their samples.</span>
        )}
      </div>
      {single.length > 0 && <RunTable name="Runs outside studies" runs={single} picked={picked} toggle={toggle} />}
      {studies.map((study) => {
        const own = runs.filter((run) => run.study === study.key);
        const name = `${many(own.length, "run")} of ${study.name || "the study"}`;
        return (
          <details key={study.key} open={own.length <= MANY}>
            <summary>{name}</summary>
            <RunTable name={name} runs={own} picked={picked} toggle={toggle} />
          </details>
        );
      })}
    </section>
  );
}

interface TableProps {
  name: string;
  runs: RunLine[];
  picked: readonly string[];
  toggle: (key: string) => void;
}

function RunTable({ name, runs, picked, toggle }: TableProps) {
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={name}>
      <table class="plain-table">
        <thead>
          <tr>
            <th>
              <span class="unseen">Compare</span>
            </th>
            <th>Run</th>
            <th>Model</th>
            <th>Condition</th>
            <th>Data</th>
            <th class="right">Samples</th>
            <th>Loss, and share answered, by task</th>
            <th class="right">Cost</th>
            <th>State</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Line key={run.key} run={run} picked={picked.includes(run.key)} toggle={() => toggle(run.key)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ run, picked, toggle }: { run: RunLine; picked: boolean; toggle: () => void }) {
  const parts = [run.epoch > 1 ? `epoch ${run.epoch}` : "", run.wording > 1 ? `wording ${run.wording}` : ""];
  const extra = [run.canary ? "canary" : "", ...parts].filter(Boolean).join(", ");
  return (
    <tr>
      <td>
        <label class="box">
          <input type="checkbox" checked={picked} onChange={toggle} />
          <span class="unseen">Compare {run.name}</span>
        </label>
      </td>
      <th scope="row">
        <a href={link("samples", { run: run.key })}>{run.name || run.key}</a>
        {extra && <span class="quiet"> {extra}</span>}
      </th>
      <td>{run.model}</td>
      <td class="condition">{run.condition}</td>
      <td>
        {run.source} {run.synthetic && <span class="chip">synthetic</span>}
      </td>
      <td class="right">
        <Progress run={run} />
      </td>
      <td>
        <ul class="means">
          {run.means.map((mean) => (
            <li key={mean.task}>
              <span class="task">{mean.task}</span> <Loss value={mean.loss} />
              <span class="quiet">
                {percent(mean.success_rate)} of {mean.scored} answered
              </span>
            </li>
          ))}
        </ul>
      </td>
      <td class="right">{dollars(run.cost_usd)}</td>
      <td>
        <State state={run.state} />
        {run.note && <div class="quiet">{run.note}</div>}
      </td>
    </tr>
  );
}

function Progress({ run }: { run: RunLine }) {
  const all = run.done >= run.planned;
  return (
    <>
      {all ? whole(run.planned) : `${whole(run.done)} of ${whole(run.planned)}`}
      {!all && <progress max={run.planned} value={run.done} aria-label={`Samples of ${run.name} that are done`} />}
      {run.infrastructure > 0 && <div class="quiet">{many(run.infrastructure, "infrastructure failure")}</div>}
    </>
  );
}
