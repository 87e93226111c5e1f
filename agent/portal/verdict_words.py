"""What the check of a file found, in the reader's words."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext

from agent.certificates.offline import Checked


class Step(NamedTuple):
    """One step: its sentence, the shape beside it, and the word for the shape."""

    sentence: str
    shape: str
    word: str


def steps(checked: Checked) -> list[Step]:
    """Every step of a check, in its order."""
    said = {
        "pdf": gettext("文件是可以读取的PDF"),
        "signature": gettext("电子签名有效，签名以后内容没有改动"),
        "issuer": gettext("签名的密钥是本平台的"),
        "whole": gettext("签名覆盖整个文件，签名以后没有添加任何内容"),
        "credential": gettext("文件里的电子凭证属于这张证书"),
        "registered": gettext("登记簿里有这张证书"),
        "copy": gettext("与当初发出的文件逐字节相同（SHA-256）"),
        "in_force": gettext("证书现在有效"),
    }
    marks = {
        True: ("done", gettext("符合")),
        False: ("person", gettext("不符合")),
        None: ("none", gettext("未核对")),
    }
    return [Step(sentence, *marks[checked.checks.get(key)]) for key, sentence in said.items()]


def reason_of(reason: str) -> str:
    """The sentence for a reason's code."""
    said = {
        "E_NOT_PDF": gettext("这个文件不是PDF，或者已经损坏。请用下载时的原文件，不要用截图、照片或另存的文件。"),
        "E_TOO_LARGE": gettext("这个文件比任何一张证书都大，或者展开后大得不正常，没有读下去。"),
        "E_ENCRYPTED": gettext("这个文件加了密码。本平台发出的证书从不加密。"),
        "E_NOT_SIGNED": gettext("这个文件没有电子签名。打印再扫描、另存或转换过的文件都会失去签名。"),
        "E_SEVERAL_SIGNATURES": gettext("文件里不止一个签名，本平台发出的证书只有一个。"),
        "E_ALTERED": gettext("签名以后，文件内容被改动过。"),
        "E_APPENDED": gettext("签名以后，文件末尾又添加了内容。"),
        "E_UNTRUSTED": gettext("文件有签名，但不是本平台签的。可能是其他平台的证书，请到签发它的平台核验。"),
        "E_CREDENTIAL_MISSING": gettext("文件里没有证书应有的电子凭证。"),
        "E_CREDENTIAL": gettext("文件里的电子凭证不是本平台签的，或者被改动过。"),
        "E_CREDENTIAL_OTHER": gettext("文件里的电子凭证属于另一张证书。"),
        "E_NOT_REGISTERED": gettext("签名是本平台的，但登记簿里没有这张证书。请联系主办单位。"),
        "E_NOT_OUR_COPY": gettext("签名是真的，但与当初发出的文件不完全相同。"),
        "E_NOT_IN_FORCE": gettext("文件是真的，但证书现在不是有效状态。"),
    }
    return said[reason.partition(":")[0]]
