// Rows and conversations for tests.
import type { Mark, Rows, Talk, Turn, Words } from "../src/forms";

export const words = (texts: (string | null)[]): Words => {
  const values = [...new Set(texts.filter((text) => text !== null))];
  const places = new Map(values.map((text, place) => [text, place]));
  return { values, at: texts.map((text) => (text === null ? -1 : (places.get(text) ?? -1))) };
};

interface Line {
  id: string;
  loss?: number | null;
  task?: string;
  outcome?: string | null;
  tools?: string;
  place?: string | null;
  text?: string;
  cost?: number;
}

/** The rows of a run of these samples; *from* is the first row number. */
export function rowsOf(run: string, lines: Line[], stamp = 1, rows = lines.map((_, row) => row)): Rows {
  const each = <T>(value: (line: Line) => T) => lines.map(value);
  const same = (text: string) => words(each(() => text));
  return {
    run,
    stamp,
    rows,
    has_talk: each(() => 1),
    id: each((line) => line.id),
    task: words(each((line) => line.task ?? "size")),
    asked: same("liver"),
    dataset: same("demo"),
    modality: same("CT"),
    plane: same("axial"),
    subject: words(each((line) => line.id)),
    target: each(() => "10 mm"),
    outcome: words(each((line) => (line.outcome === undefined ? "answered" : line.outcome))),
    detail: same(""),
    loss: each((line) => line.loss ?? null),
    answer: each(() => "11 mm"),
    text: each((line) => line.text ?? ""),
    place: words(each((line) => line.place ?? "right")),
    forced: each(() => 0),
    tools: words(each((line) => line.tools ?? "")),
    calls: each(() => 1),
    tool_errors: each(() => 0),
    turns: each(() => 2),
    tokens_in: each(() => 10),
    tokens_out: each(() => 10),
    seconds: each(() => 1),
    cost_usd: each((line) => line.cost ?? null),
  };
}

export function turn(number: number, result?: string): Turn {
  const call = {
    number,
    tool: "ruler",
    arguments: "{}",
    ok: true,
    result: result ?? "",
    picture: null,
    shown: true,
    picture_shown: null,
    seconds: 0,
    failure: "",
  };
  return {
    number,
    role: "assistant",
    text: "",
    thoughts: "",
    pictures: [],
    calls: result === undefined ? [] : [call],
    finish: "stop",
    version: "",
    tokens_in: null,
    tokens_out: null,
    seconds: null,
    cut: false,
  };
}

export function mark(layer: Mark["layer"], kind: Mark["kind"], points: Mark["points"], at?: number): Mark {
  return {
    layer,
    kind,
    points,
    name: "",
    value: "",
    turn: at ?? null,
    call: layer === "tool" ? (at ?? null) : null,
    tool: "ruler",
  };
}

export function talk(turns: Turn[], answer: string, marks: Mark[] = []): Talk {
  const shown = {
    ...{ name: "a", width: 10, height: 10, storage: "grey8" as const, slope: 1, intercept: 0, unit: "" },
    ...{ low: 0, high: 255, pixel_width_mm: 1, pixel_height_mm: 1, about: "" },
  };
  return {
    ...{ run: "r1", row: 0, id: "a", outcome: "answered", detail: "", target: "10 mm", answer, numbers: [] },
    ...{ made_of: [], read_by: [], decided: [], place: "", turns, scene: { shown, marks, missing: [] }, no_scene: "" },
  };
}
