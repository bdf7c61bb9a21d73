"""Which category an exam is of, as files write it: the four of the rule's first article."""

import re
import unicodedata

CATEGORIES = ("国家教育考试", "校级课程考试", "院系考试", "其他")
"""The gravest first."""

_WRITTEN = {
    "国家教育考试": "国家教育考试 国家考试 国家级考试 国家级 国考 national nationalexam "
    "nationalexamination",
    "校级课程考试": "校级课程考试 校级考试 校级 学校考试 课程考试 校考 university universityexam "
    "universityexamination",
    "院系考试": "院系考试 院级考试 学院考试 院级 院系 系级 院考 department departmental "
    "departmentexam departmentalexam faculty facultyexam",
    "其他": "其他 其它 其他考试 其它考试 other others",
}
_CATEGORY = {word: name for name, words in _WRITTEN.items() for word in words.split()}
_OTHER_WORDS = (
    "正常 正常考试 正考 补考 缓考 重修 重考 期末 期末考试 期中 期中考试 随堂 随堂考试 结课考试 "
    "闭卷 开卷 笔试 机试 口试 normal regular resit makeup final finals midterm"
)
"""What the same columns often say instead: which sitting it is, or how. That is no category."""


class UnknownCategory(ValueError):
    """A word that is none of the categories."""


def category_of(text: str) -> str | None:
    """Give the category a cell names; None where it names none. Raises UnknownCategory."""
    word = re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", text)).lower()
    if not word or word in _OTHER_WORDS.split():
        return None
    if word not in _CATEGORY:
        raise UnknownCategory(text)
    return _CATEGORY[word]


def gravest(found: set[str]) -> str | None:
    """Give the one of these categories that counts where a room holds exams of several."""
    return next((name for name in CATEGORIES if name in found), None)
