"""What a package says to people, and the program that checks it."""

from collections.abc import Iterable
from pathlib import Path

from contract.spans import Span
from orchestrator.evidence import verifier
from orchestrator.evidence.manifest import Site, Wish
from orchestrator.evidence.package import Package

_ZH = """{site} 考试录像证据包

申请编号：{request}
接收人：{recipient}
事由：{reason}
摄像机：{cameras}
时段：{start} 至 {end}（{zone}；UTC {utc_start} 至 {utc_end}）
缺失：{missing_zh}

内容
  footage/     原始录像：摄像机送来的字节，未经转码；播放器只显示获准的时段。
               为解码所必需的关键帧引导部分（最多一个图像组）在文件内，但不显示，清单中逐一注明。
  viewing/     观看副本：重新编码，烧录申请编号和接收人，仅供观看，不作证据。
               边缘盒已无法联系时，录像取自归档副本，没有观看副本。
  certificates/  所涉考试的覆盖证书：应录、实录、缺口及原因，由边缘盒与中心签名。
               考试结束后尚未签发的，此处没有；可稍后向考试中心索取。
  manifest.json、signature.json、proof/   清单、签名与校验数据。
  verify.py    校验程序，离线运行，只需 Python 3.8 及以上。

校验
  python3 verify.py 证据包.zip --key 公钥
  （证据包.zip 即收到的原文件，不要用解压后的文件夹。）
  公钥请向考试中心当面或以其他可靠途径索取，不要只信本包内的说明；校验程序同样可以另行索取。
  结果 0 完整且来源真实，1 已被改动（指出文件与位置），2 无法读取，3 完整但未提供公钥。

保密
  依照管理办法第十九条：获准者应当保密，只用于获准的用途，不得传播；用毕销毁并告知考试中心。
"""

_EN = """Evidence package of exam footage, {site}

Request: {request}
Recipient: {recipient}
Reason: {reason}
Cameras: {cameras}
Span: {start} to {end} ({zone}; UTC {utc_start} to {utc_end})
Missing: {missing_en}

Contents
  footage/     the original footage: the bytes that the cameras sent, not re-encoded; players show
               the granted span alone. What decoding needs before it (from the key picture, one
               group of pictures at most) is in the files, is not shown, and stands in the manifest.
  viewing/     a copy to look at: re-encoded, with request and recipient burnt in; not evidence.
               Footage that its box cannot give any more comes from the archive; the copy to look at
               does not show it.
  certificates/  coverage certificates of the exams concerned: what was planned, recorded and
               missing, and why, signed by box and centre. One that was not issued yet is not
               here; ask the exam office for it later.
  manifest.json, signature.json, proof/    the list, its signature, and what checking needs.
  verify.py    the verifier: works offline, with nothing but Python 3.8 or newer.

Checking
  python3 verify.py PACKAGE.zip --key KEY
  (PACKAGE.zip: the file as it was received, not the folder it was unpacked to.)
  Ask the exam office for the key in person or by another way you trust, not this package alone;
  the verifier can be had the same way.
  0: intact and genuine; 1: changed (file and offset are named); 2: unreadable; 3: intact, no key.

Secrecy
  Article 19 of the rule: keep it secret, use it for what it was granted for, pass it to nobody;
  destroy it afterwards and tell the exam office.
"""


def add_reading_matter(
    package: Package, wish: Wish, site: Site, missing: Iterable[tuple[str, Span]] = ()
) -> None:
    """Put both READMEs and the verifier into the package; `missing` is what was not recorded."""
    holes = [
        f"{site.named(camera)} {site.local(hole.start)} – {site.local(hole.end)}"
        for camera, hole in missing
    ]
    said = {
        "site": site.name,
        "zone": site.zone,
        "request": wish.request,
        "recipient": wish.recipient,
        "reason": wish.reason,
        "cameras": ", ".join(map(site.named, wish.cameras)),
        "start": site.local(wish.span.start),
        "end": site.local(wish.span.end),
        "missing_zh": "；".join(holes) or "无",
        "missing_en": "; ".join(holes) or "nothing",
        "utc_start": f"{wish.span.start:%Y-%m-%d %H:%M:%S}",
        "utc_end": f"{wish.span.end:%Y-%m-%d %H:%M:%S}",
    }
    package.add("README.zh-CN.txt", _ZH.format(**said).encode())
    package.add("README.en.txt", _EN.format(**said).encode())
    package.add("verify.py", Path(verifier.__file__).read_bytes())
