"""The verbs of ``%dag``: each one a method of the session, said in a line."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Sequence

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from dagnb.errors import did_you_mean
from dagnb.notebook.cells import spelled
from dagnb.notebook.cluster import USAGE as CLUSTER_USAGE
from dagnb.notebook.cluster import choose_backend, command_cluster, described
from dagnb.notebook.handle import BackgroundRun
from dagnb.notebook.session import NO_NODES, Session
from dagnb.observe.text import listed, run_summary, table
from dagnb.render.picture import Picture
from dagnb.render.scene import Lens
from dagnb.run.backends import Chosen
from dagnb.run.remote.cluster import CLUSTERS
from dagnb.teach.sicknesses import lab, sickness

VERBS = {
    "run": (
        "[NAME ...] [--fresh] [--to] [--bg]",
        "run what is stale: all, or what these need and feed; with --to only what they need",
    ),
    "stop": ("", "end the run in the background"),
    "plan": ("[NAME ...]", "say what that would do, without doing it, and draw it on the graph"),
    "status": ("", "list the nodes with what happened to them last"),
    "show": (
        "[--fold|--open GROUP|all] [--around NAME [--hops N]] [--direction TB|LR] [--all]",
        "show the live graph, and how to look at it from now on",
    ),
    "why": ("NAME", "say why a node ran, or why it did not"),
    "source": ("NAME", "print the code of a node"),
    "value": ("NAME", "show the value of a node in short, whatever its size"),
    "manual": (
        "NAME [on|off]",
        "run a node only when it is asked for, until its cell is run again",
    ),
    "verify": (
        "[NAME ...] [--timeout S]",
        "run nodes again elsewhere; say which come out otherwise",
    ),
    "rm": ("NAME ...", "remove nodes"),
    "auto": ("[on|off]", "run what is downstream of a change at once, or mark it stale"),
    "workers": (
        "[N|auto|off] [--backend threads|processes|dask|ray]",
        "run so many nodes side by side, in threads or in processes, or one by one",
    ),
    "cluster": (CLUSTER_USAGE, "run nodes on a cluster of Dask: one of this machine, or yours"),
    "timeline": ("", "show the live graph with the last run below it, to look at and to replay"),
    "export": ("FILE", "write graph and last run to one .html page; or .svg, .dot, .mmd"),
    "trace": ("FILE", "write the last run as a timeline, for https://ui.perfetto.dev"),
    "store": ("[DIR|on|off|ls]", "say where values are saved, choose, or list them"),
    "step": ("[next|back|N|all|order|run|show]", "see how the order is found, or how a run went"),
    "predict": (
        "[NAME ...|nothing|show]",
        "say what will run next; the next run says how right it was",
    ),
    "schedule": (
        "[WORKERS] [NAME=SECONDS ...] | show",
        "say what workers could bring, by how long the nodes took or would take",
    ),
    "lab": ("[NAME [cure]]", "break something on purpose, see how it is noticed, and mend it"),
    "help": ("", "this text"),
}
ANY_TIME = (
    "help",
    "auto",
    "workers",
    "cluster",
    "store",
    "lab",
)  # also where there are no nodes yet


def usage() -> str:
    """Return what ``%dag help`` prints."""
    rows = [
        [f"%dag {verb} {arguments}".rstrip(), text] for verb, (arguments, text) in VERBS.items()
    ]
    return table(["usage", ""], rows)


class Verbs:
    """Does for a session what a line says.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def say(self, line: str) -> object:
        """Do what a line says; return what the verb has to return, if anything."""
        verb, *words = words_of(line) or ["help"]
        if verb not in VERBS:
            raise UsageError(f"%dag has no verb {verb!r}{did_you_mean(verb, VERBS)}; see %dag help")
        if not self._session.nodes and verb not in ANY_TIME:
            if words:
                raise UsageError(f"no node {words[0]!r}: {NO_NODES}")
            print(NO_NODES)
            if verb == "show":
                self._session.show()  # a live view waits for the first one
            return None
        nodes = self._session.nodes
        words = [spelled(word) if spelled(word) in nodes else word for word in words]
        found: object = getattr(self, f"_{verb}")(words)
        return found

    def _run(self, words: Sequence[str]) -> BackgroundRun | None:
        parser = MagicArgumentParser("%dag run")
        parser.add_argument("names", nargs="*")
        parser.add_argument("--fresh", action="store_true")
        parser.add_argument("--to", action="store_true")
        parser.add_argument("--bg", action="store_true")
        arguments = parser.parse_args(list(words))
        names, below = arguments.names or None, False if arguments.to else None
        if arguments.to and names is None:
            raise UsageError("usage: %dag run NAME ... --to")
        if arguments.bg:
            return self._session.run(
                names, fresh=arguments.fresh, downstream=below, background=True
            )
        result = self._session.run(names, fresh=arguments.fresh, downstream=below)
        settled = self._session.settled.values()
        print(self._waiting() or run_summary(settled, result.total_duration_seconds))
        for each in self._session.settled.values():
            if each.error is not None:
                raise each.error
        return None

    def _waiting(self) -> str:
        """Say which manual nodes are stale, if nothing ran: not all is up to date."""
        nodes, stale = self._session.nodes, self._session.stale()
        manual = [name for name in stale if nodes[name].options.manual]
        if self._session.settled or not manual:
            return ""
        return f"nothing to run; manual and stale: {listed(manual)} (%dag run {manual[0]})"

    def _stop(self, words: Sequence[str]) -> None:
        _take(words, 0, "stop")
        handle = self._session.background
        if handle is None or not handle.cancel():
            print("no run is going on in the background")
            return
        handle.result()
        print(handle)

    def _plan(self, words: Sequence[str]) -> None:
        plan = self._session.plan(words or None)
        print(plan)
        self._session.draw_plan(plan)
        for name in words or self._session.nodes:
            for sentence in self._session.cautions.undeclared(name):
                print(sentence)

    def _status(self, words: Sequence[str]) -> None:
        _take(words, 0, "status")
        print(self._session.status())

    def _show(self, words: Sequence[str]) -> None:
        parser = MagicArgumentParser("%dag show")
        parser.add_argument("--all", action="store_true")
        parser.add_argument("--fold", action="append", default=[])
        parser.add_argument("--open", action="append", default=[])
        parser.add_argument("--around")
        parser.add_argument("--hops", type=int, default=2)
        parser.add_argument("--direction", choices=["auto", "TB", "LR"])
        arguments = parser.parse_args(list(words))
        try:
            _look(self._session.picture, arguments)
        except ValueError as error:
            raise UsageError(f"%dag show: {error}") from None
        self._session.show()

    def _why(self, words: Sequence[str]) -> None:
        print(self._session.why(*_take(words, 1, "why")))

    def _source(self, words: Sequence[str]) -> None:
        print(self._session.source(*_take(words, 1, "source")).rstrip())

    def _value(self, words: Sequence[str]) -> None:
        self._session.show_value(*_take(words, 1, "value"))

    def _manual(self, words: Sequence[str]) -> None:
        name, state = [*words, "on"][:2] if words else ("", "")
        if len(words) > 2 or state not in ("on", "off"):
            raise UsageError(f"usage: %dag manual {VERBS['manual'][0]}")
        self._session.make_manual(name, state == "on")
        how = "runs only when it is asked for" if state == "on" else "runs whenever it is stale"
        print(f"{name} {how}, until its cell is run again")

    def _verify(self, words: Sequence[str]) -> None:
        parser = MagicArgumentParser("%dag verify")
        parser.add_argument("names", nargs="*")
        parser.add_argument("--timeout", type=float, metavar="SECONDS")
        arguments = parser.parse_args(list(words))
        print(self._session.verify(arguments.names or None, arguments.timeout))

    def _rm(self, words: Sequence[str]) -> None:
        if not words:
            raise UsageError("usage: %dag rm NAME ...")
        for name in words:
            self._session.check_name(name)
        for name in words:
            self._session.remove(name)

    def _auto(self, words: Sequence[str]) -> None:
        state = dict.fromkeys(words)
        if len(words) > 1 or not state.keys() <= {"on", "off"}:
            raise UsageError("usage: %dag auto [on|off]")
        if words:
            self._session.auto = words[0] == "on"
        stale = len(self._session.stale())
        ending = f"; {stale} nodes are stale, %dag run brings them up to date" if stale else ""
        print(f"auto is {'on' if self._session.auto else 'off'}{ending}")

    def _workers(self, words: Sequence[str]) -> None:
        known: dict[str, int | None] = {"auto": None, "off": 1}
        parser = MagicArgumentParser("%dag workers")
        parser.add_argument("number", nargs="*")
        parser.add_argument("--backend")
        asked = parser.parse_args(list(words))
        wrong = [w for w in asked.number if w not in known and not (w.isdecimal() and int(w))]
        if wrong or len(asked.number) > 1:
            raise UsageError(f"usage: %dag workers {VERBS['workers'][0]}")
        if asked.backend is not None:
            choose_backend(self._session, asked.backend)
        for word in asked.number:
            self._session.workers = known[word] if word in known else int(word)
        print(_describe_workers(self._session.workers, self._session.backend))

    def _cluster(self, words: Sequence[str]) -> None:
        print(command_cluster(self._session, words))

    def _timeline(self, words: Sequence[str]) -> None:
        _take(words, 0, "timeline")
        self._session.show(timeline=True)

    def _export(self, words: Sequence[str]) -> None:
        (file,) = _take(words, 1, "export")
        try:
            print(f"wrote {self._session.export(file)}")
        except OSError as error:
            raise UsageError(f"%dag export cannot write {file}: {error.strerror}") from None
        except ValueError as error:
            raise UsageError(f"%dag export: {error}") from None

    def _trace(self, words: Sequence[str]) -> None:
        (file,) = _take(words, 1, "trace")
        try:
            self._session.trace().save(file)
        except OSError as error:
            raise UsageError(f"%dag trace cannot write {file}: {error.strerror}") from None
        print(f"wrote {file}; open it in https://ui.perfetto.dev")

    def _store(self, words: Sequence[str]) -> None:
        if len(words) > 1:
            raise UsageError(f"usage: %dag store {VERBS['store'][0]}")
        for word in words:
            if word == "ls":
                print(self._session.saving.describe(listed=True))
                return
            self._session.store = {"on": True, "off": None}.get(word, word)
        print(self._session.saving.describe())

    def _step(self, words: Sequence[str]) -> None:
        lessons = self._session.lessons
        if not self._shows(words, lessons.stepper.mode):
            print(lessons.step([word for word in words if word != "show"]))

    def _predict(self, words: Sequence[str]) -> None:
        own = "show" in self._session.nodes
        if own or not self._shows(words, "predict"):
            print(self._session.lessons.predict(words if own or words != ["show"] else []))

    def _schedule(self, words: Sequence[str]) -> None:
        if self._shows(words, "workers"):
            return
        try:
            print(self._session.lessons.schedule([word for word in words if word != "show"]))
        except ValueError as error:
            raise UsageError(f"{error}; usage: %dag schedule {VERBS['schedule'][0]}") from None

    def _shows(self, words: Sequence[str], lesson: str) -> bool:
        """Open a lesson on the live graph if that is asked for; False where it is to be printed."""
        if list(words) != ["show"] or not self._session.is_live:
            return False
        self._session.show(lesson=lesson)
        return True

    def _lab(self, words: Sequence[str]) -> None:
        if len(words) > 2 or words[1:] not in ([], ["cure"]):
            raise UsageError(f"usage: %dag lab {VERBS['lab'][0]}")
        try:
            print(sickness(words[0]).told() if words[1:] else lab(*words))
        except ValueError as error:
            raise UsageError(str(error)) from None

    def _help(self, words: Sequence[str]) -> None:
        print(usage())


def _look(picture: Picture, wanted: Namespace) -> None:
    """Look at the graph as the options of ``%dag show`` say; without any, as before."""
    if wanted.all:
        picture.look(Lens())
    if wanted.fold:
        picture.fold(*_groups(wanted.fold))
    if wanted.open:
        picture.open(*_groups(wanted.open))
    if wanted.around is not None:
        picture.focus(wanted.around, wanted.hops)
    if wanted.direction:
        picture.turn(wanted.direction)


def _groups(given: Sequence[str]) -> Sequence[str]:
    return [] if "all" in given else given


def _describe_workers(workers: int, backend: Chosen) -> str:
    if backend == "dask":
        cluster = CLUSTERS.present()
        where = "a cluster that starts with the first" if cluster is None else described(cluster)
        return f"workers: {workers}; nodes run on {where}"
    if backend != "threads":
        name = backend if isinstance(backend, str) else f"a {type(backend).__name__}"
        return f"workers: {workers}; nodes run in {name}, so many at once"
    if workers == 1:
        return "workers: 1; nodes run one after another on the main thread"
    return f"workers: {workers}; nodes run side by side in threads"


def words_of(line: str) -> list[str]:
    """Return the words of a line, quoted ones whole."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{line}: {error}") from None


def _take(words: Sequence[str], count: int, verb: str) -> Sequence[str]:
    if len(words) != count:
        raise UsageError(f"usage: %dag {verb} {VERBS[verb][0]}".rstrip())
    return words
