// Dark or light: as the system asks, until the reader says otherwise.
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEY = "medvision-theme";

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // a page that was opened from disk may have no storage
  }
}

export const theme = signal<Theme>(kept());

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // it is then forgotten when the page is closed
  }
});

/** Light, dark, as the system: one after the other. */
export const turnTheme = (): void => {
  theme.value = ({ auto: "dark", dark: "light", light: "auto" } as const)[theme.value];
};
