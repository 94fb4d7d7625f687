"""When each task of a run was at work, as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.figures.style import Caption
from analysis.figures.timeline import compose
from analysis.timeline import Span
from workflows.campaign.campaign import Campaign
from workflows.campaign.directory import FIGURES
from workflows.report.images import save

STEM = "timeline"  # of the files


def save_timeline(spans: Sequence[Span], campaign: Campaign, root: Path) -> Path:
    """Draw the timeline into a run's figures; return the path of the PNG.

    Parameters
    ----------
    spans
        Of the tasks, see `timeline`.
    campaign
        The cases.
    root
        Directory of the run.
    """
    names = ", ".join(member.case.name for member in campaign.members)
    caption = Caption(
        f"Case {names}: {len(spans)} of {len(campaign.tasks)} tasks, each with the time of its "
        "last process. Percentages: how much of the whole time a task was at work on that line."
    )
    return save(compose(spans, caption), root / FIGURES, STEM)[0]
