"""What can be wrong: cause, consequence, what to do about it, how soon. No action, no alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from contract.duty import Priority

Kind = Literal[
    "covered",
    "defocused",
    "moved",
    "dark",
    "black",
    "white",
    "frozen",
    "camera_down",
    "recording_stopped",
    "switch_down",
    "box_lost",
    "deletion_late",
    "flood",
    "disk_low",
    "disk_full",
    "footage_changed",
    "footage_unknown",
    "write_failed",
    "wrong_volume",
    "second_away",
    "clock_untrusted",
    "archive_away",
    "session_incomplete",
    "nobody_reachable",
]

PRIORITY_ZH: Mapping[Priority, str] = MappingProxyType({"high": "高", "medium": "中", "low": "低"})


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertClass:
    """A class of alerts, as alarm management wants it written down."""

    priority: Priority
    title: Words
    cause: Words
    consequence: Words
    action: Words
    act_within: timedelta
    raise_after: timedelta = timedelta()
    """It must have lasted so long: lights that go off and on again are nobody's work."""


def _of(
    priority: Priority,
    minutes: int,
    title: tuple[str, str],
    cause: tuple[str, str],
    consequence: tuple[str, str],
    action: tuple[str, str],
    raise_after_s: int = 0,
) -> AlertClass:
    return AlertClass(
        priority=priority,
        title=Words(*title),
        cause=Words(*cause),
        consequence=Words(*consequence),
        action=Words(*action),
        act_within=timedelta(minutes=minutes),
        raise_after=timedelta(seconds=raise_after_s),
    )


_BLIND = ("考场画面无法作为证据", "The exam is not seen; the recording proves nothing")
_LOST = ("该时段没有录像", "These minutes are not recorded")

CLASSES: Mapping[str, AlertClass] = MappingProxyType(
    {
        "covered": _of(
            "high",
            3,
            ("摄像机被遮挡", "Camera covered"),
            ("有人或物挡住镜头", "Somebody or something stands before the lens"),
            _BLIND,
            ("请到考场移开遮挡物", "Go to the room and clear the lens"),
        ),
        "moved": _of(
            "high",
            5,
            ("摄像机被转动", "Camera moved"),
            ("镜头方向与批准的画面不符", "The lens no longer points where it was approved"),
            _BLIND,
            ("请到考场把镜头转回原位", "Go to the room and turn the camera back"),
        ),
        "defocused": _of(
            "medium",
            10,
            ("画面模糊", "Picture out of focus"),
            ("焦点变化或镜头沾污", "Focus changed, or the lens is smeared"),
            ("看不清考生动作", "What candidates do cannot be made out"),
            ("请检查并擦拭镜头", "Check the lens and wipe it"),
        ),
        "dark": _of(
            "medium",
            5,
            ("画面过暗", "Picture too dark"),
            ("考场关灯或断电", "The lights are off, or the power is"),
            ("看不清考生动作", "What candidates do cannot be made out"),
            ("请联系考场开灯", "Have the lights of the room switched on"),
            raise_after_s=90,
        ),
        "black": _of(
            "high",
            3,
            ("画面全黑", "Picture black"),
            ("镜头被完全遮住或摄像机故障", "The lens is shut, or the camera is broken"),
            _BLIND,
            ("请到考场检查摄像机", "Go to the room and look at the camera"),
        ),
        "white": _of(
            "high",
            3,
            ("画面全白", "Picture white"),
            ("强光直射镜头或摄像机故障", "A strong light, or the camera is broken"),
            _BLIND,
            ("请到考场检查镜头前的光源", "Go to the room and look for a light at the lens"),
        ),
        "frozen": _of(
            "high",
            3,
            ("画面冻结", "Picture frozen"),
            ("摄像机重复发送同一画面", "The camera sends the same picture again and again"),
            _BLIND,
            ("请重启摄像机并到考场值守", "Restart the camera; send somebody to the room"),
        ),
        "camera_down": _of(
            "high",
            3,
            ("摄像机无画面", "Camera down"),
            ("摄像机断电、断网或故障", "The camera has no power, no network, or is broken"),
            _LOST,
            (
                "请检查电源与网线，并派人到考场",
                "Check power and cable; send somebody to the room",
            ),
        ),
        "recording_stopped": _of(
            "high",
            3,
            ("录像中断", "Recording stopped"),
            ("有画面但没有写入磁盘", "There is a picture, but it is not written to disk"),
            _LOST,
            (
                "请检查边缘盒磁盘，并派人到考场",
                "Check the box's disk; send somebody to the room",
            ),
        ),
        "switch_down": _of(
            "high",
            5,
            ("交换机失联", "Switch down"),
            (
                "同一交换机下的多个机位同时断开：交换机断电、断网或故障",
                "Its cameras went at once: the switch has no power, no uplink, or is broken",
            ),
            _LOST,
            ("请检查交换机的电源与上联", "Check the switch's power and uplink"),
        ),
        "box_lost": _of(
            "high",
            5,
            ("边缘盒失联", "Box lost"),
            ("边缘盒断电、断网或停止运行", "The box has no power, no network, or has stopped"),
            (
                "看不到所属考场；断网时录像仍在盒内继续",
                "Its rooms are not seen; without network it records on by itself",
            ),
            ("请检查边缘盒的电源与网络", "Check the box's power and network"),
        ),
        "deletion_late": _of(
            "low",
            24 * 60,
            ("到期录像未能删除", "Deletion late"),
            (
                "边缘盒联系不上中心、时钟未确认或磁盘不对，超过 24 小时",
                "The box has no centre, no confirmed clock or the wrong disk, for over 24 hours",
            ),
            (
                "录像超过保存期仍在磁盘上；已不能观看",
                "Recordings lie on the disk past their term; nobody can see them",
            ),
            (
                "请检查边缘盒的网络、时钟与磁盘",
                "Check the box's network, clock and disk",
            ),
        ),
        "flood": _of(
            "medium",
            10,
            ("警情过多，不再逐条推送", "Too many alerts to send one by one"),
            (
                "十分钟内新警情超过十条",
                "More than ten new alerts in ten minutes",
            ),
            (
                "一般警情只在列表中，可能被忽略",
                "What is not urgent stands in the list alone, and may be overlooked",
            ),
            ("请在警情列表中逐条处理", "Go through the list of alerts"),
        ),
        "disk_low": _of(
            "medium",
            60,
            ("录像磁盘空间不足", "Recording disk filling up"),
            (
                "边缘盒可用空间低于下限；更少时先停子码流，再改录到第二块磁盘（如有）",
                "Less free space than the minimum: sub-streams go next, then a second disk is used",
            ),
            (
                "空间用尽后新的录像将丢失；已有录像不会被删除",
                "When it is full new pictures are lost; what was recorded is not deleted",
            ),
            (
                "请查看“容量”页，减少码流、换盒或扩容",
                "See the page Capacity: fewer streams, another box or a larger disk",
            ),
        ),
        "disk_full": _of(
            "high",
            3,
            ("录像磁盘已满", "Recording disk full"),
            ("边缘盒磁盘写满，新的画面无法保存", "The box's disk is full: no new picture is kept"),
            _LOST,
            (
                "请立即扩容并派人到考场；切勿手工删除录像",
                "Make room for it now, send somebody to the rooms; delete no recording by hand",
            ),
        ),
        "footage_changed": _of(
            "high",
            30,
            ("录像文件被改动", "Footage removed or changed"),
            ("有人删除或改动了边缘盒上的录像文件", "Somebody removed or altered recorded files"),
            ("该时段录像不再是证据", "These minutes are no evidence any more"),
            (
                "请封存该边缘盒并查明何人登录过",
                "Secure the box; find out who was logged in there",
            ),
        ),
        "footage_unknown": _of(
            "medium",
            4 * 60,
            ("录像盘上有来历不明的文件", "Files of unknown origin on the recording disk"),
            (
                "有文件不在盒内日志中：有人放入，或日志、磁盘损坏",
                "Files the box has no record of: put there by hand, or its journal or disk broke",
            ),
            (
                "文件已隔离并照常保存，但不算入覆盖证明",
                "They are set aside and kept, but no certificate counts them",
            ),
            (
                "请查看边缘盒事件中的文件名，查明来源",
                "Read their names in the box's events; find out where they come from",
            ),
        ),
        "write_failed": _of(
            "high",
            3,
            ("录像磁盘写入失败", "Recording disk does not write"),
            ("磁盘损坏、脱落或变为只读", "The disk is broken, came loose or turned read-only"),
            _LOST,
            (
                "请检查或更换边缘盒磁盘，并派人到考场",
                "Check or replace the box's disk; send somebody to the rooms",
            ),
            raise_after_s=10,
        ),
        "wrong_volume": _of(
            "high",
            5,
            ("录像磁盘不对", "Wrong recording disk"),
            (
                "挂载的不是该边缘盒一直使用的磁盘，或其标识文件丢失",
                "Not the disk this box has recorded to, or its identity file is gone",
            ),
            (
                "为不写错、不误删，该边缘盒已停止录像",
                "The box does not record: it neither writes to nor deletes from a wrong disk",
            ),
            (
                "请挂载原来的磁盘后重启边缘盒",
                "Mount the disk it had and restart the box",
            ),
        ),
        "second_away": _of(
            "medium",
            60,
            ("第二块录像磁盘异常", "Second recording disk away"),
            (
                "第二块磁盘未挂载、无响应，或属于别的边缘盒",
                "It is not mounted, does not answer, or is another box's",
            ),
            (
                "录像照常写入第一块磁盘；第二块上的录像暂不能看，到期也不能删",
                "The box records on, to its first disk; footage on the second is out of reach",
            ),
            (
                "请检查该盒的第二块磁盘及其挂载",
                "Check the box's second disk and its mount",
            ),
            raise_after_s=60,
        ),
        "clock_untrusted": _of(
            "medium",
            30,
            ("边缘盒时钟未确认", "Box's clock not confirmed"),
            (
                "开机后未能校时，或时钟曾被调回",
                "It was not synchronised since it started, or was set back",
            ),
            (
                "录像照常进行但时间待校正，到期录像不会删除",
                "It records on, with spans to be corrected; nothing that is due is deleted",
            ),
            (
                "请检查边缘盒到校时服务器的网络",
                "Check the box's way to the time server",
            ),
            raise_after_s=60,
        ),
        "archive_away": _of(
            "low",
            24 * 60,
            ("第二份副本无法生成", "Second copies are not made"),
            (
                "存档库连接不上、写不进或回读不符",
                "The archive cannot be reached or written, or gave back something else",
            ),
            (
                "录像只有盒内一份；盒子损坏则无法恢复",
                "Footage is on its box alone; should the box be lost, so is it",
            ),
            (
                "请检查存档库的网络、空间与凭据",
                "Check the archive's network, space and credential",
            ),
            raise_after_s=15 * 60,
        ),
        "session_incomplete": _of(
            "medium",
            24 * 60,
            ("考试录像不完整", "Exam recording incomplete"),
            (
                "覆盖证明中有未录到的时段",
                "The coverage certificate names seconds that are not on disk",
            ),
            (
                "该场考试的录像证据有缺口",
                "The evidence of this exam has gaps",
            ),
            (
                "请在“覆盖证明”页查看缺口与原因并作记录",
                "See gaps and causes on the page Coverage, and put on record what was done",
            ),
        ),
        "nobody_reachable": _of(
            "high",
            2,
            ("无人接收警情", "Nobody reachable"),
            ("值班手机不在线或无人接单", "No duty phone is connected, or nobody takes the alert"),
            ("警情无人处理", "Alerts stay without anybody to deal with them"),
            ("请电话联系值班人员", "Call the people on duty by telephone"),
        ),
    }
)
"""Every class there is, by name."""

OF_TAMPER: Mapping[str, Kind] = MappingProxyType(
    {
        "covered": "covered",
        "defocused": "defocused",
        "moved": "moved",
        "dark": "dark",
        "black": "black",
        "white": "white",
        "frozen": "frozen",
        "no_signal": "camera_down",
    }
)
"""Which class a box's word about a picture belongs to."""

OF_SHELF: Mapping[str, Kind] = MappingProxyType(
    {
        "missing": "footage_changed",
        "changed": "footage_changed",
        "quarantined": "footage_unknown",
    }
)
"""Which class a box's word about footage belongs to that only a person can settle."""

OF_BOX: Mapping[str, Kind] = MappingProxyType(
    {
        "write_failed": "write_failed",
        "wrong_volume": "wrong_volume",
        "archive": "archive_away",
        "second_away": "second_away",
    }
)
"""Which class a box's word about its shelf belongs to that lasts until it says otherwise."""
