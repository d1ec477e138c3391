// The frame around every page.
import { useEffect, useMemo } from "preact/hooks";
import { index, trouble } from "./data/store";
import { helping, type Key, useKeys } from "./keys";
import { Home } from "./pages/Home";
import { SamplePage } from "./pages/Sample";
import { Samples } from "./pages/Samples";
import { StudyOverview } from "./pages/Study";
import { Help } from "./parts/Help";
import { link, route } from "./route";
import { theme, turnTheme } from "./theme";

const PAGES = { home: Home, study: StudyOverview, samples: Samples, sample: SamplePage };

export function App() {
  const known = index.value;
  const Page = PAGES[route.value.page];
  useKeys(useMemo(everywhere, []));
  useEffect(() => {
    if (known) document.title = `${known.title} – MedVision viewer`;
  }, [known]);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        Skip to the content
      </a>
      <header class="top">
        <a class="home" href={link("home")}>
          MedVision viewer
        </a>
        <span class="title">{known?.title}</span>
        {known && <span class="chip">{known.live ? "live" : "saved copy"}</span>}
        <span class="push" />
        <button type="button" class="plain" onClick={turnTheme}>
          {{ auto: "Colours: system", dark: "Colours: dark", light: "Colours: light" }[theme.value]}
        </button>
        <button type="button" class="plain" onClick={() => (helping.value = true)}>
          Help <kbd>?</kbd>
        </button>
      </header>
      {trouble.value && (
        <p role="alert" class="alert">
          The data could not be read: {trouble.value}. {known ? "What you see is what was read before." : ""}
        </p>
      )}
      {known?.bounded && <p class="notice">{known.bounded}</p>}
      <main id="main" tabIndex={-1}>
        {known ? <Page /> : !trouble.value && <p class="notice">Reading …</p>}
      </main>
      {helping.value && <Help />}
    </>
  );
}

function toMain(event: Event): void {
  event.preventDefault(); // the hash is the page's
  document.getElementById("main")?.focus();
}

const everywhere = (): Key[] => [
  { keys: ["?"], does: "Show this list, or close it", run: () => (helping.value = !helping.value) },
  {
    keys: ["/"],
    does: "Search in a table of samples",
    run: () => document.querySelector<HTMLInputElement>("input[type=search]")?.focus(),
  },
  {
    keys: ["Escape"],
    does: "Close what is open; go back",
    run: () => {
      if (helping.value) helping.value = false;
      else document.querySelector<HTMLAnchorElement>("a[data-back]")?.click();
    },
  },
];
