"""The observers of a run: none of them steers it, and none misses that a node settled."""

from __future__ import annotations

import logging

from dagnb.events import Event, Observer

log = logging.getLogger(__name__)


class Audience(list[Observer]):
    """Those who are told, in this order; one that raises is told no more.

    An interrupt may come between two of them. `go_on` tells those that do not know yet, the one
    that it came to included.

    Attributes
    ----------
    subject : int
        The number of the node that settled last; -1 if none has, or more has happened since.
    """

    subject = -1
    _told = 0

    def begin(self, subject: int) -> None:
        """Note that nobody knows yet of a node that is about to settle."""
        self.subject, self._told = subject, 0

    def tell(self, event: Event) -> None:
        """Tell everybody; what was told before is over."""
        self.subject, self._told = -1, 0
        self.go_on(event)

    def go_on(self, event: Event) -> None:
        """Tell those who were not told before an interrupt."""
        while self._told < len(self):
            try:
                self[self._told](event)
            except Exception:
                del self[self._told]
                log.exception("observer raised on %s; not called again", type(event).__name__)
            else:
                self._told += 1
