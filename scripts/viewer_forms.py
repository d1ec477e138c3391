"""Write the JSON schema of the forms that the viewer's page reads: ``python scripts/viewer_forms.py``.

The schema (``viewer/forms.schema.json``) follows from the models in ``eval/browse/forms.py``. ``npm run forms`` in
``viewer/`` then writes the browser's types, ``viewer/src/forms.ts``, from it. Tests on both sides say when they differ.
"""

import json
import pathlib
from typing import Any

from pydantic.json_schema import models_json_schema

from medvision_agent.eval.browse.forms import Index, Note, Problem, Reviews, Rows, Talk

SCHEMA = pathlib.Path(__file__).parent.parent / "viewer" / "forms.schema.json"
PARTS = {"index": Index, "rows": Rows, "talk": Talk, "reviews": Reviews, "note": Note, "problem": Problem}


def plain(node: Any, *, named: bool = False) -> Any:
    """Return *node* in the form that suits the type generator; *named*: its keys are names of fields or of models.

    Titles of fields would become types, a field with a default is always written, and a pair is known by the older
    keyword.
    """
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if named:
        return {key: plain(value) for key, value in node.items()}
    kept = {key: value for key, value in node.items() if key not in {"title", "prefixItems"}}
    if "prefixItems" in node:
        kept["items"] = node["prefixItems"]
    if "properties" in node:
        kept["required"] = list(node["properties"])
    return {key: plain(value, named=key in {"properties", "$defs"}) for key, value in kept.items()}


def schema() -> str:
    """Return the schema of all forms, as the text of the file."""
    _, made = models_json_schema([(form, "serialization") for form in PARTS.values()])
    parts = {name: {"$ref": f"#/$defs/{form.__name__}"} for name, form in PARTS.items()}
    whole = plain({"type": "object", "additionalProperties": False, "properties": parts, **made})
    return json.dumps({"title": "Forms", **whole}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
    print(f"wrote {SCHEMA}; now run: npm --prefix viewer run forms")
