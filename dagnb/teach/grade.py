"""What a checker thinks of an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grade:
    """A score and a sentence; true if the answer is right.

    Attributes
    ----------
    score : float
        From 0.0 to 1.0, which is right; what lies between is how near the answer came.
    message : str
        What is right, or the first thing that is wrong.

    Examples
    --------
    >>> grade = Grade(0.5, "b stands before its input a")
    >>> grade
    Not yet: b stands before its input a (score 0.50)
    >>> bool(grade), float(grade)
    (False, 0.5)
    """

    score: float
    message: str

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.score == 1.0

    def __bool__(self) -> bool:
        return self.passed

    def __float__(self) -> float:
        return self.score

    def __str__(self) -> str:
        if self.passed:
            return f"Right: {self.message}"
        return f"Not yet: {self.message} (score {self.score:.2f})"

    __repr__ = __str__


def partial(right: int, of: int, message: str) -> Grade:
    """Return the grade of an answer that is wrong, though so much of it is right."""
    return Grade(min(right / max(of, 1), 0.99), message)
