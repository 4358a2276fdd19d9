"""What lowering works with: pieces of a plan that need no exchange inside.

A *piece* is a logical plan that every partition computes by itself. What comes to it from other
stages are `Rows` leaves, which hold physical nodes; what it reads itself are the plan's own leaves
or, where each partition reads something else, `Own` ones. Steps of lowering put a node on a piece,
or move a piece's rows with an exchange, which begins another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from planner.columns.expressions import Alias, Attr, Expr
from planner.columns.functions.registry import Settings
from planner.goals import Goals
from planner.ops import Later, Relational
from planner.partitioning import Broadcast, DealColumns, HashColumns, Partitioning, Single
from planner.plan import Exchange, Narrow, Node, Source, Zip
from planner.query import logical as l
from planner.query.fragment import Fragment, Input, Leaf, Merged, flatten
from planner.query.lowering.splits import splittable
from planner.query.statistics import Sizes
from planner.sources import NothingPart

Same = frozenset[Attr]  # columns that are equal in every row


def _keep(node: Node) -> Node:
    return node


def _until(kept: Node, exchange: Node) -> None:
    """Nothing is kept."""


@dataclass(frozen=True)
class Lowering:
    """What lowering needs to know.

    `run` makes the function that runs a fragment in a task. `staged` says that every query goes in
    stages of `partitions` tasks, else all of it is one task where that can be. Up to
    `broadcast_bytes` of estimated size a side of a join is sent to everyone (never if negative).
    Up to `sort_bytes` a sort is done in one place. `scan_bytes` is what one task reads of files,
    where opening one counts as `opening_bytes`. `keep` keeps a node's partitions in memory from its
    first use `until` an exchange is written. `goals` say how stages may change while they run; they
    stay if there are none.
    """

    run: Callable[[Fragment], Callable[..., Any]]
    settings: Settings = Settings()
    staged: bool = False
    partitions: int = 2
    broadcast_bytes: int = 10 << 20
    sort_bytes: int = 32 << 20
    scan_bytes: int = 128 << 20
    opening_bytes: int = 4 << 20
    keep: Callable[[Node], Node] = _keep
    until: Callable[[Node, Node], None] = _until
    goals: Goals | None = None


@dataclass(frozen=True)
class Spread:
    """Where a piece's rows are: in `width` partitions, by the hash of `keys` if there are any.

    Each key is a set of columns that are equal, any of which will do.
    """

    width: int
    keys: tuple[Same, ...] = ()

    def gathers(self, attrs: Sequence[Expr]) -> bool:
        """Whether rows that are equal in `attrs` are in one partition."""
        if self.width == 1:
            return True
        there = {attr for attr in attrs if isinstance(attr, Attr)}
        return bool(self.keys) and all(same & there for same in self.keys)

    def seen_as(self, columns: Sequence[Attr | Alias]) -> Spread:
        """The same after a projection to `columns`."""
        if not self.keys:
            return Spread(self.width)
        new: dict[Attr, list[Attr]] = {}
        for column in columns:
            if isinstance(column, Attr):
                new.setdefault(column, []).append(column)
            elif isinstance(column.child, Attr):
                new.setdefault(column.child, []).append(column.attr)
        keys = tuple(frozenset(a for old in same for a in new.get(old, ())) for same in self.keys)
        return Spread(self.width, keys if all(keys) else ())


@dataclass(frozen=True, eq=False)
class Piece:
    """See the module."""

    plan: l.Plan
    spread: Spread

    @property
    def width(self) -> int:
        return self.spread.width


@dataclass(frozen=True, eq=False)
class Own(l.Plan):
    """A leaf of a piece that every partition has its own of: `node` has it as its only row."""

    attrs: tuple[Attr, ...]
    node: Any

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False)
class States(l.Plan):
    """A leaf of a piece: `merged` over the states that `node` gives."""

    merged: Merged
    node: Any

    def _columns(self) -> tuple[Attr, ...]:
        return self.merged.output


@dataclass
class Workshop:
    """One lowering under way: how, what is estimated, and what was made so far."""

    how: Lowering
    sizes: Sizes = field(default_factory=Sizes)
    pieces: dict[int, Piece] = field(default_factory=dict)  # by id of the logical node
    _nodes: dict[int, tuple[l.Plan, Node]] = field(default_factory=dict)
    _moved: dict[tuple[int, Partitioning], Node] = field(default_factory=dict)
    _late: dict[int, int] = field(default_factory=dict)  # limits, by the exchanges' ids

    def of(self, plan: l.Plan) -> Piece:
        """The piece of a plan that was lowered before."""
        return self.pieces[id(plan)]

    @property
    def wide(self) -> int:
        """The width of an exchange."""
        return self.how.partitions if self.how.staged else 1

    # ---- nodes -----------------------------------------------------------------------------------

    def node(self, piece: Piece) -> Node:
        """The physical node that computes a piece."""
        plan = piece.plan
        while isinstance(plan, l.Known | l.Hint):
            plan = plan.child
        if isinstance(plan, l.Rows):
            found: Node = plan.node
            return found
        if id(plan) not in self._nodes:
            self._nodes[id(plan)] = (plan, self._made(plan))
        return self._nodes[id(plan)][1]

    def _made(self, plan: l.Plan) -> Node:
        inputs: dict[int, Node] = {}

        def side(node: Node) -> int:
            inputs.setdefault(node.id, node)
            return list(inputs).index(node.id)

        def inside(node: l.Plan) -> l.Plan:
            match node:
                case l.Rows():
                    return Input(node.attrs, side(node.node), site=node.site)
                case Own():
                    return Leaf(node.attrs, side(node.node), site=node.site)
                case States():
                    return replace(node.merged, side=side(node.node))
            return node

        inner = l.bottom_up(plan, inside)
        run = self.how.run(flatten(inner, self.how.settings))
        splits = splittable(inner)
        late = tuple(
            Later(side, self._late[moved])
            for side, moved in enumerate(inputs)
            if side in splits and moved in self._late
        )
        op = Relational(run, words(inner), splits, late, self.how.goals)
        # what the rules have put on top has no line of the user's
        site = next((node.site for node in l.walk(inner) if node.site.line), plan.site)
        if not inputs:
            return Narrow(Source((NothingPart(),), "query", site=site), op, site=site)
        if len(inputs) == 1:
            (only,) = inputs.values()
            if not (isinstance(only, Exchange) and isinstance(only.partitioning, Broadcast)):
                return Narrow(only, op, site=site)
        return Zip(tuple(inputs.values()), op, site=site)

    # ---- exchanges -------------------------------------------------------------------------------

    def moved(self, node: Node, partitioning: Partitioning) -> Node:
        """A node's tables sent where `partitioning` says; the same exchange if asked again."""
        key = (node.id, partitioning)
        if key not in self._moved:
            self._moved[key] = Exchange(node, partitioning, site=node.site)
        return self._moved[key]

    def after_others(self, piece: Piece, limit: int) -> None:
        """What was just moved shall be moved after what it is read together with was measured, and
        not at all if that has no more than `limit` bytes."""
        if isinstance(piece.plan, l.Rows) and isinstance(piece.plan.node, Exchange):
            moved = piece.plan.node.id
            self._late[moved] = min(limit, self._late.get(moved, limit))

    def gathered(self, piece: Piece) -> Piece:
        """All rows in one partition, in the order of partitions."""
        if piece.width == 1:
            return piece
        return self._after(piece, Single(), Spread(1))

    def everywhere(self, piece: Piece) -> l.Plan:
        """All rows for every reader: a leaf for the reader's piece."""
        return self._after(piece, Broadcast(), Spread(1)).plan

    def hashed(self, piece: Piece, keys: Sequence[Attr], width: int = 0) -> Piece:
        """Rows with equal keys in one partition: moved there, by all of `keys`, to `width` (as wide
        as exchanges are, if 0)."""
        width = width or self.wide
        if width == 1:
            return self.gathered(piece)
        places = [attr.id for attr in piece.plan.output]
        at = tuple(places.index(key.id) for key in keys)
        spread = Spread(width, tuple(frozenset((key,)) for key in keys))
        return self._after(piece, HashColumns(width, at), spread)

    def dealt(self, piece: Piece, width: int) -> Piece:
        """Rows spread evenly over `width` partitions."""
        if width == 1:
            return self.gathered(piece)
        return self._after(piece, DealColumns(width), Spread(width))

    def together(self, piece: Piece, keys: Sequence[Expr]) -> Piece:
        """Rows that are equal in `keys` in one partition; as it is where they are already."""
        if piece.spread.gathers(keys):
            return piece
        if not keys or self.wide == 1:
            return self.gathered(piece)
        piece, attrs = self.with_keys(piece, keys)
        return self.hashed(piece, attrs)

    def with_keys(self, piece: Piece, keys: Sequence[Expr]) -> tuple[Piece, tuple[Attr, ...]]:
        """The piece with columns for those of `keys` that are none yet, and all of them."""
        there = set(piece.plan.output)
        columns = [
            key if isinstance(key, Attr) and key in there else Alias(key, f"key{place}")
            for place, key in enumerate(keys)
        ]
        new = tuple(column for column in columns if isinstance(column, Alias))
        if new:
            plan = l.Project(piece.plan, (*piece.plan.output, *new), site=piece.plan.site)
            piece = Piece(plan, piece.spread)
        return piece, tuple(c.attr if isinstance(c, Alias) else c for c in columns)

    def _after(self, piece: Piece, partitioning: Partitioning, spread: Spread) -> Piece:
        node = self.moved(self.node(piece), partitioning)
        return Piece(l.Rows(piece.plan.output, node, site=piece.plan.site), spread)


def only(piece: Piece, output: Sequence[Attr]) -> Piece:
    """The piece with just these columns."""
    if tuple(output) == piece.plan.output:
        return piece
    return Piece(
        l.Project(piece.plan, tuple(output), site=piece.plan.site), piece.spread.seen_as(output)
    )


def words(plan: l.Plan) -> str:
    """What a picture says of a fragment: its nodes, the result first."""
    names = [
        type(node).__name__
        for node in l.walk(plan)
        if not isinstance(node, l.Known | l.Hint | Input | Leaf)
    ]
    shown = " < ".join(names[:6]) or "Read"
    return f"{shown} < …" if len(names) > 6 else shown
