// Where the reader is: a page and its settings, all of it in the hash of the URL, so that any state can be linked.
import { signal } from "@preact/signals";

export type Page = "home" | "study" | "samples" | "sample";
export type Settings = Readonly<Record<string, string>>;
export interface Route {
  page: Page;
  settings: Settings;
}

const PAGES: Record<string, Page> = { "": "home", study: "study", samples: "samples", sample: "sample" };

/** Read a hash; an unknown page is the first page. */
export function read(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  return { page: PAGES[path] ?? "home", settings: Object.fromEntries(new URLSearchParams(query)) };
}

/** Write a hash; settings without a value are left out. */
export function link(page: Page, settings: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(settings)) if (value !== undefined && value !== "") query.set(key, value);
  // Commas are readable in a query, and we use them between names.
  const text = query.toString().replaceAll("%2C", ",");
  return `#/${page === "home" ? "" : page}${text ? `?${text}` : ""}`;
}

export const route = signal<Route>(read(location.hash));
addEventListener("hashchange", () => (route.value = read(location.hash)));

/** Go to a page; *replace* leaves no step behind for the browser's "back". */
export function go(page: Page, settings: Record<string, string | undefined>, replace = false): void {
  const hash = link(page, settings);
  if (hash === location.hash) return;
  if (replace) {
    history.replaceState(null, "", hash);
    route.value = read(hash);
  } else {
    location.hash = hash;
  }
}

/** Change some settings of the page that is open; undefined takes one away. */
export function change(settings: Record<string, string | undefined>, replace = true): void {
  go(route.value.page, { ...route.value.settings, ...settings }, replace);
}
