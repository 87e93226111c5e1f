"""Why a run stopped, as a colleague would say it: the sentence and what mends it, by the error's code.

English is the error's own, as the run kept it; the Chinese is here. A code of somebody else's connector that stands in
no table of ours is told in the words that came with it.
"""

# ruff: noqa: E501 - a sentence that a person reads stays on one line, so that it can be searched for

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.errors import XueshiError
from agent.intake.errors import DoubtfulPull
from agent.intake.models import SyncRun
from agent.portal.words import english
from connectors.base import kinds, load
from connectors.errors import ConnectorError

_WAIT = "不用做什么，下次同步会自己再试。"
_CHECK = "请平台管理员运行 xueshi source check {name}，按它说的做。"
_REPORT = "这多半是本程序要改的地方，请把代码和英文原话报告给我们；这一页什么都没有收下。"
_ALL = "改用全面比对就行：xueshi sync {name}。"

STOPS: dict[str, tuple[str, str]] = {
    # the way to the source
    "E_UNREACHABLE": ("学习平台没有应答。", "请看看平台是否开着、网址对不对、从这台机器能不能打开。恢复以后，下次同步会自己再试。"),
    "E_ADDRESS_PRIVATE": ("平台的网址指向内网地址，默认不去读。", "如果本来就在内网，请平台管理员加上 --allow-private；否则请更正网址。"),
    "E_ADDRESS_INVALID": ("平台的网址写得不对。", "请写成 https://主机/路径。"),
    "E_CERTIFICATE": ("平台的 HTTPS 证书不被承认。", "请平台的维护人员装好有效的证书和证书链；单位自己签发的，用 --option ca_file=… 指明。"),
    "E_REDIRECTED": ("平台把我们转到了别的网址，问题在路上丢了。", "请改用平台自己的网址（Moodle 的 $CFG->wwwroot），注意 http 与 https。"),
    "E_BUSY": ("平台说它正忙，请我们等一等。", _WAIT + "如果总是这样，请问平台的维护人员访问限制是多少。"),
    "E_MAINTENANCE": ("平台正在维护，或者负担太重。", _WAIT),
    "E_REFUSED": ("平台拒绝了这次调用。", "请平台管理员打开 Web 服务和 REST 协议（网站管理 > 高级功能；插件 > Web 服务 > 管理协议）。"),
    "E_NOT_FOUND": ("这个网址上没有 Web 服务。", "请填平台首页的网址，不要带 /login 或 /webservice。"),
    "E_NOT_JSON": ("平台回答的不是数据，而是别的网页。", "请用浏览器打开这个网址看看：常常是别的站点、登录页或代理的页面。"),
    "E_TRUNCATED": ("平台的回答没有传完就断了。", _WAIT + "如果总是这样，是代理或平台的内存限制截断了长的回答。"),
    "E_TOO_LARGE": ("平台一次回答得太长。", "请把每页的行数调小：--option page_size=1000。"),
    "E_MALFORMED": ("平台的回答和约定的格式不一样。", "平台可能升级或改动过。" + _CHECK + "这一页什么都没有收下。"),
    # tokens and rights
    "E_TOKEN_MISSING": ("这个来源还没有存令牌。", "请把令牌存进文件，再运行 xueshi source add {name} … --token-file 文件。"),
    "E_TOKEN_INVALID": ("平台不认识我们的令牌。", "请在平台上为服务账号新建令牌（网站管理 > 服务器 > Web 服务 > 管理令牌），再用 --token-file 存进来。"),
    "E_TOKEN_EXPIRED": ("令牌过期了，平台已经把它删掉。", "请为服务账号新建令牌，有效期设长一些，再用 xueshi source add {name} … --token-file 存进来。"),
    "E_ACCESS": ("平台不让服务账号进来。", "请看 Web 服务是否启用、账号是否被授权、令牌是否有效、这台机器的地址是否允许。"),
    "E_FUNCTION_MISSING": ("Web 服务里缺一个要用的函数。", "请在平台的“外部服务”里给这个服务加上它（英文原话里写着名字）。"),
    "E_CAPABILITY_MISSING": ("服务账号缺一项权限。", "请在平台的“定义角色”里，于系统场景下允许它（英文原话里写着名字）。"),
    "E_ACCOUNT_SUSPENDED": ("平台上的服务账号用不了：被停用、删除、未确认，或有一步没做完。", "请在平台的用户列表里重新启用；已启用的，请用它登录一次，把平台要求的事做完。"),
    # the report
    "E_REPORT_MISSING": ("找不到服务账号能看的结业报表。", "请按 docs/moodle.md 建好报表，把服务账号设为受众，再写明 --option report_id=编号。"),
    "E_REPORT_AMBIGUOUS": ("有好几张报表都像，没有说用哪一张。", "请写明：--option report_id=编号。"),
    "E_COLUMN_MISSING": ("报表里缺一列。", "请在报表编辑器里加上（英文原话里写着列名）。证件号那一列加了还看不见的，服务账号还要有 moodle/user:viewalldetails 权限。"),
    "E_TIMES_UNREADABLE": ("报表里的时间认不出来。", "请把服务账号的语言设为英语（网站管理 > 用户 > 该账号 > 首选语言）。"),
    "E_FILTER_IGNORED": ("按时间筛选没有起作用，报表给出了时间范围以外的行。", "请在报表里加上“完成时间”筛选；已经有的，是另一个程序在用同一账号和报表，请分开。"),
    "E_TOTALS": ("平台说的行数和实际给的不一样，所以这一页没有收下。", _WAIT + "如果总是这样，" + _CHECK),
    "E_PAGE_REPEATED": ("平台把同一页给了两遍，所以这一页没有收下。", "如果总是这样，是平台前面的缓存在给旧的回答，请让它不要缓存 /webservice/。"),
    "E_LOG_CUT": ("平台的变更日志被裁短了，接不上我们读到的地方。", "不用做什么，下次同步会全面比对，再从那里接着读。"),
    "E_BUDGET": ("这一小时对平台的调用次数用完了。", "不用做什么，过一小时会自己接着取。想多取一些，先和平台的维护人员说好，再运行 xueshi source schedule {name} --budget 次数。"),
    "E_DIGEST": ("平台给的摘要和它给的行对不上。", _WAIT + "如果总是这样，请把插件的版本报告给我们；已经收下的都没有错。"),
    "E_IDENTITY_FIELD": ("插件取身份证号的字段没有设，或和我们要的不是同一个，所以一行也没有读。", "请平台管理员打开“网站管理 > 插件 > 本地插件 > xueshi > 身份证号”，选中存身份证号的字段；插件没有错的，请更正 --option identity_field=…。"),
    "E_CLOCK": ("平台的时钟和我们的差得太多。", "请平台的维护人员用 NTP 对时，也看看这台机器的时钟：午夜前后的结业会算错日子。"),
    "E_CALL_INVALID": ("平台没有听懂我们的调用。", _REPORT),
    "E_UNKNOWN_ANSWER": ("平台回了一个我们没见过的错误。", _REPORT),
    "E_NOTHING_THERE": ("平台在这里没有东西可说。", "不用做什么，这一行记了数，没有收下。"),
    "E_RECORD_MISSING": ("平台找不到要问的那一条。", "它被删了，或者编号写错了。" + _CHECK),
    "E_OPTION": ("来源的一个选项不对。", "请平台管理员更正后再保存来源（英文原话里写着是哪一个）。"),
    # files
    "E_FILE_MISSING": ("名册文件不在，或者读不了。", "请检查文件的位置和读取权限。"),
    "E_FILE_BROKEN": ("名册文件打不开。", "请用表格软件打开，另存为 .xlsx，或导出为 CSV（UTF-8）。"),
    "E_FILE_TOO_LARGE": ("名册文件展开后太大。", "请一个班一个文件，不要带图片；20万行以内都没有问题。"),
    "E_FILE_ENCODING": ("名册文件的编码既不是 UTF-8 也不是 GB 18030。", "请在表格软件里另存为“CSV UTF-8”。"),
    "E_HEADER_MISSING": ("名册里找不到标题行。", "请从模板开始填：xueshi roster template -o 文件。"),
    "E_HEADER_TWICE": ("名册里有两列同名，不知道以哪一列为准。", "请一人一行往下排，并把重名的那一列改名。"),
    "E_SHEET_UNREAD": ("名册里有一张工作表带身份证号，却没有标题行。", "请给那张表也加上标题行，或者删掉那张表。这次什么都没有收下。"),
    # what is not believed, and what can't be done
    "E_TOO_MANY_MISSING": ("平台一下子少了很多记录，不像是真的，所以没有标记。", "请看看平台：权限、报表、恢复过的备份。确实都没有了的，请平台管理员运行 xueshi sync {name} --accept-missing。"),
    "E_NOTHING_CAME": ("平台这次一行都没有给，平时有上百行，所以没有相信。", "请看看报表或它的筛选是否被改过。" + _CHECK + "读到的位置没有移动，不会漏。"),
    "E_DOUBTFUL": ("平台给的不像是全部，所以没有相信。", _CHECK),
    "E_INTERRUPTED": ("同步的进程中途结束了：停电、重启或被终止。", "不用做什么，到达的页都是完整的，下次同步会接着读。"),
    "E_NO_SPANS": ("这种来源不能只读一段时间。", _ALL),
    "E_NO_REPLAY": ("这种来源不能单独重读一行。", _ALL),
    "E_SOURCE_RESTING": ("这个来源连续失败，正在歇一会儿。", _CHECK + "手动同步随时可以再试。"),
    "E_SOURCE_BUSY": ("另一个进程正在读这个来源。", "等它读完就好。"),
    "E_ROW_REFUSED": ("数据库没有收下其中的行。", _REPORT),
    "E_SOURCE": ("来源没有读成。", _CHECK),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stopped: the reader's sentence and fix, and the error's own words when those are others."""

    code: str
    sentence: str
    fix: str
    original: str


def stop_of(run: SyncRun) -> Stop | None:
    """Why ``run`` stopped; None: it did not."""
    if not run.error_code:
        return None
    ours = None if english() else STOPS.get(run.error_code)
    if ours:
        return Stop(run.error_code, ours[0], ours[1].replace("{name}", run.source.name), run.error)
    return Stop(run.error_code, run.error or run.error_code, _fix(run), "")


def _fix(run: SyncRun) -> str:
    """The fix of the error's class, in English."""
    if run.source.kind in kinds():
        load(run.source.kind)  # brings the errors of its package
    for error in (*_below(ConnectorError), *_below(DoubtfulPull), *_below(XueshiError)):
        if error.code == run.error_code:
            return error.fix.format_map(_Shown(name=run.source.name)).replace("NAME", run.source.name)
    return ""


def _below(root: type[ConnectorError | XueshiError]) -> Iterator[type[ConnectorError | XueshiError]]:
    below: list[type[ConnectorError | XueshiError]] = [*root.__subclasses__()]
    for each in below:
        yield each
        yield from _below(each)


class _Shown(dict[str, str]):
    """What the run did not keep is shown as dots."""

    def __missing__(self, key: str) -> str:
        return "…"
