// Write src/forms.ts, the browser's types, from forms.schema.json: npm run forms.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileFromFile } from "json-schema-to-typescript";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

export const forms = () =>
  compileFromFile(here("forms.schema.json"), {
    additionalProperties: false,
    bannerComment: "// Generated from forms.schema.json by `npm run forms`: change eval/browse/forms.py instead.",
    format: true,
    style: { printWidth: 120 },
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(here("src/forms.ts"), await forms());
}
