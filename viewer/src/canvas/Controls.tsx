import { useState } from "preact/hooks";
import type { Layer } from "./marks";
import { around } from "./pointer";
import { PRESETS, type Window } from "./values";
import type { Shown } from "../forms";

interface ToolbarProps {
  readonly shown: Shown;
  readonly window: Window;
  readonly measuring: boolean;
  readonly labels: boolean;
  readonly onWindow: (window: Window) => void;
  readonly onFit: () => void;
  readonly onOne: () => void;
  readonly onZoom: (factor: number) => void;
  readonly onMeasuring: () => void;
  readonly onLabels: () => void;
}

/** Zoom, window, and what dragging does. */
export function Toolbar(props: ToolbarProps) {
  const { shown, window, onWindow } = props;
  const level = (window.low + window.high) / 2;
  const width = window.high - window.low;
  const asked = { low: shown.low, high: shown.high };
  const choose = (name: string): void => {
    const found = PRESETS.find(([preset]) => preset === name);
    onWindow(found ? around(found[2], found[1]) : asked);
  };
  const current = PRESETS.find((one) => shown.unit === "HU" && one[1] === width && one[2] === level)?.[0];
  const isAsked = window.low === asked.low && window.high === asked.high;
  return (
    <div class="mc-toolbar" role="toolbar" aria-label="View">
      <span class="mc-group">
        <button type="button" onClick={props.onFit} title="Show the whole image (0)">
          Fit
        </button>
        <button type="button" onClick={props.onOne} title="One pixel of the image on one pixel of the screen">
          1:1
        </button>
        <button type="button" onClick={() => props.onZoom(0.8)} aria-label="Zoom out" title="Zoom out (−)">
          −
        </button>
        <button type="button" onClick={() => props.onZoom(1.25)} aria-label="Zoom in" title="Zoom in (+)">
          +
        </button>
      </span>
      <span class="mc-group">
        <button
          type="button"
          aria-pressed={props.measuring}
          onClick={props.onMeasuring}
          title="Shift and drag does it, too"
        >
          Measure
        </button>
        <button type="button" aria-pressed={props.labels} onClick={props.onLabels}>
          Labels
        </button>
      </span>
      {shown.storage !== "rgb8" && (
        <span class="mc-group">
          <Field name="Level" value={level} onValue={(one) => onWindow(around(one, width))} />
          <Field name="Width" value={width} onValue={(one) => onWindow(around(level, Math.max(one, 1e-6)))} />
          {shown.unit === "HU" ? (
            <select
              aria-label="Window"
              value={isAsked ? "" : (current ?? "own")}
              onChange={(event) => choose(event.currentTarget.value)}
            >
              <option value="">As sent</option>
              {PRESETS.map(([name]) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
              <option value="own" disabled>
                Own window
              </option>
            </select>
          ) : (
            <button
              type="button"
              disabled={isAsked}
              onClick={() => onWindow(asked)}
              title="The window of what was sent"
            >
              As sent
            </button>
          )}
        </span>
      )}
    </div>
  );
}

function Field({ name, value, onValue }: { name: string; value: number; onValue: (value: number) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const rounded = Number(value.toPrecision(5));
  return (
    <label class="mc-field">
      {name}
      <input
        type="number"
        step="any"
        value={typed ?? String(rounded)}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setTyped(text);
          if (text !== "" && Number.isFinite(Number(text))) onValue(Number(text));
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}

export function Swatch({ colour, dashed }: { colour: string; dashed: boolean }) {
  return (
    <svg class="mc-swatch" viewBox="0 0 20 10" aria-hidden="true">
      <rect x="0" y="0" width="20" height="10" rx="2" fill="#0a0c0f" />
      <line
        x1="2"
        y1="5"
        x2="18"
        y2="5"
        stroke={colour}
        stroke-width="2.5"
        stroke-dasharray={dashed ? "4 2.5" : "none"}
      />
    </svg>
  );
}

interface LayersProps {
  readonly layers: readonly Layer[];
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (key: string) => void;
}

/** A switch for each kind of mark of each arm. */
export function Layers({ layers, hidden, onToggle }: LayersProps) {
  const arms = [...new Set(layers.map((one) => one.key.split("|")[0]))];
  return (
    <div class="mc-layers">
      {arms.map((arm) => {
        const own = layers.filter((one) => one.key.split("|")[0] === arm);
        const [first] = own;
        return (
          first && (
            <div key={arm} class="mc-arm" role="group" aria-label={`Layers of ${first.arm}`}>
              <span class="mc-name">
                <Swatch colour={first.colour} dashed={arm === ""} />
                {first.arm}
              </span>
              {own.map((one) => (
                <button
                  key={one.key}
                  type="button"
                  class="mc-chip"
                  aria-pressed={!hidden.has(one.key)}
                  onClick={() => onToggle(one.key)}
                >
                  {one.name} <span class="mc-count">{one.count}</span>
                </button>
              ))}
            </div>
          )
        );
      })}
    </div>
  );
}
