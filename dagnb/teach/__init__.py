"""Graphs to learn with: exercises that check themselves, schedules, and runs step by step.

Everything here is a function over a graph, and prints as text.
"""

from __future__ import annotations

from dagnb.teach.exercises import exercise
from dagnb.teach.grade import Grade
from dagnb.teach.question import Question
from dagnb.teach.schedule import Bounds, Schedule, schedule, speedups

__all__ = ["Bounds", "Grade", "Question", "Schedule", "exercise", "schedule", "speedups"]
