// A note on a sample, kept in a file beside the run.
import { useEffect, useState } from "preact/hooks";
import { index, readReviews, writeReview } from "../data/store";
import type { Review } from "../forms";

const VERDICTS = ["", "good", "bad", "unsure"] as const;
const MOST = 4000;

export function Note({ run, row, id }: { run: string; row: number; id: string }) {
  const [kept, setKept] = useState<Map<string, Review>>(new Map());
  const [draft, setDraft] = useState<{ id: string; verdict: string; comment: string } | undefined>(undefined);
  const [said, say] = useState("");
  const live = index.value?.live ?? false;
  useEffect(() => {
    let here = true;
    readReviews(run).then(
      (notes) => here && setKept(notes),
      () => undefined, // a copy without notes
    );
    return () => {
      here = false;
    };
  }, [run]);
  useEffect(() => say(""), [id]);
  const old = kept.get(id);
  const now = draft?.id === id ? draft : { id, verdict: old?.verdict ?? "", comment: old?.comment ?? "" };
  const changed = now.verdict !== (old?.verdict ?? "") || now.comment !== (old?.comment ?? "");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      setKept(await writeReview(run, { row, verdict: now.verdict, comment: now.comment }));
      setDraft(undefined);
      say("Saved in review.jsonl.");
    } catch (error) {
      say(`Not saved: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <details class="note" open={Boolean(old)}>
      <summary>
        Note{old && (old.verdict || old.comment) ? `: ${old.verdict || "comment"}` : ""}
        {!live && <span class="quiet"> (read only)</span>}
      </summary>
      <form onSubmit={(event) => void save(event)}>
        <label>
          <span>Verdict</span>
          <select
            value={now.verdict}
            disabled={!live}
            onChange={(event) => setDraft({ ...now, verdict: event.currentTarget.value })}
          >
            {VERDICTS.map((verdict) => (
              <option key={verdict} value={verdict}>
                {verdict || "none"}
              </option>
            ))}
          </select>
        </label>
        <label class="comment">
          <span>Comment</span>
          <textarea
            rows={2}
            maxLength={MOST}
            disabled={!live}
            value={now.comment}
            onInput={(event) => setDraft({ ...now, comment: event.currentTarget.value })}
          />
        </label>
        {live ? (
          <button type="submit" disabled={!changed}>
            Save
          </button>
        ) : (
          <p class="quiet">
            This is a saved copy. To write notes, open the run with <code>medvision-agent view</code>.
          </p>
        )}
        <span role="status">{said}</span>
      </form>
    </details>
  );
}
