// One study: what it found, arm by arm and task by task, and the way to the samples behind it.
import { type Arm, repeatsOf, type Scope, scopeOf } from "../data/scope";
import { runLine, studyPage } from "../data/store";
import type { Effect, Means, StudyPage } from "../forms";
import { Missing } from "../parts/Missing";
import { armLink, harmLink, harmLinks, pairOf } from "../parts/links";
import { Forest, Loss } from "../parts/numbers";
import { link, route } from "../route";
import { decimal, many, percent, signed } from "../text";
import { State } from "./Home";

export function StudyOverview() {
  const { settings } = route.value;
  const study = studyPage(settings["study"] ?? "");
  const scope = scopeOf(settings);
  if (!study || !scope) return <Missing what="study" />;
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={link("home")} data-back>
          All runs
        </a>
        <span>{study.name || "study"}</span>
      </nav>
      <h1>
        {study.name || "Study"} <State state={study.state} />
      </h1>
      <div class="headline">
        <ul class="said-list">
          {study.headline.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        {study.note && <p>{study.note}</p>}
      </div>
      <Ways study={study} scope={scope} />
      {study.effects.length > 0 && <Effects study={study} scope={scope} />}
      <Arms study={study} scope={scope} />
      {study.caveats.length > 0 && (
        <details>
          <summary>{many(study.caveats.length, "caveat")}</summary>
          <ul>
            {study.caveats.map((caveat) => (
              <li key={caveat}>{caveat}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Ways({ study, scope }: { study: StudyPage; scope: Scope }) {
  const ways = harmLinks(scope, study.effects);
  if (!ways.length) return null;
  return (
    <p class="actions">
      {ways.map((one) => (
        <a key={one.href} class="button main" href={one.href}>
          See the samples that {one.title}
        </a>
      ))}
      <span class="quiet">{ways.length === 1 && `${pairOf(scope)}, `}the largest increase of the loss first</span>
    </p>
  );
}

/** The largest number that the axis of effects has to reach, rounded up. */
function reachOf(effects: Effect[]): number {
  const ends = effects.flatMap((one) => [one.effect, one.low, one.high]).map((end) => Math.abs(end ?? 0));
  return [0.05, 0.1, 0.2, 0.5, 1].find((step) => Math.max(...ends) <= step) ?? 1;
}

const SEVERAL = 3;

/** The reasons against a claim that at least three effects have, in their order. */
function sharedReasons(effects: Effect[]): string[] {
  const count = new Map<string, number>();
  for (const { why_not: why } of effects) if (why) count.set(why, (count.get(why) ?? 0) + 1);
  return [...count].filter(([, times]) => times >= SEVERAL).map(([why]) => why);
}

function Effects({ study, scope }: { study: StudyPage; scope: Scope }) {
  const reach = reachOf(study.effects);
  const models = new Set(study.effects.map((one) => one.model)).size > 1;
  const primary = study.effects.filter((one) => one.primary);
  const others = study.effects.filter((one) => !one.primary);
  const shared = sharedReasons(study.effects);
  const table = (effects: Effect[], name: string) => (
    <EffectTable {...{ effects, name, reach, scope, models, shared }} />
  );
  return (
    <section aria-labelledby="effects">
      <h2 id="effects">Effects on the loss</h2>
      <p class="quiet">
        Mean difference of the loss, after minus before, with its interval where there is one. Below zero, to the left,
        the loss is smaller after the change. Only an effect that can be claimed is coloured.
      </p>
      {shared.length > 0 && (
        <>
          <p>Reasons against a claim that several effects share:</p>
          <ol>
            {shared.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ol>
        </>
      )}
      {primary.length > 0 && table(primary, "Primary contrasts")}
      {others.length > 0 &&
        (primary.length ? (
          <details>
            <summary>{many(others.length, "other contrast")}</summary>
            {table(others, "Other contrasts")}
          </details>
        ) : (
          table(others, "Contrasts")
        ))}
    </section>
  );
}

interface TableProps {
  effects: Effect[];
  name: string;
  reach: number;
  scope: Scope;
  models: boolean;
  /** Reasons against a claim that several effects share: these are said once, and by their number in a row. */
  shared: readonly string[];
}

function EffectTable({ effects, name, reach, scope, models, shared }: TableProps) {
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={name}>
      <table class="plain-table">
        <thead>
          <tr>
            <th>Task</th>
            <th>Contrast</th>
            <th class="axis">
              <span>−{reach} better</span>
              <span>worse +{reach}</span>
            </th>
            <th class="right">Pairs (subjects)</th>
            <th class="right">Better / same / worse</th>
            <th class="right">Wrong place</th>
            <th class="right">Cost ratio</th>
            <th>Claim</th>
          </tr>
        </thead>
        <tbody>
          {effects.map((one) => (
            <EffectLine
              key={`${one.task} ${one.contrast} ${one.model} ${one.source}`}
              {...{ one, reach, scope, models, shared }}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type LineProps = Omit<TableProps, "effects" | "name"> & { one: Effect };

function EffectLine({ one, reach, scope, models, shared }: LineProps) {
  const number = shared.indexOf(one.why_not) + 1;
  return (
    <tr class={one.primary ? "" : "secondary"}>
      <th scope="row">{one.task}</th>
      <td>
        {one.before} → {one.after} {one.primary && <span class="chip">primary</span>}
        {models && <div class="quiet">{one.model}</div>}
        {one.source && <div class="quiet">{one.source}</div>}
        <div>
          <a href={harmLink(scope, one)}>
            worst harm first
            <span class="unseen">{`: ${[one.task, one.source].filter(Boolean).join(", ")}, ${one.after} against ${one.before}`}</span>
          </a>
        </div>
      </td>
      <td class="number">
        <Forest {...one} reach={reach} />
        {signed(one.effect)}{" "}
        {one.effect !== null && (
          <span class="quiet">
            {one.low !== null && one.high !== null ? `(${signed(one.low)} to ${signed(one.high)})` : "(no interval)"}
          </span>
        )}
      </td>
      <td class="right">
        {one.pairs} ({one.subjects})
      </td>
      <td class="right">
        {one.wins} / {one.ties} / {one.losses}
      </td>
      <td class="right">{percent(one.elsewhere)}</td>
      <td class="right">{one.cost_ratio === null ? "–" : `× ${decimal(one.cost_ratio, 1)}`}</td>
      <td>
        {one.claim ? <strong>yes</strong> : "no"}
        {number > 0 && <span class="quiet"> (reason {number})</span>}
        {one.why_not && number === 0 && <div class="quiet why">{one.why_not}</div>}
      </td>
    </tr>
  );
}

function Arms({ study, scope }: { study: StudyPage; scope: Scope }) {
  // Samples of two sources never share a figure.
  const several = scope.sources.length > 1;
  const rows = scope.arms.flatMap((arm) => scope.sources.map((source) => ({ arm, source: several ? source : "" })));
  const runsOf = (arm: Arm, source: string) => arm.runs.filter((run) => !source || runLine(run)?.source === source);
  return (
    <section aria-labelledby="arms">
      <h2 id="arms">Arms and tasks</h2>
      <p class="quiet">
        Mean loss, from 0 to 1, where a failure costs 1; the share of the scored samples that was answered, over all
        runs of the arm.
      </p>
      <div class="wide" tabIndex={0} role="region" aria-labelledby="arms">
        <table class="plain-table">
          <thead>
            <tr>
              <th>Arm</th>
              {several && <th>Data</th>}
              <th>Model</th>
              <th>Condition</th>
              {study.tasks.map((task) => (
                <th key={task}>{task}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ arm, source }) => (
              <tr key={`${arm.key} ${source}`}>
                <th scope="row">
                  <a href={armLink(scope, arm.key, undefined, source)}>{arm.name}</a>
                  {repeatsOf(arm) > 1 && <div class="quiet">{many(repeatsOf(arm), "run")}</div>}
                </th>
                {several && <td>{source}</td>}
                <td>{arm.model}</td>
                <td>{arm.condition}</td>
                {study.tasks.map((task) => (
                  <td key={task}>
                    <Cell runs={runsOf(arm, source)} task={task} href={armLink(scope, arm.key, task, source)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Cell({ runs, task, href }: { runs: string[]; task: string; href: string }) {
  const mean = pooled(runs.flatMap((run) => runLine(run)?.means.filter((one) => one.task === task) ?? []));
  if (!mean) return <span class="quiet">–</span>;
  return (
    <a class="cell" href={href}>
      <Loss value={mean.loss} />
      <span class="quiet">
        {percent(mean.success)} of {mean.scored} answered
      </span>
    </a>
  );
}

/** The means over all answers of some runs; undefined without an answer that was scored. */
function pooled(means: readonly Means[]): { loss: number; success: number; scored: number } | undefined {
  const scored = means.reduce((sum, one) => sum + one.scored, 0);
  const over = (value: "loss" | "success_rate") =>
    means.reduce((sum, one) => sum + (one[value] ?? 0) * one.scored, 0) / scored;
  return scored ? { loss: over("loss"), success: over("success_rate"), scored } : undefined;
}
