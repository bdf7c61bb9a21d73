"""Names as files write them: invigilators, courses with their codes, headcounts."""

import re
import unicodedata

from orchestrator.timetable.book import Value, text_of

_LABEL = re.compile(
    r"(?:主|副|第[一二三]|甲|乙)?(?:监考|主考|巡考)(?:教师|老师|人员|员|人)?\s*[12一二]?\s*:"
)
_BREAK = re.compile(r"[、,;，；\n|&+]+|\s*/\s*")
_STAFF_NUMBER = re.compile(
    r"^\W*(?=[A-Za-z\d]*\d)[A-Za-z\d]{3,}\W*|\W*(?=[A-Za-z\d]*\d)[A-Za-z\d]{3,}\W*$"
)
_BRACKETED = re.compile(r"\([^)]*\)")
_BRACKETED_CODE = re.compile(
    r"^\s*[\[【(（]\s*(?=[\w.\-]*\d)([A-Za-z0-9][A-Za-z0-9.\-]{2,})\s*[\]】)）]\s*(.+)$"
)
_CJK = re.compile(r"[㐀-鿿·]+")
_NOBODY = frozenset({"", "-", "/", "无", "待定", "none", "n/a", "tba", "tbd"})


def names_of(text: str) -> list[str]:
    """Give the persons a cell names, without staff numbers, labels and telephone numbers."""
    plain = _LABEL.sub(",", unicodedata.normalize("NFKC", text))
    plain = _BRACKETED.sub(" ", plain)
    names: list[str] = []
    for part in _BREAK.split(plain):
        names.extend(_persons(_STAFF_NUMBER.sub("", part).strip()))
    return list(dict.fromkeys(name for name in names if name.lower() not in _NOBODY))


def _persons(part: str) -> list[str]:
    """Split at spaces where each word is a Chinese name; `王 伟` is one person."""
    words = [_STAFF_NUMBER.sub("", word) for word in part.split()]
    words = [word for word in words if word and not word.isdigit()]
    if not words or not all(_CJK.fullmatch(word) for word in words):
        return [" ".join(words)]
    if len(words) == 2 and all(len(word) == 1 for word in words):
        return ["".join(words)]
    return words


def course_of(name: str, code: str) -> tuple[str | None, str | None]:
    """Give code and name; `[05A8691]C语言` holds both."""
    name, code = name.strip(), code.strip()
    if match := _BRACKETED_CODE.match(name):
        inner, rest = match[1], match[2].strip()
        if not code or code == inner:
            return inner, rest
    return code or None, name or None


def headcount_of(value: Value) -> int | None:
    """Give a whole number of persons, `40人` too; None for what is no number."""
    text = unicodedata.normalize("NFKC", text_of(value))
    match = re.fullmatch(r"(\d{1,6})\s*(?:人|名|students?)?", text)
    return int(match[1]) if match else None
