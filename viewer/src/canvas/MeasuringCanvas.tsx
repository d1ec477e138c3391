import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { Layers, Toolbar } from "./Controls";
import { MarkTable } from "./MarkTable";
import { Stage } from "./Stage";
import { centred, fitting, zoomed, type Camera, type Size } from "./geometry";
import { byImage, layersOf, placedOf, type ArmScene, type Chosen, type Placed } from "./marks";
import { usePainted, useValues } from "./useValues";
import type { Window } from "./values";
import "./canvas.css";

export interface MeasuringCanvasProps {
  /** Up to four arms, each with a colour of its own. */
  readonly arms: readonly ArmScene[];
  /** The turn or call whose marks stand out; null for none. */
  readonly chosen?: Chosen | null;
  /** Hears of a mark that was chosen: of the ground truth, turn and call are null. */
  readonly onPick?: (turn: number | null, call: number | null, arm: string) => void;
  /** Returns the bytes of the PNG file of an image, by the name that `Shown` has. */
  readonly read: (name: string) => Promise<Uint8Array>;
}

/** One image with everything that was stated or measured on it, arm by arm. Arms that saw another image have their own. */
export function MeasuringCanvas({ arms, chosen = null, onPick, read }: MeasuringCanvasProps) {
  const images = useMemo(() => [...byImage(arms).values()], [arms]);
  const [image, setImage] = useState(0);
  const group = images[image] ?? images[0];
  const [first] = group ?? [];
  if (!group || !first) return null;
  return (
    <section class="measuring" aria-label="Measuring canvas">
      {images.length > 1 && (
        <label class="mc-images">
          Image of
          <select value={String(image)} onChange={(event) => setImage(Number(event.currentTarget.value))}>
            {images.map((one, at) => (
              <option key={one[0]?.scene.shown.name} value={String(at)}>
                {one.map((arm) => arm.name).join(", ")}
              </option>
            ))}
          </select>
        </label>
      )}
      <OneImage key={first.scene.shown.name} arms={group} chosen={chosen} onPick={onPick} read={read} />
    </section>
  );
}

function OneImage({
  arms,
  chosen,
  onPick,
  read,
}: Required<Pick<MeasuringCanvasProps, "arms" | "read">> & {
  chosen: Chosen | null;
  onPick: MeasuringCanvasProps["onPick"];
}) {
  const shown = (arms[0] as ArmScene).scene.shown;
  const placed = useMemo(() => placedOf(arms), [arms]);
  const layers = useMemo(() => layersOf(placed), [placed]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [pinned, setPinned] = useState<string | null>(null);
  const [looked, setLooked] = useState<string | null>(null);
  const [camera, setCamera] = useState<Camera | null>(null);
  const [size, setSize] = useState<Size>({ width: 1, height: 1 });
  const [window, setWindow] = useState<Window>({ low: shown.low, high: shown.high });
  const [measuring, setMeasuring] = useState(false);
  const [labels, setLabels] = useState(true);
  const { values, problem } = useValues(shown, read);
  const image = usePainted(values, window);
  const marks = useMemo(() => placed.filter((one) => !hidden.has(one.layer)), [placed, hidden]);
  const missing = arms.flatMap((arm) =>
    arm.scene.missing.map((why) => (arms.length > 1 ? `${arm.name}: ${why}` : why)),
  );
  const pick = useCallback(
    (one: Placed) => {
      setPinned(null);
      onPick?.(one.mark.turn, one.mark.call, one.arm);
    },
    [onPick],
  );
  useEffect(() => setPinned(null), [chosen]); // a jump to a turn shows the marks of that turn
  const toggle = (key: string): void => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };
  const zoom = (factor: number): void =>
    setCamera(zoomed(camera ?? fitting(shown, size), factor, [size.width / 2, size.height / 2]));
  return (
    <div class="mc-body">
      <div class="mc-main">
        <Toolbar
          shown={shown}
          window={window}
          measuring={measuring}
          labels={labels}
          onWindow={setWindow}
          onFit={() => setCamera(null)}
          onOne={() => setCamera(centred(shown, size, 1))}
          onZoom={zoom}
          onMeasuring={() => setMeasuring(!measuring)}
          onLabels={() => setLabels(!labels)}
        />
        <Stage
          shown={shown}
          values={values}
          image={image}
          marks={marks}
          chosen={chosen}
          pinned={pinned}
          looked={looked}
          camera={camera}
          window={window}
          measuring={measuring}
          labels={labels}
          onCamera={setCamera}
          onWindow={setWindow}
          onLook={setLooked}
          onPick={pick}
          onSize={setSize}
        />
        <p class="mc-about">
          {problem ? `The image cannot be shown: ${problem}.` : `${sentence(shown.about)}.`}
          {` ${shown.width} x ${shown.height} pixels of ${+shown.pixel_width_mm.toFixed(4)} x ${+shown.pixel_height_mm.toFixed(4)} mm.`}
        </p>
      </div>
      <div class="mc-side">
        <Layers layers={layers} hidden={hidden} onToggle={toggle} />
        {missing.length > 0 && (
          <ul class="mc-missing" aria-label="What is not drawn">
            {missing.map((why) => (
              <li key={why}>{why}</li>
            ))}
          </ul>
        )}
        <MarkTable
          marks={marks}
          looked={looked}
          chosen={chosen}
          pinned={pinned}
          onPin={setPinned}
          onLook={setLooked}
          onPick={pick}
        />
      </div>
    </div>
  );
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
