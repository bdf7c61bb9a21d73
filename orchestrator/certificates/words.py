"""What stands on a printed certificate, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Language = Literal["zh", "en"]

_BOTH: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "title": ("考试录像覆盖证书", "Certificate of Recording Coverage"),
        "edition": ("第 {n} 版", "Edition {n}"),
        "issued": ("签发时间", "Issued"),
        "VERIFIED": ("已核验", "VERIFIED"),
        "INCOMPLETE": ("不完整", "INCOMPLETE"),
        "session": ("场次编号", "Session"),
        "room": ("考场", "Room"),
        "exam": ("考试时间", "Examination"),
        "window": ("录像时段", "Recording window"),
        "courses": ("考试课程", "Courses"),
        "headcount": ("考生人数", "Candidates"),
        "planned": ("应录", "Planned"),
        "recorded": ("实录", "Recorded"),
        "missing": ("缺失", "Missing"),
        "coverage": ("覆盖率", "Coverage"),
        "cameras": ("各机位录像", "Recording by camera"),
        "camera": ("机位", "Camera"),
        "box": ("边缘盒", "Box"),
        "segments": ("录像段", "Segments"),
        "chain": ("链头摘要", "Chain head"),
        "copies": ("副本", "Copies"),
        "clock": ("时钟", "Clock"),
        "clock_ok": ("可信", "trusted"),
        "clock_bad": ("{n} 段不可信", "{n} untrusted"),
        "offset": ("最大偏差 {ms} 毫秒", "offset at most {ms} ms"),
        "copy_box": ("盒内", "on"),
        "copy_archive": ("归档", "archived in"),
        "copy_verified": ("已回读", "read back"),
        "gaps": ("缺口", "Gaps"),
        "no_gaps": ("无超过 1 秒的缺口。", "No gap longer than one second."),
        "from": ("起", "From"),
        "to": ("止", "To"),
        "length": ("时长", "Length"),
        "cause": ("原因", "Cause"),
        "reasons": ("未能核验的原因", "Why it is not verified"),
        "silence": ("静默证明", "Proof of silence"),
        "silent": (
            "{start} 至 {end}，本考场 {cameras} 个机位在录像时段之外没有录像，也没有向摄像机取流。",
            (
                "From {start} to {end}, nothing was recorded by this room's cameras ({cameras}) "
                "outside recording windows, and no camera was asked for pictures."
            ),
        ),
        "not_silent": (
            "{start} 至 {end}，本考场 {cameras} 个机位有以下情况：",
            "From {start} to {end}, of this room's cameras ({cameras}):",
        ),
        "outside_recording": ("时段外录像", "recorded outside windows"),
        "outside_contact": ("时段外取流", "asked for pictures outside windows"),
        "untrusted": ("时钟不可信，另列", "clock not trusted, listed apart"),
        "not_heard": ("边缘盒尚未报告，此段未证明", "box not heard: not proved"),
        "no_record": ("边缘盒尚无取流记录，此段未证明", "box kept no record yet: not proved"),
        "signatures": ("签名", "Signatures"),
        "centre": ("中心", "Centre"),
        "key": ("密钥", "key"),
        "signature": ("签名值", "signature"),
        "statement": ("陈述摘要", "statement"),
        "agrees": ("与目录一致", "agrees with the catalogue"),
        "differs": ("与目录不一致：{what}", "differs from the catalogue: {what}"),
        "no_word": ("{camera} 所属边缘盒未报告", "the box of {camera} has not told"),
        "ledger": ("台账链头", "Ledger head"),
        "body": ("正文 SHA-256", "SHA-256 of the text"),
        "verify": (
            (
                "核验：下载签名文件，运行 xunkao coverage verify 文件。"
                "纸质件仅供阅读，以签名文件为准。"
            ),
            (
                "To check: download the signed file and run xunkao coverage verify FILE. "
                "This paper is for reading; the signed file counts."
            ),
        ),
        "seconds": ("{s} 秒", "{s} s"),
        "people": ("{n} 人", "{n}"),
        "stamp": ("考试中心（签字盖章）", "Examination office (signature, seal)"),
        "date": ("日期", "Date"),
        "time_zone": ("时间均为 {zone}", "All times {zone}"),
        "more": ("另有 {n} 项，见签名文件。", "{n} more; see the signed file."),
    }
)

_REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "gap": ("有超过 1 秒的缺口", "there are gaps longer than one second"),
        "not_told": ("边缘盒在 24 小时内未报告", "the box has not told within 24 hours"),
        "differs": ("边缘盒陈述与目录不一致", "the box's statement and the catalogue differ"),
        "chain_broken": ("录像段链不连续", "the chain of segments is broken"),
        "clock_untrusted": ("部分录像的时钟不可信", "some was recorded by an untrusted clock"),
        "no_camera": ("考场没有摄像机", "the room has no camera"),
    }
)

_CAUSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "refused": ("摄像机拒绝连接", "camera refused"),
        "auth": ("摄像机登录失败", "camera log-in refused"),
        "no_video": ("无视频流", "no video"),
        "stalled": ("画面停滞", "stalled"),
        "lost": ("摄像机断开", "camera lost"),
        "box_down": ("边缘盒停止运行", "box down"),
        "started_late": ("边缘盒启动过晚", "box started late"),
        "disk": ("磁盘故障或已满", "disk"),
        "clock_step": ("时钟跳变", "clock step"),
        "outage": ("计划停用", "planned outage"),
        "not_commanded": ("未下达录像指令", "not commanded"),
        "not_told": ("边缘盒未说明", "not told by the box"),
    }
)

_DIFFERENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "window": ("时段", "window"),
        "segments": ("录像段", "segments"),
        "chain": ("链头", "chain head"),
        "seconds": ("秒数", "seconds"),
        "gaps": ("缺口", "gaps"),
    }
)


def words(lang: Language) -> dict[str, str]:
    """Give every fixed text."""
    return {key: pair[_index(lang)] for key, pair in _BOTH.items()}


def cause(code: str, lang: Language) -> str:
    """Say why seconds are missing."""
    return _said(_CAUSES, code, lang)


def reason(code: str, lang: Language) -> str:
    """Say why a session is not verified."""
    return _said(_REASONS, code, lang)


def difference(code: str, lang: Language) -> str:
    """Say in what box and catalogue part."""
    return _said(_DIFFERENCES, code, lang)


def _said(table: Mapping[str, tuple[str, str]], code: str, lang: Language) -> str:
    pair = table.get(code)
    return code if pair is None else pair[_index(lang)]


def _index(lang: Language) -> int:
    return 0 if lang == "zh" else 1
