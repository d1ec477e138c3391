// Generated from forms.schema.json by `npm run forms`: change eval/browse/forms.py instead.

export interface Forms {
  index: Index;
  rows: Rows;
  talk: Talk;
  reviews: Reviews;
  note: Note;
  problem: Problem;
}
/**
 * The first thing that the page reads.
 */
export interface Index {
  form: 1;
  program: string;
  title: string;
  live: boolean;
  bounded: string;
  runs: RunLine[];
  studies: StudyPage[];
  notes: string[];
}
/**
 * One run, on the first page.
 */
export interface RunLine {
  key: string;
  name: string;
  study: string | null;
  arm: string;
  colour: string;
  epoch: number;
  wording: number;
  canary: boolean;
  model: string;
  condition: string;
  source: string;
  synthetic: boolean;
  planned: number;
  done: number;
  infrastructure: number;
  means: Means[];
  cost_usd: number | null;
  state: "running" | "unfinished" | "finished" | "damaged";
  note: string;
  begun_at: string;
  stamp: number;
}
/**
 * What the scored samples of one task came to in one run.
 */
export interface Means {
  task: string;
  loss: number | null;
  success_rate: number | null;
  scored: number;
  subjects: number;
}
/**
 * One study: its arms, and what it found.
 */
export interface StudyPage {
  key: string;
  name: string;
  arms: Arm[];
  tasks: string[];
  headline: string[];
  effects: Effect[];
  caveats: string[];
  state: "running" | "unfinished" | "finished" | "damaged";
  note: string;
}
/**
 * One arm of a study.
 */
export interface Arm {
  name: string;
  model: string;
  condition: string;
  colour: string;
  runs: string[];
}
/**
 * What one contrast found on one task.
 */
export interface Effect {
  task: string;
  model: string;
  source: string;
  contrast: string;
  before: string;
  after: string;
  primary: boolean;
  effect: number | null;
  low: number | null;
  high: number | null;
  worst: number | null;
  pairs: number;
  subjects: number;
  wins: number;
  ties: number;
  losses: number;
  elsewhere: number | null;
  cost_ratio: number | null;
  claim: boolean;
  why_not: string;
}
/**
 * Samples of one run, column by column; all columns are equally long. Rows are in the order of the run.
 */
export interface Rows {
  run: string;
  stamp: number;
  rows: number[];
  has_talk: number[];
  id: string[];
  task: Words;
  asked: Words;
  dataset: Words;
  modality: Words;
  plane: Words;
  subject: Words;
  target: string[];
  outcome: Words;
  detail: Words;
  loss: (number | null)[];
  answer: string[];
  text: string[];
  place: Words;
  forced: number[];
  tools: Words;
  calls: number[];
  tool_errors: number[];
  turns: number[];
  tokens_in: (number | null)[];
  tokens_out: (number | null)[];
  seconds: (number | null)[];
  cost_usd: (number | null)[];
}
/**
 * A column of texts that repeat themselves: each text once, and its place in every row.
 */
export interface Words {
  values: string[];
  at: number[];
}
/**
 * One sample as one run asked it: the conversation, the score, and the image with its marks (the canvas).
 */
export interface Talk {
  run: string;
  row: number;
  id: string;
  outcome: string;
  detail: string;
  target: string;
  answer: string;
  numbers: Number[];
  made_of: string[];
  read_by: string[];
  decided: string[];
  place: string;
  turns: Turn[];
  scene: Scene | null;
  no_scene: string;
}
/**
 * A named figure about a sample, such as its loss or its absolute error.
 */
export interface Number {
  name: string;
  value: number | null;
  unit: string;
}
/**
 * One message of the conversation; results of tools stand with the calls that they answer.
 */
export interface Turn {
  number: number;
  role: "system" | "user" | "assistant";
  text: string;
  thoughts: string;
  pictures: string[];
  calls: Call[];
  finish: string;
  version: string;
  tokens_in: number | null;
  tokens_out: number | null;
  seconds: number | null;
  cut: boolean;
}
/**
 * One tool call.
 */
export interface Call {
  number: number;
  tool: string;
  arguments: string;
  ok: boolean;
  result: string;
  picture: string | null;
  shown: boolean | null;
  picture_shown: boolean | null;
  seconds: number;
  failure: string;
}
/**
 * The canvas of one conversation: an image, and on it what was stated and measured, and the ground truth.
 */
export interface Scene {
  shown: Shown;
  marks: Mark[];
  missing: string[];
}
/**
 * The image under the canvas.
 */
export interface Shown {
  name: string;
  width: number;
  height: number;
  storage: "grey8" | "rgb8" | "packed16";
  slope: number;
  intercept: number;
  unit: string;
  low: number;
  high: number;
  pixel_width_mm: number;
  pixel_height_mm: number;
  about: string;
}
/**
 * Something that was stated or measured, in its place on the image.
 */
export interface Mark {
  layer: "truth" | "answer" | "tool" | "view";
  kind: "point" | "line" | "angle" | "box" | "outline" | "ellipse";
  points: [number, number][];
  name: string;
  value: string;
  turn: number | null;
  call: number | null;
  tool: string;
}
/**
 * The notes on the samples of one run: of each sample the last one.
 */
export interface Reviews {
  run: string;
  reviews: Review[];
  damaged: number;
}
/**
 * A person's note on a sample: one line of ``review.jsonl`` in the run's folder.
 *
 * Of several notes on a sample the last one counts; one with an empty verdict and comment withdraws those before it.
 */
export interface Review {
  id: string;
  verdict: "" | "good" | "bad" | "unsure";
  comment: string;
  at: string;
}
/**
 * What the page posts to put a note on a sample; an empty verdict and comment take it back.
 */
export interface Note {
  row: number;
  verdict: "" | "good" | "bad" | "unsure";
  comment: string;
}
/**
 * What a server answers where it has no value, or takes no note.
 */
export interface Problem {
  error: string;
}
