import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { draw } from "./draw";
import { distance, fitting, millimetres, moved, scales, toCanvas, toImage, zoomed } from "./geometry";
import type { Camera, Size, XY } from "./geometry";
import { described, told, type Chosen, type Placed } from "./marks";
import { STILL, around, between, panned, pinched, wheelFactor, windowed, type Drag } from "./pointer";
import { valueAt, written, type Values, type Window } from "./values";
import type { Shown } from "../forms";

interface Props {
  readonly shown: Shown;
  readonly values: Values | null;
  readonly image: CanvasImageSource | null;
  readonly marks: readonly Placed[];
  readonly chosen: Chosen | null;
  readonly pinned: string | null;
  readonly looked: string | null;
  readonly camera: Camera | null;
  readonly window: Window;
  readonly measuring: boolean;
  readonly labels: boolean;
  readonly onCamera: (camera: Camera | null) => void;
  readonly onWindow: (window: Window) => void;
  readonly onLook: (key: string | null) => void;
  readonly onPick: (mark: Placed) => void;
  readonly onSize: (size: Size) => void;
}

declare global {
  interface Window {
    /** For tests, where the address has `?probe`: where a point of the image lies in the page, in CSS pixels. */
    measuringCanvas?: (x: number, y: number) => XY;
  }
}

/** The marks by how far they are from a point. */
interface Nearest {
  readonly first: { readonly mark: Placed; readonly mm: number } | null;
  readonly near: readonly Placed[];
}

/** CSS pixels within which a mark is meant. */
const NEAR = 8;
/** The same for a finger. */
const NEAR_FINGER = 20;
/** Marks that are told at one place. */
const MOST = 3;
const STEP = 40;
const MEASURE_HINT = "Drag to measure. With the keyboard: arrows move the cross-hair, Enter sets each end.";
const KEYS: Readonly<Record<string, XY>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The canvas itself: it paints, and turns what hands and keys do into a camera, a window and a line. */
export function Stage(props: Props) {
  const { shown, marks, onCamera, onWindow } = props;
  const element = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<Size>({ width: 1, height: 1 });
  const [at, setAt] = useState<XY | null>(null);
  const [own, setOwn] = useState<readonly [XY, XY] | null>(null);
  /** The cross-hair that arrows move, and the end of a line that was set with it. */
  const [hair, setHair] = useState<XY | null>(null);
  const [end0, setEnd0] = useState<XY | null>(null);
  const pointers = useRef(new Map<number, XY>());
  const drag = useRef<Drag | null>(null);
  /** The camera before the first finger came. */
  const begun = useRef<Camera | null>(null);
  const camera = props.camera ?? fitting(shown, size);
  /** The whole image is shown: a finger that moves up or down scrolls the page. */
  const still = props.camera === null && !props.measuring;
  const now = useRef(camera);
  now.current = camera;

  const ratio = useCallback((): number => {
    const canvas = element.current;
    return canvas?.clientWidth ? canvas.width / canvas.clientWidth : 1;
  }, []);
  const place = (event: MouseEvent): XY => {
    const box = element.current?.getBoundingClientRect();
    return box ? [(event.clientX - box.left) * ratio(), (event.clientY - box.top) * ratio()] : [0, 0];
  };

  useEffect(() => {
    const canvas = element.current;
    if (!canvas) return;
    const observer = new ResizeObserver(([entry]) => {
      const exact = entry?.devicePixelContentBoxSize[0];
      canvas.width = devicePixels(canvas.clientWidth, exact?.inlineSize);
      canvas.height = devicePixels(canvas.clientHeight, exact?.blockSize);
      const found = { width: canvas.width, height: canvas.height };
      setSize(found);
      props.onSize(found);
    });
    try {
      observer.observe(canvas, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(canvas);
    }
    const onWheel = (event: WheelEvent): void => {
      // Else the page scrolls.
      if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      onCamera(zoomed(now.current, wheelFactor(event), place(event)));
    };
    canvas.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      observer.disconnect();
      canvas.removeEventListener("wheel", onWheel);
    };
  }, [onCamera]);

  useEffect(() => setOwn(null), [shown.name]);
  useEffect(() => {
    setHair(null);
    setEnd0(null);
  }, [shown.name, props.measuring]);

  useLayoutEffect(() => {
    const context = element.current?.getContext("2d");
    if (context) draw(context, size, { ...props, camera, own, hair, ratio: ratio() });
    if (!new URLSearchParams(location.search).has("probe")) return;
    globalThis.window.measuringCanvas = (x, y) => {
      const box = element.current?.getBoundingClientRect();
      const [px, py] = toCanvas(shown, now.current, [x, y]);
      return [(box?.left ?? 0) + px / ratio(), (box?.top ?? 0) + py / ratio()];
    };
  });

  const nearest = (point: XY, within = NEAR): Nearest => {
    const perMm = scales(shown, camera.zoom)[0] / shown.pixel_width_mm;
    const all = marks
      .map((mark) => ({ mark, mm: distance(mark.mark, point, [shown.pixel_width_mm, shown.pixel_height_mm]) }))
      .sort((a, b) => a.mm - b.mm);
    return {
      first: all[0] ?? null,
      near: all.filter(({ mm }) => mm * perMm <= within * ratio()).map(({ mark }) => mark),
    };
  };

  const begin = (event: PointerEvent): void => {
    const canvas = element.current;
    if (!canvas) return;
    canvas.setPointerCapture(event.pointerId);
    const here = place(event);
    if (!pointers.current.size) begun.current = props.camera;
    setAt(toImage(shown, camera, here));
    pointers.current.set(event.pointerId, here);
    const [a, b] = [...pointers.current.values()];
    if (a && b) {
      const [middle, apart] = between(a, b);
      drag.current = { kind: "pinch", apart, middle, camera };
    } else if (event.shiftKey || props.measuring) {
      const start = toImage(shown, camera, here);
      drag.current = { kind: "measure", start };
      setOwn(null);
    } else if (event.button === 2 || event.altKey || event.ctrlKey || event.metaKey) {
      drag.current = { kind: "window", from: here, window: props.window };
    } else {
      drag.current = { kind: "pan", from: here, camera, far: false };
    }
  };

  const move = (event: PointerEvent): void => {
    const here = place(event);
    const doing = drag.current;
    if (pointers.current.has(event.pointerId)) pointers.current.set(event.pointerId, here);
    const [a, b] = [...pointers.current.values()];
    if (doing?.kind === "pinch") {
      if (a && b) onCamera(pinched(doing, a, b));
    } else if (doing?.kind === "window") {
      onWindow(windowed(doing.window, here[0] - doing.from[0], here[1] - doing.from[1], ratio()));
    } else if (doing?.kind === "measure") {
      setOwn([doing.start, toImage(shown, camera, here)]);
    } else if (doing?.kind === "pan") {
      const far = doing.far || between(doing.from, here)[1] > STILL * ratio();
      drag.current = { ...doing, far };
      if (far) onCamera(panned(doing.camera, doing.from, here));
    } else {
      const point = toImage(shown, camera, here);
      const found = nearest(point);
      props.onLook(found.near[0]?.key ?? null);
    }
    setAt(toImage(shown, camera, here));
  };

  const end = (event: PointerEvent): void => {
    const doing = drag.current;
    leave(event);
    if (doing?.kind !== "pan" || doing.far) return;
    const found = nearest(toImage(shown, camera, place(event)), event.pointerType === "touch" ? NEAR_FINGER : NEAR);
    if (found.near[0]) props.onPick(found.near[0]);
  };

  /** The browser scrolls with a finger: what it moved before that was known is taken back. */
  const cancel = (event: PointerEvent): void => {
    leave(event);
    onCamera(begun.current);
  };

  /** Take a pointer away. A finger that is left after a pinch pans. */
  const leave = (event: PointerEvent): void => {
    pointers.current.delete(event.pointerId);
    const [left] = pointers.current.values();
    drag.current = left ? { kind: "pan", from: left, camera: now.current, far: true } : null;
  };

  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle: XY = [size.width / 2, size.height / 2];
    const [dx, dy] = KEYS[event.key] ?? [0, 0];
    const { low, high } = props.window;
    const aim = hair ?? [shown.width / 2, shown.height / 2];
    const far = event.shiftKey ? 10 : 1;
    const narrower = (by: number): void => onWindow(around((low + high) / 2, Math.max(high - low, 1e-6) * by));
    if (props.measuring && (dx || dy)) {
      const to: XY = [inside(aim[0] - dx * far, shown.width), inside(aim[1] - dy * far, shown.height)];
      setHair(to);
      setAt(to);
      if (end0) setOwn([end0, to]);
    } else if (props.measuring && event.key === "Enter") {
      setHair(aim);
      setAt(aim);
      setEnd0(end0 ? null : aim);
      setOwn(end0 ? [end0, aim] : [aim, aim]);
    } else if (dx || dy) onCamera(moved(camera, dx * STEP * ratio(), dy * STEP * ratio()));
    else if (event.key === "+" || event.key === "=") onCamera(zoomed(camera, 1.25, middle));
    else if (event.key === "-") onCamera(zoomed(camera, 0.8, middle));
    else if (event.key === "0") onCamera(null);
    else if (event.key === "[") narrower(0.9);
    else if (event.key === "]") narrower(1 / 0.9);
    else if (event.key === "Escape" && own) {
      setOwn(null);
      setEnd0(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <canvas
        ref={element}
        class={["mc-stage", props.measuring && "mc-crosshair", still && "mc-still"].filter(Boolean).join(" ")}
        tabIndex={0}
        role="application"
        aria-busy={props.image === null}
        aria-label="Image with everything that was measured. Arrows pan, plus and minus zoom, 0 fits, brackets narrow or widen the window. With Measure on, arrows move a cross-hair and Enter sets the two ends of a line. All marks are listed in the table."
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={end}
        onPointerCancel={cancel}
        onPointerLeave={(event) => {
          if (event.pointerType === "touch") return; // what was touched is still told after the finger is gone
          setAt(null);
          props.onLook(null);
        }}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={press}
      />
      <p class="mc-readout" aria-live={hair ? "polite" : undefined}>
        {readout(props, at, own, nearest)}
      </p>
    </>
  );
}

const inside = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

/** How many device pixels a length has: what the browser says, unless it is off (where a ratio is emulated). */
function devicePixels(css: number, told: number | undefined): number {
  const about = css * devicePixelRatio;
  return Math.max(1, told !== undefined && Math.abs(told - about) < 2 ? told : Math.round(about));
}

function readout(
  { shown, values, measuring }: Props,
  at: XY | null,
  own: readonly [XY, XY] | null,
  nearest: (point: XY) => Nearest,
): string {
  const line = own ? `your line ${millimetres(shown, own[0], own[1]).toFixed(2)} mm` : "";
  if (!at) return line || (measuring ? MEASURE_HINT : "");
  const value = values ? valueAt(values, at[0], at[1]) : null;
  const parts = [
    ...(line ? [line] : measuring ? [MEASURE_HINT] : []),
    `x ${at[0].toFixed(1)}, y ${at[1].toFixed(1)} px`,
  ];
  if (value !== null) parts.push(values?.colours ? "colour" : written(value, shown.unit));
  const found = nearest(at);
  for (const mark of found.near.slice(0, MOST)) parts.push(told(mark));
  if (!found.near.length && found.first)
    parts.push(`${found.first.mm.toFixed(2)} mm to ${described(found.first.mark)}`);
  return parts.join("  ·  ");
}
