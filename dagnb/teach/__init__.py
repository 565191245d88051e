"""Graphs to learn with: exercises that check themselves, schedules, and runs step by step.

Everything here is a function over a graph, and prints as text.
"""

from __future__ import annotations

from dagnb.teach.exercises import exercise
from dagnb.teach.grade import Grade
from dagnb.teach.kahn import Kahn
from dagnb.teach.orders import (
    Comparison,
    OrderCount,
    compare_orders,
    count_orders,
    random_orders,
)
from dagnb.teach.prediction import Prediction, Revealed, predict, reveal
from dagnb.teach.question import Question
from dagnb.teach.rerun import Rerun
from dagnb.teach.schedules import Bounds, Schedule, measured, schedule, speedups
from dagnb.teach.sicknesses import Sickness, lab, sickness
from dagnb.teach.stepper import steps
from dagnb.teach.walk import Mark, Step, Walk

__all__ = [
    "Bounds",
    "Comparison",
    "Grade",
    "Kahn",
    "Mark",
    "OrderCount",
    "Prediction",
    "Question",
    "Rerun",
    "Revealed",
    "Schedule",
    "Sickness",
    "Step",
    "Walk",
    "compare_orders",
    "count_orders",
    "exercise",
    "lab",
    "measured",
    "predict",
    "random_orders",
    "reveal",
    "schedule",
    "sickness",
    "speedups",
    "steps",
]
