"""The codes of the quarantine: what each means, what mends it, and who can.

Stable: others script against the codes. Sentences are Chinese first, then English; ``{names}`` come from the held
item's parameters. An item is released by itself when its cause is gone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One reason for waiting."""

    zh: str
    en: str
    fix_zh: str
    fix_en: str


_LMS_NUMBER = "请基地在学习平台中更正该学员的身份证号，下次同步后自动放行。"
_LMS_NUMBER_EN = "The base corrects the number in its LMS; the next sync releases the row."
_FILE_CELL = "请在表格中更正该单元格后重新上传，更正后自动放行。"
_FILE_CELL_EN = "Correct the cell and send the file again; the row is released then."
_KEY_BACK = "证书不会不签名就发出；密钥恢复后，下一次同步自动签发。"
_KEY_BACK_EN = "Nothing goes out unsigned; what waits is issued by the first run after the key is back."


CODES: dict[str, Code] = {
    "E_ID_MISSING": Code("来源没有给出身份证号。", "The source gives no identity number.", _LMS_NUMBER, _LMS_NUMBER_EN),
    "E_ID_CHECKSUM": Code(
        "身份证号 {id_masked} 的校验码不对，多半是录入时有一位写错。",
        "The check digit of {id_masked} is wrong: most likely one digit was mistyped.",
        _LMS_NUMBER,
        _LMS_NUMBER_EN,
    ),
    "E_ID_FORMAT": Code(
        "证件号 {id_masked} 不是 18 位或 15 位公民身份号码。",
        "{id_masked} is not an identity number of 18 or 15 digits.",
        _LMS_NUMBER,
        _LMS_NUMBER_EN,
    ),
    "E_ID_DATE": Code(
        "身份证号 {id_masked} 中的出生日期不存在。",
        "The birth date in {id_masked} does not exist.",
        _LMS_NUMBER,
        _LMS_NUMBER_EN,
    ),
    "E_ID_MASKED": Code(
        "身份证号 {id_masked} 被打码，无法确认是谁。",
        "The number {id_masked} is masked, so it is not certain who this is.",
        _LMS_NUMBER,
        _LMS_NUMBER_EN,
    ),
    "E_ID_PRECISION_LOST": Code(
        "身份证号被表格软件改成了数字，末几位已丢失（{place}）。",
        "A spreadsheet turned the identity number into a figure and lost its last digits ({place}).",
        "请把该列设为“文本”，重新填写号码后上传。模板已设好格式：xueshi roster template。",
        "Set the column to «text», enter the number again and send the file; the template has it set.",
    ),
    "E_NAME_CONFLICT": Code(
        "同一身份证号 {id_masked} 出现了不同的姓名：“{name}”与“{known}”。",
        "One identity number {id_masked} comes with two names: «{name}» and «{known}».",
        "请核对是谁写错：在学习平台更正姓名或号码，下次同步后自动放行。",
        "Find out which is wrong and correct it in the LMS; the next sync releases the row.",
    ),
    "E_NAME_MISSING": Code("来源没有给出姓名。", "The source gives no name.", _LMS_NUMBER, _LMS_NUMBER_EN),
    "E_NAME_PRIVATE_USE": Code(
        "姓名“{name}”含有自造字，别处无法显示。",
        "The name «{name}» has a private-use character that shows nowhere else.",
        "请改用国家标准（GB 18030）收录的字，在学习平台更正后自动放行。",
        "Use the character of GB 18030 in the LMS; the next sync releases the row.",
    ),
    "E_NAME_DAMAGED": Code(
        "姓名“{name}”中有字丢失或被遮盖（? 或 *）。",
        "Characters of the name «{name}» are lost or hidden (? or *).",
        "请在学习平台补全姓名，下次同步后自动放行。",
        "Complete the name in the LMS; the next sync releases the row.",
    ),
    "E_NAME_TOO_LONG": Code(
        "姓名“{name}…”超过 200 字，多半是别的内容填进了姓名。",
        "The name «{name}…» has more than 200 characters: most likely something else was entered as the name.",
        "请在学习平台更正姓名，下次同步后自动放行。",
        "Correct the name in the LMS; the next sync releases the row.",
    ),
    "E_TIME_UNKNOWN": Code(
        "来源只说已结业，没有说何时结业，无法判断年度。",
        "The source says completed but not when, so the year is not known.",
        "请按 docs/moodle.md 建好结业报表，下次同步会带来时间。",
        "Set up the report (docs/moodle.md); the next sync brings the time.",
    ),
    "E_COURSE_UNMAPPED": Code(
        "课程“{course_name}”（{course}）没有对应的备案项目，不计学时。",
        "The course «{course_name}» ({course}) belongs to no filed programme; it counts nothing.",
        "由基地或主办单位确认它属于哪个备案项目，确认后自动放行；不是继续教育课程的不必处理。",
        "The base or the organiser maps it to its filed programme, and it is released; a course that is none may stay.",
    ),
    "E_COURSE_AMBIGUOUS": Code(
        "课程“{course_name}”（{course}）同时对应多个备案项目：{programmes}。",
        "The course «{course_name}» ({course}) is mapped to several programmes: {programmes}.",
        "请只保留一个对应关系。",
        "Keep one mapping only.",
    ),
    "E_FILING_UNKNOWN": Code(
        "备案编号“{filing_number}”查无此项目。",
        "There is no programme with the filing number «{filing_number}».",
        "请核对编号；项目受理后自动放行。",
        "Check the number; the row is released once the programme is filed.",
    ),
    "E_PROGRAMME_NOT_FILED": Code(
        "项目“{programme}”尚未备案（{state}），暂不计学时。",
        "The programme «{programme}» is not filed ({state}), so its hours do not count yet.",
        "主办单位完成备案、人社局受理后自动放行。",
        "Released once the bureau accepts the filing.",
    ),
    "E_DATE_RANGE": Code(
        "结业日期 {learned_on} 不在项目“{programme}”的备案期间（{starts_on} 至 {ends_on}）内，或晚于今天。",
        "Completed on {learned_on}: outside «{programme}» as filed ({starts_on} to {ends_on}), or after today.",
        "请核对结业日期；确属该项目的，请主办单位变更备案期间。",
        "Check the date; if it belongs to the programme, the organiser has its filed dates amended.",
    ),
    "E_NO_POLICY": Code(
        "{year} 年度的学时政策尚未发布。",
        "No policy of hours is published for {year}.",
        "政策文件放入 mappings 后自动放行。",
        "Released when the year's policy file is in mappings.",
    ),
    "E_LATE_YEAR": Code(
        "{year} 年度的记录在截止日 {grace_until} 之后才送到，不再自动计入，也不会挪到次年。",
        "A record of {year} arrived after {grace_until}; it is not credited by itself, and never moved elsewhere.",
        "请基地说明原因，由人社局决定。",
        "The base explains and the bureau decides.",
    ),
    "E_HOURS_INVALID": Code(
        "学时“{value}”无法认定（{place}）。",
        "The hours «{value}» can't be recognised ({place}).",
        _FILE_CELL,
        _FILE_CELL_EN,
    ),
    "E_DATE_INVALID": Code(
        "日期“{value}”无法识别（{place}）。", "The date «{value}» can't be read ({place}).", _FILE_CELL, _FILE_CELL_EN
    ),
    "E_RESULT_INVALID": Code(
        "考核结果“{value}”无法识别（{place}）。",
        "The result «{value}» can't be read ({place}).",
        _FILE_CELL,
        _FILE_CELL_EN,
    ),
    "E_ROW_REFUSED": Code(
        "数据库不接受这一行（{place}）：{value}",
        "The database does not take this row ({place}): {value}",
        "请基地在学习平台中更正该行；若看不出问题，请把代码与说明报告给我们。",
        "The base corrects the row in its LMS; if nothing seems wrong with it, report the code and the sentence to us.",
    ),
    "E_ROW_MALFORMED": Code(
        "来源的一行不完整（{place}）。",
        "A row of the source is not whole ({place}).",
        "请基地检查该行；修好后下次同步自动放行。",
        "The base checks the row; the next sync releases it.",
    ),
    "E_GLYPH_MISSING": Code(
        "“{text}”中的字 {code_points} 证书字体没有，证书暂缓签发，绝不留空。",
        "The certificate's fonts lack {code_points} in «{text}»; it waits rather than leave a blank.",
        "请把含该字的字体放入系统，放入后自动签发。",
        "Add a font that has the character; the certificate is issued then.",
    ),
    "E_PRIVATE_USE": Code(
        "“{text}”中的字 {code_points} 是自造字，别处无法显示，证书暂缓签发。",
        "«{text}» has the private-use character {code_points}, which shows nowhere else; the certificate waits.",
        "请改用国家标准（GB 18030）收录的字，在来源更正后自动签发。",
        "Use the character of GB 18030 at the source; the certificate is issued then.",
    ),
    "E_TEXT_CONTROL": Code(
        "“{text}”中有看不见的控制字符 {code_points}，证书暂缓签发。",
        "«{text}» has the invisible character {code_points}; the certificate waits.",
        "多半是复制粘贴时带入的，请在来源删去，更正后自动签发。",
        "It mostly comes from copying and pasting: take it out at the source, and the certificate is issued.",
    ),
    "E_CERT_NOT_FILED": Code(
        "项目“{programme}”目前不是已备案状态（{state}），{name} 的证书暂缓签发。",
        "The programme «{programme}» is not filed at present ({state}); the certificate of {name} waits.",
        "主办单位重新备案、人社局受理后自动签发。",
        "Issued once the bureau accepts the filing.",
    ),
    "E_CERT_NOT_ENTITLED": Code(
        "主办单位“{organiser}”不是行业主管部门，无权为项目“{programme}”签发抵扣证书。",
        "The organiser «{organiser}» is no sector department and may issue no certificates for «{programme}» (R08).",
        "请核对主办单位；确属行业主管部门的，由人社局更正单位类别后自动签发。",
        "Check the organiser; if it is a sector department, the bureau corrects its kind and it is issued.",
    ),
    "E_CERT_DATES": Code(
        "{name} 于 {learned_on} 结业，不在项目“{programme}”的备案期间（{starts_on} 至 {ends_on}）内，证书暂缓签发。",
        "{name} completed on {learned_on}, outside «{programme}» as filed ({starts_on} to {ends_on}); it waits.",
        "请核对结业日期；确属该项目的，请主办单位变更备案期间。",
        "Check the date; if it belongs to the programme, the organiser has its filed dates amended.",
    ),
    "E_CERT_HOURS": Code(
        "认定的 {hours} 学时多于项目“{programme}”备案的 {filed_hours} 学时，{name} 的证书暂缓签发。",
        "{hours} hours were recognised where «{programme}» is filed with {filed_hours}; the one of {name} waits.",
        "请重新核算学时（xueshi sync）；仍不一致的，请把代码报告给我们。",
        "Have the hours judged again (xueshi sync); if they still differ, report the code to us.",
    ),
    "E_CERT_NOT_APPROVED": Code(
        "项目“{programme}”的证书须经主办单位审批，{name} 还没有获批。",
        "Certificates of «{programme}» need the organiser's approval, and {name} has not been approved yet.",
        "请主办单位在“证书审批”页（/approvals/）核对后批准（xueshi certificate approve --programme 项目）",
        "The organiser approves on the page «Approvals», /approvals/ (xueshi certificate approve --programme KEY)",
    ),
    "E_SIGNING_KEY": Code(
        "签名密钥现在用不了，证书暂缓签发。",
        "The signing key can't be used now; the certificate waits.",
        "请平台管理员运行 xueshi doctor，按它说的做。" + _KEY_BACK,
        "The administrator runs xueshi doctor. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_MISSING": Code(
        "签名密钥不在原来的地方，证书暂缓签发。",
        "The signing key is not where it was; the certificate waits.",
        "请平台管理员从备份放回密钥，或另设一个（docs/keys.md）。" + _KEY_BACK,
        "The administrator puts the key back from the backup, or sets another (docs/keys.md). " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_UNREADABLE": Code(
        "签名密钥的文件读不了，证书暂缓签发。",
        "The signing key's file can't be read; the certificate waits.",
        "请平台管理员检查文件的权限和完整性，坏了的从备份放回。" + _KEY_BACK,
        "The administrator checks the file's rights, or puts it back from the backup. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_PASSWORD": Code(
        "签名密钥（PKCS#12）打不开：密码不对，或文件不是这种格式。证书暂缓签发。",
        "The signing key (PKCS#12) can't be opened: wrong password, or no such file. The certificate waits.",
        "请平台管理员核对 XUESHI_SIGNING_P12 和它的密码。" + _KEY_BACK,
        "The administrator checks XUESHI_SIGNING_P12 and its password. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_MISMATCH": Code(
        "签名证书与私钥不是一对，证书暂缓签发。",
        "The signing certificate and its private key do not belong together; the certificate waits.",
        "请平台管理员把证书和私钥作为一对重新导出。" + _KEY_BACK,
        "The administrator exports certificate and key together, as one pair. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_EXPIRED": Code(
        "签名证书不在有效期内，证书暂缓签发；以前签发的仍然有效。",
        "The signing certificate is not valid today; the certificate waits. What was signed before stays valid.",
        "请平台管理员换用有效期内的签名密钥（xueshi keys rotate）。" + _KEY_BACK,
        "The administrator changes to a key that is valid today (xueshi keys rotate). " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_KIND": Code(
        "签名密钥的种类不对：PDF阅读器只认 P-256，和2048位以上的 RSA。证书暂缓签发。",
        "The signing key is of a kind that PDF readers do not verify; the certificate waits.",
        "请平台管理员换用 P-256 密钥。" + _KEY_BACK,
        "The administrator changes to a P-256 key. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_USAGE": Code(
        "签名证书的用途里没有数字签名，证书暂缓签发。",
        "The signing certificate may not be used for signatures; the certificate waits.",
        "请平台管理员向发证机构申请用途含数字签名的证书。" + _KEY_BACK,
        "The administrator asks for a certificate with the key usage digitalSignature. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_RETIRED": Code(
        "现在设的签名密钥已经停用，证书暂缓签发。",
        "The signing key that is set was retired; the certificate waits.",
        "请平台管理员指向接替它的密钥，再运行 xueshi keys rotate。" + _KEY_BACK,
        "The administrator points the settings at its successor and runs xueshi keys rotate. " + _KEY_BACK_EN,
    ),
    "E_SIGNING_KEY_TOKEN": Code(
        "密码设备（PKCS#11）不能签名，证书暂缓签发。",
        "The token (PKCS#11) can't sign; the certificate waits.",
        "请平台管理员看设备是否在线，核对 XUESHI_PKCS11_ 各项设置和 PIN，再运行 xueshi doctor。" + _KEY_BACK,
        "The administrator checks the device, XUESHI_PKCS11_… and the PIN, then xueshi doctor. " + _KEY_BACK_EN,
    ),
    "E_PROOF_KEY_MISSING": Code(
        "签名密钥在密码设备里，做不出带证明的JSON。",
        "The signing key is on a token, so no embedded proof can be made.",
        "请下载签名凭证（JWT），它不需要这种证明。",
        "Use the credential as JWT, which needs none.",
    ),
}


def sentence(code: str, params: dict[str, object], *, english: bool = False) -> str:
    """The sentence of ``code`` with ``params`` filled in; an unknown code shows itself."""
    known = CODES.get(code)
    return (known.en if english else known.zh).format_map(_Shown(params)) if known else code


def fix(code: str, *, english: bool = False) -> str:
    """What mends ``code``."""
    known = CODES.get(code)
    return (known.fix_en if english else known.fix_zh) if known else ""


class _Shown(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "？"
