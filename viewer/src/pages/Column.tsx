// One arm's column: its score, its note, and its conversation.
import { useMemo } from "preact/hooks";
import type { Take } from "../data/useSample";
import type { Talk } from "../forms";
import { originOf } from "../origin";
import { Loss } from "../parts/numbers";
import { placeRule, placeSaid } from "../place";
import type { Settings } from "../route";
import { decimal, dollars, many, seconds, whole } from "../text";
import { lossOf, outcomeOf, placeOf, Swatch } from "./Findings";
import { Note } from "./Note";
import { TurnCard } from "./Turn";

export function Column(props: { take: Take; settings: Settings; open: boolean }) {
  const { take, settings, open } = props;
  const { talk, arm } = take;
  const origin = useMemo(() => (talk ? originOf(talk) : undefined), [talk]);
  const made = useMemo(() => picturesOf(talk), [talk]);
  const place = placeOf(take);
  const failed = talk !== undefined && outcomeOf(take) !== "answered";
  const last = talk?.turns.findLast((turn) => turn.role === "assistant")?.number;
  return (
    <section class={open ? "column open" : "column"} aria-label={`Conversation of ${arm.key}`}>
      <header>
        <h2>
          <Swatch colour={take.colour} /> {arm.key}
        </h2>
        <p class="quiet">
          {arm.model} · {arm.condition}
        </p>
      </header>
      <Score take={take} />
      {take.problem ? <p class="notice">{take.problem}</p> : !talk && <p class="notice">Reading the conversation …</p>}
      {take.row !== undefined && take.run && (
        <Note run={take.runKey} row={take.row} id={take.run.lists.id[take.position] ?? ""} />
      )}
      {talk?.turns.map((turn) => (
        <TurnCard
          key={turn.number}
          turn={turn}
          arm={arm.key}
          linked={settings["on"] === arm.key && settings["turn"] === String(turn.number)}
          origin={!failed && origin?.turn === turn.number ? origin : undefined}
          place={place}
          where={`${placeSaid(place, talk)} ${placeRule(place)}`.trim()}
          answer={talk.answer}
          made={made}
          ended={failed && turn.number === last ? `${outcomeOf(take).replaceAll("_", " ")}. ${talk.detail}` : ""}
        />
      ))}
    </section>
  );
}

/** The call that gave each picture of a conversation. */
function picturesOf(talk: Talk | undefined): Map<string, number> {
  const calls = talk?.turns.flatMap((turn) => turn.calls) ?? [];
  return new Map(calls.map((call) => [call.picture ?? "", call.number]));
}

function Score({ take }: { take: Take }) {
  const { talk, run, position } = take;
  if (!run || position < 0) return null;
  const { lists } = run;
  const facts: [string, string][] = [
    ["Outcome", [outcomeOf(take).replaceAll("_", " ") || "not finished", talk?.detail].filter(Boolean).join(": ")],
    ["Answer", talk?.answer || lists.answer[position] || "–"],
    // Whether it was answered is the outcome.
    ...(talk?.numbers.filter(({ name }) => name !== "loss" && name !== "success_rate") ?? []).map(
      (one): [string, string] => [one.name, `${decimal(one.value)} ${one.unit}`],
    ),
    ["Place", `${placeSaid(placeOf(take), talk)} ${placeRule(placeOf(take))}`.trim() || "not known"],
    [
      "Work",
      `${many(lists.turns[position] ?? 0, "reply", "replies")}, ${many(lists.calls[position] ?? 0, "tool call")}`,
    ],
    ["Tokens", `${whole(lists.tokens_in[position])} in, ${whole(lists.tokens_out[position])} out`],
    ["Time and cost", `${seconds(lists.seconds[position])}, ${dollars(lists.cost_usd[position])}`],
  ];
  const errors = lists.tool_errors[position] ?? 0;
  return (
    <div class="score">
      <div class="line">
        <span>Loss</span> <Loss value={lossOf(take)} />
        {lists.forced[position] === 1 && <span class="chip warn">the answer was forced</span>}
        {errors > 0 && <span class="chip warn">{many(errors, "failed tool call")}</span>}
      </div>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <Lines name="Made of" lines={talk?.made_of ?? []} />
        <Lines name="Second reader" lines={talk?.read_by ?? []} />
        <Lines name="Decision" lines={talk?.decided ?? []} />
      </dl>
    </div>
  );
}

/** A fact of several lines; nothing where there is none. */
function Lines({ name, lines }: { name: string; lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {lines.map((line) => (
          <div key={line}>{line}</div>
        ))}
      </dd>
    </div>
  );
}
