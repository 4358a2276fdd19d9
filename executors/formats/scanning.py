"""From paths and options to a Scan: the files, their columns, and the slices of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from executors.formats import inferring, orc, parquet, plain
from executors.formats.codecs import is_compressed
from executors.formats.csv import flag
from executors.formats.errors import FilesError
from executors.formats.footers import Spans
from executors.formats.listing import Listing, Selecting, Typing, listed
from planner.columns import types as t
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice, Scan

FORMATS = ("parquet", "csv", "json", "text", "orc")
_NESTED = (t.ArrayType, t.MapType, t.StructType)


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


_OF_ALL = words(
    "path basepath recursivefilelookup pathglobfilter modifiedafter modifiedbefore mergeschema "
    "ignoremissingfiles timezone locale compression"
)
_OF_LINES = words(
    "encoding charset linesep multiline mode columnnameofcorruptrecord dateformat timestampformat "
    "timestampntzformat samplingratio"
)
KNOWN: dict[str, frozenset[str]] = {
    "parquet": _OF_ALL,
    "orc": _OF_ALL,
    "text": _OF_ALL | {"wholetext", "linesep", "encoding", "charset"},
    "csv": _OF_ALL
    | _OF_LINES
    | words(
        "sep delimiter quote escape comment header inferschema enforceschema prefersdate "
        "ignoreleadingwhitespace ignoretrailingwhitespace nullvalue nanvalue positiveinf "
        "negativeinf emptyvalue unescapedquotehandling maxcolumns maxcharspercolumn"
    ),
    "json": _OF_ALL
    | _OF_LINES
    | words(
        "primitivesasstring prefersdecimal allowcomments allowunquotedfieldnames "
        "allowsinglequotes allownumericleadingzeros allowbackslashescapinganycharacter "
        "allowunquotedcontrolchars allownonnumericnumbers dropfieldifallnull infertimestamp "
        "prefersdate"
    ),
}


@dataclass(frozen=True)
class Reading:
    """How files are read: the options (names in lower case), and what settings say."""

    options: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    infer_folders: bool = True
    merge: bool = False
    plain_times: bool = True  # whether a Parquet time without a zone is one (timestamp_ntz)


def scan(form: str, paths: Sequence[str], given: t.StructType | None, how: Reading) -> Scan:
    """The plan that reads files.

    Parameters
    ----------
    form : str
        One of FORMATS.
    paths : sequence of str
        Files, folders, patterns.
    given : StructType or None
        The columns; found from the files if None.

    Raises
    ------
    FilesError
        Files are not there, are damaged, or do not fit together.
    """
    sensitive = how.settings.case_sensitive
    fold = str if sensitive else str.lower
    selecting = Selecting.of(how.options, how.settings.zone, sensitive)
    listing = listed(paths, selecting)
    theirs = {f.name.lower(): f.dataType for f in given.fields} if given else {}
    kinds, values = Typing(theirs, how.infer_folders, how.settings).columns(listing)
    folders = {fold(name) for name in listing.columns}
    data, layouts, slices, spans = _surveyed(form, listing, values, given, how)
    fields = [each for each in data.fields if fold(each.name) not in folders]
    _refuse_double([*(each.name for each in fields), *listing.columns], fold)
    attrs = tuple(Attr(f.name, t.nullable(f.dataType), True) for f in fields)
    parts = tuple(Attr(n, k, True) for n, k in zip(listing.columns, kinds, strict=True))
    options = dict(how.options)
    if form == "parquet" and slices and given is None:
        options["schema_from"] = listing.files[0].shown
    return Scan(
        form,
        (*attrs, *parts),
        slices,
        parts,
        options=tuple(sorted(options.items())),
        label=f"{form} {', '.join(paths)}",
        layouts=layouts,
        spans=spans.of,
        sure=spans.sure,
    )


def _surveyed(
    form: str,
    listing: Listing,
    values: Sequence[tuple[object, ...]],
    given: t.StructType | None,
    how: Reading,
) -> tuple[t.StructType, tuple[t.StructType, ...], tuple[FileSlice, ...], Spans]:
    """The columns, the layouts of files, the slices, and between which values columns lie."""
    bare: list[str] = []
    if form in ("parquet", "orc"):  # files of no bytes are left out, as Spark does
        full = [at for at, file in enumerate(listing.files) if file.size]
        bare = [file.shown for file in listing.files if not file.size]
        values = [values[at] for at in full]
        listing = replace(listing, files=tuple(listing.files[at] for at in full))
    if not listing.files and given is None and form != "text":
        empty = f" ({', '.join(bare[:3])} and the like have no bytes)" if bare else ""
        raise FilesError(
            f"there are no {form} files from which the columns could be found{empty}: give a "
            "schema",
            "UNABLE_TO_INFER_SCHEMA",
        )
    if form == "parquet":
        merge = flag(how.options, "mergeschema", str(how.merge))
        sensitive = how.settings.case_sensitive
        found = parquet.surveyed(listing, values, merge, sensitive, how.plain_times)
        return given or found.schema, found.layouts, found.slices, found.spans
    if form == "orc":
        schema, pieces = orc.surveyed(listing, values)
        return given or schema, (given or schema,), pieces, Spans()
    slices = _whole(listing, values, plain.splittable(how.options))
    if form != "text":
        _check_corrupt(given, how.options)
    if form == "text":
        data = t.StructType([t.StructField("value", t.STRING)])
        if given is not None:
            data = _without(given, listing.columns)
            if [f.dataType for f in data.fields] != [t.STRING]:
                raise FilesError(
                    "text files have one column, of strings, and the schema has "
                    f"{data.simpleString()}",
                    "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                )
        return data, (data,), slices, Spans()
    if given is not None:
        data = _without(given, listing.columns)
    elif form == "csv":
        data = inferring.of_csv(slices, how.options, how.settings)
    else:
        data = inferring.of_json(slices, how.options, how.settings)
    if form == "csv":
        refuse_nested(data)
    return data, (t.StructType([_free(f) for f in data.fields]),), slices, Spans()


def _whole(
    listing: Listing, values: Sequence[tuple[object, ...]], splittable: bool
) -> tuple[FileSlice, ...]:
    """A slice for each file; what can be cut says from where to where it goes."""
    return tuple(
        FileSlice(
            file.path,
            -1,
            file.size,
            folder,
            (0, file.size) if splittable and not is_compressed(file.path) else (),
        )
        for file, folder in zip(listing.files, values, strict=True)
    )


def _without(given: t.StructType, columns: Sequence[str]) -> t.StructType:
    low = {name.lower() for name in columns}
    return t.StructType([each for each in given.fields if each.name.lower() not in low])


def _free(each: t.StructField) -> t.StructField:
    return t.StructField(each.name, t.nullable(each.dataType), True)


def _check_corrupt(given: t.StructType | None, options: Mapping[str, str]) -> None:
    """The column of malformed records, if the schema has one, is text."""
    name = options.get("columnnameofcorruptrecord", "_corrupt_record")
    for each in given.fields if given else ():
        if each.name == name and not (each.dataType == t.STRING and each.nullable):
            kind = each.dataType.simpleString() + (" NOT NULL" if not each.nullable else "")
            raise FilesError(
                f"the column {name} takes the text of malformed records: it must be a string that "
                f"may be NULL, and is {kind}",
                "INVALID_CORRUPT_RECORD_TYPE",
            )


def refuse_nested(data: t.StructType) -> None:
    """Refuse what csv cannot hold."""
    for each in data.fields:
        if isinstance(each.dataType, _NESTED):
            raise FilesError(
                f"csv cannot hold the column {each.name}, which is {each.dataType.simpleString()}",
                "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
            )


def _refuse_double(names: Sequence[str], fold: type[str] | object) -> None:
    seen: set[str] = set()
    for name in names:
        if "\0" in name:
            raise FilesError(
                f"the column {name!r} has a zero byte in its name: is the file in an encoding such "
                "as utf-16? The option encoding says so",
                "INVALID_COLUMN_NAME",
            )
        key = fold(name)  # type: ignore[operator]
        if key in seen:
            raise FilesError(f"the column {name} is there twice", "COLUMN_ALREADY_EXISTS")
        seen.add(key)
