// In which turn of a conversation its answer came about, as far as marks and numbers show it.
import type { Mark, Talk, Turn } from "./forms";

export interface Origin {
  turn: number;
  /** Number of the tool call, if it was one. */
  call: number | undefined;
  tool: string;
  /** What shows it: the answer names it, or has its points, or has its number. */
  by: "mark" | "points" | "number" | "itself";
}

const NEAR = 0.75;
/** Corners of a box are written with few decimals. */
const NEAR_CORNER = 1.5;

/** Return the turn that the answer comes from: what it was measured in, else the last reply. */
export function originOf(talk: Talk): Origin | undefined {
  const marks = talk.scene?.marks ?? [];
  const answers = marks.filter((mark) => mark.layer === "answer");
  const tools = marks.filter((mark) => mark.layer === "tool" && mark.turn !== null);
  const measured = answers.find((mark) => mark.call !== null && mark.turn !== null);
  if (measured) return fromMark(talk, measured, "mark");
  const same = tools.findLast((tool) => answers.some((answer) => hasPoints(tool, answer)));
  if (same) return fromMark(talk, same, "points");
  const numbers = numbersOf(talk.answer).filter((one) => one.digits >= 2);
  const found = numbers.length ? callWith(talk.turns, numbers) : undefined;
  if (found) return found;
  const last = talk.turns.findLast((turn) => turn.role === "assistant");
  return last && { turn: last.number, call: undefined, tool: "", by: "itself" };
}

function fromMark(talk: Talk, mark: Mark, by: Origin["by"]): Origin {
  const calls = talk.turns.flatMap((turn) => turn.calls);
  const tool = calls.find((call) => call.number === mark.call)?.tool ?? mark.tool;
  return { turn: mark.turn ?? 0, call: mark.call ?? undefined, tool, by };
}

/** Whether every point of the answer is one of the tool's: a line of its own, or an axis of an ellipse that it found. */
function hasPoints(tool: Mark, answer: Mark): boolean {
  const axis = tool.kind === "ellipse" && answer.kind === "line";
  if (!axis && (tool.kind !== answer.kind || tool.points.length !== answer.points.length)) return false;
  const reach = answer.kind === "box" ? NEAR_CORNER : NEAR;
  const ends = answer.kind === "box" ? corners(answer) : answer.points;
  const known = tool.kind === "box" ? corners(tool) : tool.points;
  return ends.every((p) => known.some((q) => Math.hypot(p[0] - q[0], p[1] - q[1]) <= reach));
}

/** The first and the last corner of a box, whichever two opposite ones it was given by. */
function corners(box: Mark): [number, number][] {
  const [xs, ys] = [box.points.map((p) => p[0]), box.points.map((p) => p[1])];
  return [
    [Math.min(...xs), Math.min(...ys)],
    [Math.max(...xs), Math.max(...ys)],
  ];
}

interface Written {
  value: number;
  decimals: number;
  digits: number;
}

/** The numbers of a text, with the decimals and significant digits in which they are written. */
export function numbersOf(text: string): Written[] {
  return [...text.matchAll(/-?\d+(?:\.(\d+))?/g)].map(([all, decimals = ""]) => ({
    value: Number(all),
    decimals: decimals.length,
    digits: all.replace(/^-?0*\.?0*|\./g, "").length,
  }));
}

/** The last call whose result has every number of the answer, rounded as the answer is. */
function callWith(turns: Turn[], numbers: Written[]): Origin | undefined {
  for (const turn of turns.toReversed()) {
    for (const call of turn.calls.toReversed()) {
      if (!call.ok) continue;
      const said = numbersOf(call.result).map((one) => one.value);
      const has = (one: Written) => said.some((value) => Math.abs(value - one.value) <= 0.5001 * 10 ** -one.decimals);
      if (numbers.every(has)) return { turn: turn.number, call: call.number, tool: call.tool, by: "number" };
    }
  }
  return undefined;
}
