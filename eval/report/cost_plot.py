"""Accuracy against cost: the mean loss of every arm beside what it took, and the arms that nothing beats in both."""

from medvision_agent.eval.report.cost import cost_unit, front, spots
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.panels import legend, panels
from medvision_agent.eval.report.svg import MUTED, Drawn, drawing, letters, svg_text
from medvision_agent.eval.report.table import fixed
from medvision_agent.eval.report.tables import marked, slug

__all__ = ["losses_by_cost"]


def losses_by_cost(chapter: Chapter, place: str) -> Drawn | None:
    """Return the figure, a panel for each task; None where fewer than two arms say what they took."""
    unit = cost_unit(chapter)
    known = spots(chapter, unit)
    tasks = [task for task, own in known.items() if len(own) > 1]
    if not tasks:
        return None
    name, look = slug(place, "cost"), letters(chapter.arms)
    with drawing(name):
        figure, axes = panels(tasks)
        for at, task in zip(axes, tasks, strict=True):
            best = front(known[task])
            at.plot([one.cost for one in best], [one.loss for one in best], color=MUTED, linewidth=1, linestyle="--")
            for one in known[task]:
                colour, marker = look[one.arm]
                if one.interval is not None:
                    at.plot([one.cost] * 2, one.interval, color=colour, linewidth=2, solid_capstyle="butt")
                at.plot([one.cost], [one.loss], marker, color=colour, markersize=7)
            at.set(ylim=(-0.04, 1.04), xlabel=f"{unit} of a sample", title=task)
            at.set_xscale("log")
        axes[0].set_ylabel("mean loss")
        legend(
            figure,
            {arm: look[arm] for arm in chapter.arms if any(one.arm == arm for own in known.values() for one in own)},
        )
        words = "; ".join(
            f"{task}, {one.arm}: loss {fixed(one.loss, 3)} at {one.cost:.4g} {unit}, n {one.n}"
            for task in tasks
            for one in known[task]
        )
        why = "" if unit == "US dollars" else ", because not every arm has prices"
        title = marked(chapter, f"loss against cost in {unit}{why}; dashed: the arms that no other beats in both")
        return svg_text(figure, name, title, f"Bars: 95% intervals over subjects, where they are enough. {words}.")
