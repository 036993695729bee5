"""The cells that were checked: who called what, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One request by one actor."""

    area: str
    route: str
    actor: str
    answer: int


CELLS: list[Cell] = []


def table() -> list[str]:
    """Routes × actors with the answers, area by area, and the sums."""
    lines: list[str] = []
    for area in dict.fromkeys(cell.area for cell in CELLS):
        cells = [cell for cell in CELLS if cell.area == area]
        actors = list(dict.fromkeys(cell.actor for cell in cells))
        routes = list(dict.fromkeys(cell.route for cell in cells))
        answers = {(cell.route, cell.actor): str(cell.answer) for cell in cells}
        width = max(len(route) for route in routes)
        lines += ["", f"{area:<{width}}  " + "  ".join(actors)]
        for route in routes:
            shown = (f"{answers.get((route, actor), '·'):<{len(actor)}}" for actor in actors)
            lines.append(f"{route:<{width}}  " + "  ".join(shown))
    per_area = Counter(cell.area for cell in CELLS)
    sums = ", ".join(f"{area}: {count}" for area, count in per_area.items())
    routes_in_all = len({(cell.area, cell.route) for cell in CELLS})
    return [*lines, "", f"{routes_in_all} routes × actors: {len(CELLS)} cells checked ({sums})."]
