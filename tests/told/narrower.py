"""Patterns that find a sentence where its text alone would also be found in another one."""

import re
from typing import get_args

from medvision_agent.eval.compare.statistics.family import Verdict

__all__ = ["MORE", "NARROWER"]

NARROWER = {
    " ({} contrasts on {} tasks)": r"declared \(\d contrasts on \d tasks\)",
    "look {} of {} at {} over {}: the tests are of {} of {} subjects": r"Look 2 of 2 at m over data: the tests are",
    "{} (95% interval {} to {})": r"\(95% interval .* by the rule and .*\(95% interval .* by second",
    "no claim": "; no claim;",
    "Tools helped": "Tools helped on",
    "Tools did harm": "Tools did harm on",
    "Arm {} did better than arm {}": "Arm on did better than arm off on",
    "Arm {} did worse than arm {}": "Arm on did worse than arm off on",
    ", which is {}": r", which is 0\.2:",
    "a higher loss": r"a higher loss in \d",
    "a lower loss": r"a lower loss in \d",
    "no difference as large as the margin": r"comparison: no difference as large as the margin in \d",
    "no sample was scored in both arms": "be made: no sample was scored in both arms",
    "the difference is the same in every subject": "be made: the difference is the same in every subject",
    "the two runs are identical": r"be made: the two runs are identical\.",
    "difference in loss {}": r": difference in loss \S+ \(",
    "{} more in the table": r"\d more in the table",
    "few subjects": "claim: few subjects",
    "demo data": "claim: demo data",
    "no spread": "claim: no spread",
    "failure price": "claim: failure price",
    "not guarded": "claim: not guarded",
    "none shown": "claim: none shown",
    "all {} comparisons": r"all \d comparisons",
    "{} of {} comparisons (": r"\d of \d comparisons \(",
    "in both {}": r"in both \d+; difference",
    "rates of {} in {} and {}{}": "rates of (failures|losses to infrastructure) in on and off",
    " in the {}": " in the first epoch",
    "equivalent: apart by less than the margin": r"equivalent: apart by less than 0\.2\.",
    "compute was not matched between arms": "[Cc]ompute was not matched between arms",
    "compute was matched in output tokens alone: {}": "[Cc]ompute was matched in output tokens alone: images",
    "compute was matched in pixels of images alone, as far as they can be enlarged: {}": "ompute was matched in pix",
    "{} US dollars": r"of off; 0\.002 US dollars in off",
    "; {} in {}, {} in {}": r" of off; .* in off, .* in on; forced",
    "{} took {} of {}{}": r"on took .* of off|on took .* of matched",
    "runs over": "Runs over",
    "{} of {} and the size of targets{}": r"failures of (on|off) and the size of targets",
    "{} {} of {} and the loss of {}{}": r"failures of (on|off) and the loss of",
    "no p-value": r"\d; no p-value \(",
    "in the right place": r"difference: .*in the right place \d+ \(",
    "is a scripted policy": r"is a scripted policy\.",
    "are scripted policies": r"are scripted policies\.",
    "all arms": r"No vision-language model: all arms",
    "{} effective subjects, fewer than {}": r"\d effective subjects, fewer than 10",
    "{} subject{}, fewer than {}": r"\(\d+ subjects, fewer than 20",
    "; everything else is exploratory": r"\(level 0\.05\); everything else is exploratory",
    "elsewhere": r"difference: .*elsewhere \d+ \(",
    "in all": r"n \d+\): in all",
    **{text: f"(?m)^.*{re.escape(text.replace('second arm', 'on'))}" for text in get_args(Verdict) if "arm" in text},
}
"""Where the text alone would also be found in another sentence."""
MORE = {
    "both comparisons",
    "all {} comparisons",
    "{} of {} comparisons (",
    "both contrasts",
    "elsewhere",
    ", first epoch",
    "mean loss (",
    "of the gain",
    "of the harm",
    "; everything else is exploratory",
    "in whom off fails",
    "in whom on fails",
    "What is missing is informative",
    "of unknown kind (too few data to tell)",
    "What is missing is certain",
}
"""What is told apart within one text."""
