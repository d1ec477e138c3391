// Small drawings of a number: a loss, a difference, an effect with its interval. Each has its number beside it in words.
import type { Effect } from "../forms";
import { decimal, signed } from "../text";

/** A loss from 0 to 1, as a number over a bar. */
export function Loss({ value }: { value: number | null | undefined }) {
  const share = value === null || value === undefined || Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value));
  return (
    <span class="loss">
      <span class="number">{decimal(value)}</span>
      <i class="bar" style={{ "--from": "0%", "--to": `${100 * share}%` }} />
    </span>
  );
}

/** Which way a difference of losses points. */
export const way = (value: number | null | undefined): "worse" | "better" | "same" | "unknown" => {
  if (value === null || value === undefined || Number.isNaN(value)) return "unknown";
  return value > 0 ? "worse" : value < 0 ? "better" : "same";
};
/** Whether a difference is written as zero, or as smaller than the last digit: it is told, and raises no alarm. */
export const isSlight = (value: number | null | undefined): boolean => Math.abs(value ?? 1) < 0.0005;
const ARROWS = { worse: "▲", better: "▼", same: "=", unknown: "" };

/** A difference of losses: its sign, an arrow, and a bar to the right (worse) or to the left (better). */
export function Difference({ value }: { value: number | null | undefined }) {
  const size = 50 * Math.min(1, Math.abs(value ?? 0) || 0);
  const kind = way(value);
  return (
    <span class={`difference ${isSlight(value) ? "slight" : kind}`}>
      <span class="number">
        <span aria-hidden="true">{ARROWS[kind]}</span> {signed(value)}
      </span>
      <i
        class="bar"
        style={{ "--from": `${kind === "better" ? 50 - size : 50}%`, "--to": `${kind === "better" ? 50 : 50 + size}%` }}
      />
    </span>
  );
}

/** An effect with its interval on the axis from -reach to +reach; without a claim it has no colour. */
type Estimate = Pick<Effect, "effect" | "low" | "high" | "claim">;

export function Forest({ effect, low, high, claim, reach }: Estimate & { reach: number }) {
  const x = (value: number) => 100 + 96 * Math.max(-1, Math.min(1, value / reach));
  if (effect === null) return <span class="quiet">no estimate</span>;
  return (
    <svg class={`forest ${claim ? way(effect) : ""}`} viewBox="0 0 200 20" aria-hidden="true">
      <line class="zero" x1="100" x2="100" y1="0" y2="20" />
      {low !== null && high !== null && <line class="interval" x1={x(low)} x2={x(high)} y1="10" y2="10" />}
      {low !== null && <line class="interval" x1={x(low)} x2={x(low)} y1="6" y2="14" />}
      {high !== null && <line class="interval" x1={x(high)} x2={x(high)} y1="6" y2="14" />}
      <rect class="point" x={x(effect) - 3.5} y="6.5" width="7" height="7" />
    </svg>
  );
}
