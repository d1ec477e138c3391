// A turn that a link names comes to the top, and stays there while images above it are still being read.
const HANDS = ["wheel", "pointerdown", "keydown", "touchstart"];
const WHILE = 10_000;

/** Bring the beginning of an element to the top, and again whenever the page grows, until the reader does anything or 10 s are over. */
export function keepInSight(selector: string): (() => void) | undefined {
  const element = document.querySelector(selector);
  if (!element) return undefined;
  const look = new ResizeObserver(() => element.scrollIntoView({ block: "start" }));
  const stop = () => {
    look.disconnect();
    clearTimeout(timer);
    for (const hand of HANDS) removeEventListener(hand, stop);
  };
  const timer = setTimeout(stop, WHILE);
  for (const hand of HANDS) addEventListener(hand, stop, { passive: true });
  look.observe(document.body); // calls at once, too
  return stop;
}
