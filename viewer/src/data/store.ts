// What the page has read so far. Signals: whoever reads a value is drawn again when it changes.
import { signal } from "@preact/signals";
import type { Index, Review, Reviews, Rows, RunLine, StudyPage, Talk } from "../forms";
import { type Run, runOf, update } from "./columns";
import { part, post } from "./source";

export const index = signal<Index | undefined>(undefined);
/** Why the data could not be read, in words; empty while all is well. */
export const trouble = signal("");
/** Grows whenever rows of any run changed. */
export const version = signal(0);
/** Why the rows of a run could not be read. */
export const broken = signal<Readonly<Record<string, string>>>({});

const runs = new Map<string, Run>();
const asked = new Map<string, Promise<void>>();
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const runLine = (key: string): RunLine | undefined => index.value?.runs.find((one) => one.key === key);
export const studyPage = (key: string): StudyPage | undefined => index.value?.studies.find((one) => one.key === key);
/** The rows of a run, if they were read; whoever asks is drawn again when rows change. */
export const rowsOf = (key: string): Run | undefined => (version.value < 0 ? undefined : runs.get(key));

/** Read the index anew. */
export async function readIndex(): Promise<void> {
  try {
    const value = (await part("index")) as Index;
    if (JSON.stringify(value) !== JSON.stringify(index.value)) index.value = value;
    trouble.value = "";
  } catch (error) {
    trouble.value = words(error);
  }
}

/** Read the rows of a run, or those that changed since they were read. */
export function readRows(key: string): Promise<void> {
  const before = asked.get(key);
  if (before) return before;
  const reading = fetchRows(key)
    .catch((error: unknown) => {
      broken.value = { ...broken.value, [key]: words(error) };
    })
    .finally(() => asked.delete(key));
  asked.set(key, reading);
  return reading;
}

async function fetchRows(key: string): Promise<void> {
  const own = runs.get(key);
  if (own && (runLine(key)?.stamp ?? 0) <= own.stamp) return;
  const rows = (await part(`rows/${key}`, own ? `?since=${own.stamp}` : "")) as Rows;
  const changed = own ? update(own, rows) : rows.rows.length;
  if (!own) runs.set(key, runOf(rows));
  if (broken.value[key]) broken.value = { ...broken.value, [key]: "" };
  if (changed || !own) version.value += 1;
}

/** Read a conversation. */
export const readTalk = async (run: string, row: number): Promise<Talk> => (await part(`talks/${run}/${row}`)) as Talk;

/** Read the notes of a run, by id of the sample. */
export async function readReviews(run: string): Promise<Map<string, Review>> {
  return byId((await part(`reviews/${run}`)) as Reviews);
}

/** Put a note on a sample; return the notes of the run as they are now. */
export async function writeReview(run: string, note: { row: number; verdict: string; comment: string }) {
  return byId((await post(`reviews/${run}`, note)) as Reviews);
}

const byId = (reviews: Reviews) => new Map(reviews.reviews.map((one) => [one.id, one]));

/** Ask again while a server answers: every 2 s while a run is under way, every 5 s otherwise. */
export function follow(): void {
  const again = async () => {
    if (!document.hidden) {
      await readIndex();
      for (const key of runs.keys()) await readRows(key);
    }
    plan();
  };
  const plan = () => {
    const busy = index.value?.runs.some((run) => run.state === "running") ?? true;
    if (index.value?.live ?? true) setTimeout(() => void again(), busy ? 2000 : 5000);
  };
  void readIndex().then(() => {
    if (index.value?.live) plan();
  });
}
