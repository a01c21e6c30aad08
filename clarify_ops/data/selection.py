"""Which column of which dataset a configuration means, and what it is called once the datasets stand side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from clarify_ops.config.analysis import AnalysisConfig, Column
from clarify_ops.data.columns import resolve
from clarify_ops.data.joined import Part, Role

# What Clarify calls the predictions of a dataset of their own that does not name them.
PREDICTED_LABEL = "predicted_label"


@dataclass(frozen=True)
class PartColumn:
    """A column, and the dataset it stands in."""

    role: Role
    name: str


class Selection:
    """The columns that a configuration names, found in the parts they refer to.

    Args:
        config: The configuration.
        parts: What was read, the data first.

    Raises:
        BadData: A column is not there.
    """

    def __init__(self, config: AnalysisConfig, parts: Sequence[Part]) -> None:
        self._config, self._data = config, parts[0]
        self._by_role = {part.role: part for part in parts}
        # An index is one into the data, and elsewhere one where no column has the name that it means there.
        self.keys = self._keys(parts)
        self.label = self._single("label", config.label, self._data.table.label)
        self.predicted_label = self._predicted_label()
        self.facets = tuple(
            self._sensitive(facet.name_or_index, f"facet[{place}].name_or_index")
            for place, facet in enumerate(config.facet or ())
        )
        self.group = None if config.group_variable is None else self._anywhere(config.group_variable, "group_variable")
        self.segments = tuple(
            self._anywhere(segment.name_or_index, f"segment_config[{place}].name_or_index")
            for place, segment in enumerate(config.segment_config or ())
        )
        self.intersections = tuple(
            tuple(self._sensitive(column, f"clarify_ops.intersections[{place}]") for column in columns)
            for place, columns in enumerate(config.clarify_ops.intersections)
        )
        excluded = {
            self._anywhere(column, f"excluded_columns[{place}]")
            for place, column in enumerate(config.excluded_columns or ())
        }
        key = None if self.keys is None else PartColumn("data", self.keys[0])
        ours = [PartColumn("data", name) for name in self._data.names]
        self.features = tuple(one for one in ours if one not in {self.label, self.predicted_label, key, *excluded})

    def of(self, role: Role) -> list[str]:
        """The names of the columns that are meant in a part, each once, in its order."""
        meant = {self.label, self.predicted_label, self.group, *self.facets, *self.segments}
        meant.update(column for columns in self.intersections for column in columns)
        return [name for name in self._by_role[role].names if PartColumn(role, name) in meant]

    def _keys(self, parts: Sequence[Part]) -> list[str] | None:
        wanted = self._config.joinsource_name_or_index
        if wanted is None:
            return None
        keys = [resolve(wanted, parts[0].names, "joinsource_name_or_index", parts[0].shown)]
        for part in parts[1:]:
            where = f"joinsource_name_or_index, for {part.shown},"
            keys.append(keys[0] if keys[0] in part.names else resolve(wanted, part.names, where, part.shown))
        return keys

    def _single(self, key: str, wanted: Column | None, found: str | None) -> PartColumn | None:
        if wanted is None:
            return None
        return PartColumn("data", found or resolve(wanted, self._data.names, key, self._data.shown))

    def _predicted_label(self) -> PartColumn | None:
        wanted, part = self._config.predicted_label, self._by_role.get("predictions")
        if part is None:
            return self._single("predicted_label", wanted, self._data.table.predicted_label)
        only = [name for name in part.names if self.keys is None or name != self.keys[-1]]
        # One column without a name is what it is called.
        nameless = part.table.numbered and not isinstance(wanted, int)
        if len(only) == 1 and (nameless or (wanted is None and PREDICTED_LABEL not in only)):
            return PartColumn("predictions", only[0])
        if wanted is None:
            name = resolve(PREDICTED_LABEL, part.names, "predicted_label, by default,", part.shown)
        else:
            name = resolve(wanted, part.names, "predicted_label", part.shown)
        return PartColumn("predictions", name)

    def _sensitive(self, wanted: Column, key: str) -> PartColumn:
        """A facet: a column of the facet dataset where there is one."""
        part = self._by_role.get("facets", self._data)
        if isinstance(wanted, str) and wanted not in part.names and wanted in self._data.names:
            part = self._data
        return PartColumn(part.role, resolve(wanted, part.names, key, part.shown))

    def _anywhere(self, wanted: Column, key: str) -> PartColumn:
        """A column of the data by name or index, or of the other parts by name."""
        for part in self._by_role.values():
            if isinstance(wanted, str) and wanted in part.names:
                return PartColumn(part.role, wanted)
        return PartColumn("data", resolve(wanted, self._data.names, key, self._data.shown))


@dataclass(frozen=True)
class Named:
    """The parts with nothing in them but what is meant (the data whole), under names that can stand side by side.

    Attributes:
        parts: In their order.
        names: What each column is called now.
        notes: Which were renamed.
    """

    parts: tuple[Part, ...]
    names: dict[PartColumn, str]
    notes: tuple[str, ...]

    def called(self, column: PartColumn | None) -> str | None:
        """The name of a column that may be absent."""
        return None if column is None else self.names[column]

    def all_called(self, columns: Sequence[PartColumn]) -> tuple[str, ...]:
        """The names of columns."""
        return tuple(self.names[column] for column in columns)


def named_apart(parts: Sequence[Part], selection: Selection, predicted_label: Column | None) -> Named:
    """Drops what is not meant, and renames what would be taken for a column of the data.

    Args:
        parts: What was read, the data first.
        selection: What is meant.
        predicted_label: As the configuration has it, for a prediction without a name.
    """
    data, keys = parts[0], selection.keys
    names = {PartColumn("data", name): name for name in data.names}
    taken, kept, notes = set(data.names), [data], []
    for position, part in enumerate(parts[1:], start=1):
        renamed: dict[str, str] = {}
        for name in selection.of(part.role):
            if keys is not None and name == keys[position]:
                names[PartColumn(part.role, name)] = keys[0]
                continue
            renamed[name] = _apart(name, part, taken, predicted_label)
            if renamed[name] != name and not part.table.numbered:
                notes.append(
                    f"The column {name!r} of {part.shown} is called {renamed[name]!r}: the data have a {name!r} too."
                )
        taken.update(renamed.values())
        names.update({PartColumn(part.role, name): new for name, new in renamed.items()})
        columns = [*renamed, *(_for_comparison(part, data, renamed) if keys is None else [keys[position]])]
        frame = part.table.frame[columns].rename(columns=renamed)
        kept.append(replace(part, table=replace(part.table, frame=frame)))
    return Named(tuple(kept), names, tuple(notes))


def _for_comparison(part: Part, data: Part, meant: Collection[str]) -> list[str]:
    """Columns that nobody asks for and that the data have too: where they differ, rows do not belong together."""
    if part.table.numbered or data.table.numbered:
        return []
    return [name for name in part.names if name in data.names and name not in meant]


def _apart(name: str, part: Part, taken: Collection[str], predicted_label: Column | None) -> str:
    if part.role == "predictions" and (part.table.numbered or name in taken):
        wanted = predicted_label if isinstance(predicted_label, str) and part.table.numbered else PREDICTED_LABEL
        return next(free for free in _numbered(wanted) if free not in taken)
    if part.table.numbered and name in taken:
        return next(free for free in _numbered(f"facet_{name}") if free not in taken)
    # The same name in two places that were both given one: the join finds out whether they say the same.
    return name


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name}_{number}"
